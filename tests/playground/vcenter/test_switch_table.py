"""Every switch of the world, and what a relocation then shows: printed, kept in build/switch-table.txt, all different.

A real pyvmomi client relocates a VM in a world of its own for every row; what it saw, what the hosts logged beyond an
undisturbed relocation, and where everything lies afterwards make up the row.
"""

import asyncio
import inspect
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pyVmomi import vmodl

from bot.playground.vcenter.player import play_world
from bot.playground.vcenter.switches import Switches
from bot.playground.world import parse_world
from tests.playground.vcenter.switch_rows import DESTINATION, ROWS, SOURCE, Row

ROOT = Path(__file__).parents[3]
ENDS = {"source": SOURCE, "dest": DESTINATION}
LOGS = ("vpxa", "hostd", "vmkernel", "vobd")
NOT_ROWS = {
    "renew_certificate": "between vCenters: test_cross_vcenter",
    "stand_between": "between vCenters: test_cross_vcenter",
    "change_password": "between vCenters: test_cross_vcenter",
    "set_arrivals": "between vCenters: test_cross_vcenter",
    "delay_reply": "fails nothing, only later",
    "hold_back": "fails nothing, only later",
    "swallow_reply": "the client waits for ever",
    "swallow_request": "the client waits for ever",
    "fall_silent": "the client waits for ever",
    "send_syslog": "fails nothing",
    "set_nic": "a host has two, so a pulled cable is only logged",
    "set_agent": "fails nothing, only later; HTTPS carries no relocation",
    "cap_traffic": "slows clients; a relocation is carried by hosts",
    "put_client": "slows clients; a relocation is carried by hosts",
    "relocate_vm": "is a relocation, of somebody else: test_by_hand",
    "come_up": "undoes another switch",
    "play": "is how the world file reaches the others",
}
_WORLD = """
[play]
nfc_patience = "100 ms"
connect_patience = "30 ms"
history_lines = 0
noise_every = "1 h"
{play}
[[vcenters]]
name = "east"
accounts = [{{ user = "svc@vsphere.local", password = "right" }}]
[[sites]]
name = "site1"
vcenter = "east"
hosts = 1
datastores = [{{ name = "ds-c1-01", capacity = "1 TiB", free = "100 GiB" }}]
{sites[0]}
[[sites]]
name = "site2"
vcenter = "east"
hosts = 1
folders = ["Migrated"]
datastores = [{{ name = "ds-c2-01", capacity = "1 TiB", free = "100 GiB" }}]
{sites[1]}
[[links]]
between = ["site1", "site2"]
rate = "{rate}"
rtt = "0 ms"
[[vms]]
name = "web"
site = "site1"
disks = ["1 GiB thin 100 MiB"]
[[events]]
at = "{percent} % of web"
host = "{source}"
maintenance = false
"""
_HEADER = re.compile(r"^.*?(?:\[Originator@[^\]]*\] |cpu\d+:\d+(?: opID=\w+)?\)(?:WARNING: )?|us: |vmsyslogd\[\d+\]: )")
_CHANGING = re.compile(r"lro-\d+|task-\d+|-[0-9a-f]{2}\b|opID \w+|\d{6,}|\d{4}-\d\d-\d\dT\S+")


@dataclass(frozen=True)
class Shown:
    """What a row came to."""

    fault: str
    percent: int
    lines: tuple[str, ...]
    after: str


async def _measure(row: Row, folder: Path, client_of) -> Shown:
    text = _WORLD.format(play=row.play, sites=row.sites, rate=row.rate, percent=row.percent, source=SOURCE)
    async with await play_world(parse_world(text), folder) as running:
        player = running["east"]
        client = await asyncio.to_thread(client_of, player)
        marks = {(end, log): len(player.log_lines(host, log)) for end, host in ENDS.items() for log in LOGS}
        acts = []
        if row.before:
            row.before(player)
        if row.during:
            player.estate.universe.timetable.follow(lambda _event: acts.append(_begun(row.during(player))))
        fault = await asyncio.to_thread(_relocate, client)
        for act in filter(None, acts):
            await act
        await _until_ended(player)
        moves = player.moves()
        seen_by_task = player.relocations[-1].outcome if player.relocations else "no task"
        lines = [
            f"{end} {log}: {_CHANGING.sub('…', _HEADER.sub('', line))}"
            for (end, log), seen in marks.items()
            for line in player.log_lines(ENDS[end], log)[seen:]
        ]
        fault = seen_by_task if fault == seen_by_task else f"{seen_by_task}, {fault}"
        if not await asyncio.to_thread(_answers, client):
            fault += ", vCenter gone"
        return Shown(fault, moves[-1].percent if moves else 0, tuple(lines), _after(player))


