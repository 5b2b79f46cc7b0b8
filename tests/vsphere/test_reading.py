"""What only a vCenter with people in it shows: twins, odd names, snapshots, running tasks, missing rights, logs."""

from __future__ import annotations

import pytest

from bot.migration.facts import RunningTask
from bot.vsphere.port import FaultError, HostLogs
from bot.vsphere.tree import shown

HOST = "esx-site1-01.example.net"


async def test_one_name_may_mean_several_vms(played):
    twins = await played.find_vms("twin")
    assert [vm.path for vm in twins] == ["/DC1/vm/Old/twin", "/DC1/vm/Web/twin"]
    assert len({vm.ref.uuid for vm in twins}) == 2
    (one,) = await played.find_vms("/DC1/vm/Old/twin")
    assert one == twins[0]


async def test_a_name_is_shown_as_it_was_typed(played):
    (found,) = await played.find_vms("50% a-b \\ Ünï 🚀")
    assert found.ref.name == "50% a-b \\ Ünï 🚀"
    assert (await played.read_vm(found.ref.uuid)).ref == found.ref
    assert list(await played.find_vms(found.path)) == [found]


@pytest.mark.parametrize(
    ("kept", "plain"),
    [("a%2fb", "a/b"), ("a%252fb", "a%2fb"), ("100%25", "100%"), ("a%5cb", "a\\b"), ("%20", "%20"), (None, "")],
)
def test_only_what_vcenter_escapes_is_unescaped(kept, plain):
    assert shown(kept) == plain


async def test_what_a_backup_does_to_a_vm_is_seen(played):
    (found,) = await played.find_vms("files01")
    facts = await played.read_vm(found.ref.uuid)
    assert facts.has_snapshots
    assert facts.disabled_methods == ("RelocateVM_Task",)
    assert facts.running_tasks == (RunningTask("CreateSnapshot_Task", "backup@vsphere.local"),)


async def test_a_running_vm_counts_on_its_host(player_peer, played):
    (found,) = await played.find_vms("app01")
    assert (await played.read_vm(found.ref.uuid)).power == "poweredOn"
    site = await played.read_site(player_peer.source)
    assert {host.name: host.running_vms for host in site.hosts}[found.host] == 1


async def test_maintenance_and_disconnection_are_seen(player_peer, played, player):
    player.set_host(HOST, maintenance=True)
    player.set_host("esx-site1-02.example.net", connected=False)
    first, second = (await played.read_site(player_peer.source)).hosts
    assert (first.in_maintenance, first.connection) == (True, "connected")
    assert (second.in_maintenance, second.connection) == (False, "notResponding")


async def test_names_in_the_folder_are_those_of_the_target(player_peer, played):
    assert (await played.read_site(player_peer.target)).names_in_folder == ()
    task = await played.relocate(await player_peer.plan(played), op_id="cm-ab2cd3ef-a1")
    async for _ in played.follow(task):
        pass
    assert (await played.read_site(player_peer.target)).names_in_folder == ("web01",)


async def test_the_last_line_and_pages_of_a_hosts_log(played, player):
    logs: HostLogs = played
    written = player.log_lines(HOST, "vpxa")
    last = await logs.last_line(HOST, "vpxa")
    assert last == len(written) > 500
    assert await logs.read(HOST, "vpxa", start=1, lines=500) == (last, tuple(written[:500]))
    assert (await logs.read(HOST, "vpxa", start=501, lines=9999))[1] == tuple(written[500:])
    assert (await logs.read(HOST, "vpxa", start=last, lines=500))[1] == (written[-1],)
    assert (await logs.read(HOST, "vpxa", start=last + 1, lines=500))[1] == ()


async def test_keys_of_logs_are_looked_up_once_per_host(played, player):
    for log in ("vpxa", "hostd", "vpxa", "vmkernel"):
        await played.last_line(HOST, log)
    assert player.calls["QueryDescriptions"] == 1


@pytest.mark.parametrize(
    ("host", "log", "sentence"),
    [(HOST, "nonsense", "offers no log named nonsense; it has"), ("esx-9", "vpxa", "no host named esx-9")],
)
async def test_a_log_that_is_not_there(played, host, log, sentence):
    with pytest.raises(FaultError, match=sentence):
        await played.last_line(host, log)


async def test_a_missing_privilege_is_named(player_peer):
    viewer = player_peer.connect(user="viewer@vsphere.local")
    with pytest.raises(FaultError, match=r"grant the privilege Global\.Diagnostics") as caught:
        await viewer.last_line(HOST, "vpxa")
    assert caught.value.kind == "vim.fault.NoPermission"


async def test_a_viewer_reads_but_does_not_move(player_peer, player):
    viewer = player_peer.connect(user="viewer@vsphere.local")
    plan = await player_peer.plan(viewer)
    with pytest.raises(FaultError, match="the missing privilege is") as caught:
        await viewer.relocate(plan, op_id="cm-ab2cd3ef-a1")
    assert caught.value.kind == "vim.fault.NoPermission"
    assert player.relocations == []


async def test_a_simulator_without_host_logs_is_a_fault_not_a_crash(vcsim_peer):
    vcenter = vcsim_peer.connect()
    with pytest.raises(FaultError):
        await vcenter.last_line(vcsim_peer.host, "vpxa")


async def test_few_round_trips(played, player, player_peer):
    await played.now()
    (found,) = await played.find_vms("web01")
    before = sum(player.calls.values())
    await played.read_vm(found.ref.uuid)
    after_vm = sum(player.calls.values())
    await played.read_site(player_peer.target)
    after_site = sum(player.calls.values())
    assert after_vm - before <= 7
    assert after_site - after_vm <= 6
