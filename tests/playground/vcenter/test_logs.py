"""Host logs: as the DiagnosticManager serves them, and as each generation of host writes them."""

from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest
from pyVmomi import vim, vmodl

from bot.playground.esxi import phrases
from bot.playground.esxi.diary import Diary, derived_op_id
from bot.playground.esxi.host_log import HostLogs
from bot.playground.esxi.line_forms import Generation
from bot.playground.esxi.ordinary import NOISE
from bot.playground.esxi.phrases import INVENTED, Phrase

HOST = "esx-site1-01.example.net"
AT = datetime(2026, 3, 1, 12, 0, 0, 288_000, tzinfo=UTC)
MAXINT = 2**31 - 1


@pytest.fixture
def browse(client, in_thread):
    async def call(start=None, lines=None, *, key="vpxa"):
        def go():
            content = client.content
            host = content.searchIndex.FindByInventoryPath("DC1/host/C1").host[0]
            return content.diagnosticManager.BrowseDiagnosticLog(host, key, start, lines)

        return await in_thread(go)

    return call


def descriptions(client, host=None):
    return {entry.key: entry.fileName for entry in client.content.diagnosticManager.QueryDescriptions(host)}


async def test_keys_are_asked_for(player, client, in_thread):
    files = await in_thread(lambda: descriptions(client, client.find("DC1/host/C1").host[0]))
    assert files == {key: f"/var/log/{key}.log" for key in ("hostd", "vpxa", "vmkernel", "vobd")}


async def test_vcenter_has_a_log_of_its_own_that_tells_of_tasks(player, client, in_thread):
    def go():
        (key,) = descriptions(client)
        task = client.relocate(client.find("DC1/vm/Web/web01"), client.spec(), "cm-ab12cd34-a1")
        client.watch(task)
        return key, list(client.content.diagnosticManager.BrowseDiagnosticLog(None, key, 1, 500).lineText), task._moId

    key, lines, task = await in_thread(go)
    assert key == "vpxd:vpxd.log"
    (begin,) = [line for line in lines if f"-- BEGIN {task} --" in line]
    assert "info vpxd[" in begin
    assert "opID=cm-ab12cd34-a1]" in begin
    assert "vim.VirtualMachine.RelocateVM" in begin
    assert any(f"-- ERROR {task} --" in line or f"-- FINISH {task}" in line for line in lines)


async def test_a_host_that_is_away_shows_no_logs(player, client, browse, in_thread):
    player.set_host(HOST, connected=False)
    with pytest.raises(vmodl.fault.HostNotConnected):
        await browse(1, 10)
    with pytest.raises(vmodl.fault.HostNotConnected):
        await in_thread(lambda: descriptions(client, client.find("DC1/host/C1").host[0]))


async def test_a_slow_host_makes_vcenter_slow(player, browse):
    player.machine(HOST).answers_after = timedelta(milliseconds=150)
    begun = perf_counter()
    await browse(1, 10)
    assert perf_counter() - begun >= 0.15


async def test_a_page_has_at_most_500_lines(player, browse):
    lines = player.log_lines(HOST)
    lines_in_log = player.estate.host(HOST).logs.lines("vpxa")
    lines_in_log.extend(f"line {number}" for number in range(1200 - len(lines)))
    end = await browse(MAXINT, 0)
    assert (end.lineEnd, list(end.lineText)) == (1200, [])
    read, start = [], 1
    while start <= end.lineEnd:
        page = await browse(start, 1000)
        assert page.lineStart == start
        assert 0 < len(page.lineText) <= 500
        read += page.lineText
        start += len(page.lineText)
    assert read == lines_in_log


async def test_growth_is_seen_from_where_one_stopped(player, browse):
    end = (await browse(MAXINT, 0)).lineEnd
    player.estate.diaries[player.estate.host(HOST).ref].write(phrases.SOURCE_DONE, at=AT, op_id="cm-x-a1")
    page = await browse(end + 1, 500)
    assert len(page.lineText) == 2
    assert all("opID=cm-x-a1-" in line for line in page.lineText)


async def test_rotation_begins_a_new_file(player, browse):
    before = player.log_lines(HOST)
    player.rotate_log(HOST)
    page = await browse(1, 500)
    assert page.lineEnd == 1
    assert "Logs rotated" in page.lineText[0]
    assert player.log_lines(HOST)[:-1] == before


async def test_unknown_logs_and_missing_rights_are_refused(player, client, client_of, browse, in_thread):
    with pytest.raises(vim.fault.CannotAccessFile):
        await browse(1, 10, key="secrets")
    reader = await in_thread(client_of, player, user="reader@vsphere.local")
    host = await in_thread(lambda: reader.find("DC1/host/C1").host[0])
    with pytest.raises(vim.fault.NoPermission) as refused:
        await in_thread(lambda: reader.content.diagnosticManager.BrowseDiagnosticLog(host, "vpxa", 1, 10))
    assert refused.value.privilegeId == "Global.Diagnostics"


_HEADERS = {
    "4.1": ("[2026-03-01 12:00:00.288 ", " warning 'Libs' opID={}] [NFC ERROR] ", "'App'"),
    "5.5": ("2026-03-01T12:00:00.288Z [", " warning 'Libs' opID={}] [NFC ERROR] ", "'App'"),
    "6.5": ("2026-03-01T12:00:00.288Z warning vpxa[", "] [Originator@6876 sub=Libs opID={}] [NFC ERROR]", "vpxNfc"),
    "8.0.3": ("2026-03-01T12:00:00.288Z Wa(164) Vpxa[", "]: [Originator@6876 sub=Libs opID={}] [NFC ERROR]", "vpxNfc"),
}  # fmt: skip


@pytest.mark.parametrize("version", _HEADERS)
def test_each_generation_writes_the_same_news_in_its_own_form(version):
    head, middle, client_line = _HEADERS[version]
    logs = HostLogs(version)
    Diary("esx", logs, seed=1).write(
        phrases.SOURCE_SESSION_DIED, at=AT, op_id="C65743A5-0000024D", task="task-10646", directory="d"
    )
    lines = logs.lines("vpxa")
    assert lines[0].startswith(head)
    op_id = derived_op_id("C65743A5-0000024D", "esx", generation=Generation.of(version))
    assert lines[0].endswith(f"{middle.format(op_id)}NfcNetTcpWrite: bWritten: -1")
    assert client_line in lines[5]
    assert lines[-2].endswith("RecordOp ASSIGN: info.cancelable, task-10646")


def test_every_text_names_its_source():
    tables = [
        table for table in vars(phrases).values() if isinstance(table, tuple) and table and isinstance(table[0], Phrase)
    ]
    noise = [phrase for generation in NOISE.values() for entry in generation for phrase in entry.phrases]
    texts = [phrase for table in tables for phrase in table] + noise
    assert len(texts) > 50
    assert all(phrase.source for phrase in texts)
    assert not any(phrase.source == INVENTED for phrase in noise)
    assert not any(phrase.source == INVENTED and "NfcNetTcp" in phrase.body for phrase in texts)


@pytest.mark.parametrize("version", ["4.1", "5.5", "6.7", "7.0.3", "8.0.3"])
def test_ordinary_work_carries_no_nfc_error_and_no_foreign_op_id(version):
    logs = HostLogs(version)
    diary = Diary("esx", logs, seed=3)
    for _ in range(200):
        diary.write_ordinary_work(AT)
    lines = [line for key in ("vpxa", "hostd") for line in logs.lines(key)]
    assert len(lines) > 200
    assert not any("NFC ERROR" in line or "opID=cm-" in line or "{" in line for line in lines)