def _relocate(client) -> str:
    """Relocate the VM and say how it ended for the client."""
    try:
        task = client.relocate(client.find("DC1/vm/web"), client.spec())
        _, error = client.watch(task)
    except vmodl.MethodFault as refused:
        return f"client: {type(refused).__name__.rpartition('.')[2]}"
    except OSError:
        return "client: connection lost"
    return type(error).__name__.rpartition(".")[2] if error else "success"


def _answers(client) -> bool:
    try:
        client.si.CurrentTime()
    except vmodl.MethodFault:
        return True
    except OSError:
        return False
    return True


def _begun(act) -> asyncio.Future | None:
    return asyncio.ensure_future(act) if inspect.isawaitable(act) else None


async def _until_ended(player) -> None:
    changes = player.estate.inventory.changes
    async with asyncio.timeout(10):
        while any(move.ended is None for move in player.moves()):
            await changes.wait(beyond=changes.revision, seconds=5)


def _after(player) -> str:
    there = player.datastore("ds-c2-01")
    orphans = sum(orphan.size for orphan in there.orphans)
    return f"VM at {player.placement('web').site}, orphans {orphans >> 20} MiB, free {-(-there.free >> 20)} MiB"


def _table(shown: dict[Row, Shown]) -> str:
    heads = ("switch", "world", "fault", "%", "what hosts wrote", "afterwards")
    common = Counter(line for seen in shown.values() for line in set(seen.lines))
    body = [
        (row.switch, row.title, seen.fault, str(seen.percent), _short(seen.lines, common), seen.after)
        for row, seen in shown.items()
    ]
    widths = [max(len(line[place]) for line in (heads, *body)) for place in range(len(heads))]
    ruled = [heads, tuple("-" * width for width in widths), *body]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in ruled
    )


def _short(lines: tuple[str, ...], common: Counter[str]) -> str:
    """Return the most telling line of each end: the one that the fewest rows share."""
    told = [sorted((line for line in lines if line.startswith(end)), key=common.__getitem__) for end in ENDS]
    return "; ".join(_cut(best[0]) for best in told if best) or "nothing of their own"


def _cut(line: str, *, length: int = 92) -> str:
    return line if len(line) <= length else f"{line[: length - 1]}…"


async def test_every_switch_shows_something_of_its_own(tmp_path, client_of):
    calm = await _measure(Row("nothing", ""), tmp_path / "calm", client_of)
    assert (calm.fault, calm.percent, calm.after) == ("success", 100, "VM at site2, orphans 0 MiB, free 102300 MiB")
    shown: dict[Row, Shown] = {}
    for number, row in enumerate(ROWS):
        seen = await _measure(row, tmp_path / str(number), client_of)
        own = tuple(line for line in seen.lines if line not in calm.lines)
        shown[row] = Shown(seen.fault, seen.percent, own, seen.after)
    table = _table(shown)
    print(f"\n{table}")
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "switch-table.txt").write_text(f"{table}\n", encoding="utf-8")
    assert len(shown) >= 15
    twins = [
        (one.title, other.title)
        for number, one in enumerate(shown)
        for other in list(shown)[number + 1 :]
        if shown[one] == shown[other]
    ]
    assert twins == []
    page = (ROOT / "docs" / "world.md").read_text(encoding="utf-8")
    told = [f"| {row.switch} | {row.title} | {seen.fault} | {seen.percent} |" for row, seen in shown.items()]
    assert [line for line in told if line not in page] == []


def test_no_switch_is_left_out():
    switches = {name for name, _ in inspect.getmembers(Switches, inspect.isfunction) if not name.startswith("_")}
    assert {row.switch for row in ROWS} == switches - NOT_ROWS.keys()
