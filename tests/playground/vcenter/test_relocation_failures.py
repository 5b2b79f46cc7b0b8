"""Relocations that go wrong: the link dies, a port is closed, somebody cancels, the reply is lost."""

import http.client
import itertools

import pytest
from pyVmomi import vim, vmodl

FREE = 100 * 2**30
SOURCE, DESTINATION = "esx-site1-02.example.net", "esx-site2-01.example.net"
SEED = [
    "NfcNetTcpWrite: bWritten: -1",
    "NfcNet_Send: requested 262040, sent only -1 bytes",
    "NfcFile_SendMessage: data send failed:",
    "NfcBuf_Send: failed to send next file portion",
    "Nfc_PutFile: failed to send the buffer",
    "[VpxNfcClient] File transfer  failed:",
    "[VpxNfcClient] Closing NFC connection to server",
    "NfcNetTcpWrite: bWritten: -1",
    "NfcNet_Send: requested 264, sent only -1 bytes",
    "NfcSendMessage: send failed:",
    "RecordOp ASSIGN: info.state, ",
    "RecordOp ASSIGN: info.cancelable, ",
]


def _move(client, path, **options):
    task = client.relocate(client.find(path), client.spec(), **options)
    return task, client.watch(task)


async def test_a_lossy_link_kills_the_copy_at_its_percent(player, client, in_thread):
    _, (seen, error) = await in_thread(_move, client, "DC1/vm/db01")
    assert max(percent for _, percent in seen if percent is not None) == 63
    assert isinstance(error, vim.fault.NetworkCopyFault)
    assert error.file == "[ds-c1-01] db01/db01.vmdk"
    assert "network connection was lost" in error.msg
    assert player.relocations[0].outcome == "NetworkCopyFault"
    assert player.placement("db01").site == "site1"


async def test_after_a_broken_copy_the_vm_is_whole_and_leftovers_take_space(player, client, in_thread):
    before = player.datastore("ds-c1-01").free
    await in_thread(_move, client, "DC1/vm/db01")
    assert player.datastore("ds-c1-01").free == before
    leftover = player.datastore("ds-c2-01").orphans[0]
    assert leftover.path == "db01"
    assert FREE - player.datastore("ds-c2-01").free == leftover.size
    assert leftover.size == pytest.approx(0.63 * 300 * 2**20, rel=0.01)
    player.set_link("site1", "site2", loss=0.0)
    vm = await in_thread(client.find, "DC1/vm/db01")
    assert await in_thread(lambda: vm.config.files.vmPathName) == "[ds-c1-01] db01/db01.vmx"


async def test_both_ends_log_what_they_saw_of_it(player, client, in_thread):
    await in_thread(_move, client, "DC1/vm/db01", op_id="cm-deadbeef-a2")
    source = [line for line in player.log_lines(SOURCE) if "cm-deadbeef-a2" in line]
    begin = next(at for at, line in enumerate(source) if SEED[0] in line)
    for line, expected in itertools.zip_longest(source[begin : begin + len(SEED)], SEED):
        assert expected in line
    assert "Wa(164) Vpxa[" in source[begin]
    assert "[NFC ERROR]NfcNetTcpWrite" in source[begin]
    op_ids = {line.split("opID=")[1].split("]")[0] for line in source}
    assert len(op_ids) == 1
    assert op_ids.pop().startswith("cm-deadbeef-a2-")
    destination = [line for line in player.log_lines(DESTINATION) if "cm-deadbeef-a2-" in line]
    assert any("NfcFile_ContinueReceive: reached EOF" in line for line in destination)
    receiver = [line for line in player.log_lines(DESTINATION, "hostd") if "cm-deadbeef-a2-" in line]
    assert any("NFC ERROR" in line for line in receiver)


async def test_a_second_try_over_a_clean_link_lands_beside_the_leftovers(player, client, in_thread):
    await in_thread(_move, client, "DC1/vm/db01")
    player.set_link("site1", "site2", loss=0.0)
    task, (_, error) = await in_thread(_move, client, "DC1/vm/db01", op_id="cm-ab12cd34-a2")
    assert error is None
    path = await in_thread(lambda: task.info.entity.config.files.vmPathName)
    assert path == "[ds-c2-01] db01_1/db01.vmx"
    assert [orphan.path for orphan in player.datastore("ds-c2-01").orphans] == ["db01"]


async def test_a_closed_port_fails_before_a_byte_moves(player, client, in_thread):
    player.block_port("site1", "site2")
    _, (_, error) = await in_thread(_move, client, "DC1/vm/db01")
    assert isinstance(error, vim.fault.HostConnectFault)
    assert player.datastore("ds-c2-01").free == FREE
    lines = player.log_lines(SOURCE) + player.log_lines(SOURCE, "hostd")
    assert any("Failed to connect to server 10.2.0.11:902" in line for line in lines)


async def test_a_cancelled_relocation_is_undone(player, client, in_thread):
    player.set_link("site1", "site2", rate=80_000_000)

    def go():
        task = client.relocate(client.find("DC1/vm/db01"), client.spec())
        client.watch(task, until=("running", "error"))
        task.CancelTask()
        _, error = client.watch(task)
        with pytest.raises(vim.fault.InvalidState):
            task.CancelTask()
        return error, task.info

    error, info = await in_thread(go)
    assert isinstance(error, vmodl.fault.RequestCanceled)
    assert (info.cancelled, info.cancelable) == (True, False)
    assert player.placement("db01").site == "site1"
    assert player.datastore("ds-c2-01").free == FREE
    assert player.relocations[0].outcome == "RequestCanceled"


async def test_a_lost_reply_leaves_a_running_relocation(player, client, in_thread):
    player.drop_reply("RelocateVM_Task")

    def go():
        vm = client.find("DC1/vm/thick01")
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            client.relocate(vm, client.spec(), op_id="cm-lostlost-a1")
        task = vm.recentTask[0]
        return task.info.key, client.watch(task)[1]

    key, error = await in_thread(go)
    assert error is None
    assert [(record.op_id, record.task) for record in player.relocations] == [("cm-lostlost-a1", key)]
    assert player.calls["RelocateVM_Task"] == 1


async def test_a_lost_request_leaves_nothing(player, client, in_thread):
    player.drop_request("RelocateVM_Task", nth=2)
    _, (_, error) = await in_thread(_move, client, "DC1/vm/thick01")
    assert error is None
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        await in_thread(_move, client, "DC1/vm/db01")
    assert len(player.relocations) == 1
    assert player.calls["RelocateVM_Task"] == 2


async def test_a_vcenter_that_is_down_refuses_and_comes_back_as_it_was(player, client, in_thread):
    url = player.url
    await player.go_down()
    with pytest.raises(OSError):
        await in_thread(client.si.CurrentTime)
    await player.come_up()
    assert player.url == url
    assert await in_thread(client.si.CurrentTime)


async def test_loss_below_the_breaking_point_only_slows(player, client, in_thread):
    player.set_link("site1", "site2", loss=0.0)
    link = player.estate.universe.links.find("site1", "site2")
    clean = link.bytes_per_second
    player.set_link("site1", "site2", loss=0.005)
    assert link.bytes_per_second < clean / 10
    player.set_link("site1", "site2", rate=10**12, loss=0.0)
    _, (_, error) = await in_thread(_move, client, "DC1/vm/thick01")
    assert error is None


async def test_a_dead_link_lets_the_copy_wait_and_a_mended_one_go_on(player, client, in_thread):
    player.set_link("site1", "site2", rate=80_000_000)
    task = await in_thread(lambda: client.relocate(client.find("DC1/vm/thick01"), client.spec()))
    await in_thread(client.watch, task, until=("running", "error"))
    player.set_link("site1", "site2", rate=0)
    assert (await in_thread(lambda: task.info.state)) == "running"
    player.set_link("site1", "site2", rate=40_000_000_000)
    _, error = await in_thread(client.watch, task)
    assert error is None
