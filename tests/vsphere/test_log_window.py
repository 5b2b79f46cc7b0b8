"""The lines of a span of time, out of logs on the wire: found in few calls, whole, and honest about what is missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import OutsideError
from bot.hostlog.cursor import Line
from bot.operations.on_call_reading import time_reader
from bot.vsphere.host_log_window import ROTATED, Bounds, Window, read_window

HOST = "esx-site1-01.example.net"
BEGUN = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
STEP = timedelta(milliseconds=250)
BIG = 200_000


def line(number: int, text: str = "ordinary work") -> str:
    moment = (BEGUN + number * STEP).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{moment} In(166) Hostd[2099142]: [Originator@6876 sub=Vimsvc] {text} {number}"


def at(number: int) -> datetime:
    return BEGUN + number * STEP


def needle(text: str) -> bool:
    return "NFC" in text


def everything(_text: str) -> bool:
    return True


@pytest.fixture
def world_text(world_text):
    return world_text.replace("[play]\n", '[play]\nlog_lines = 1000000\nlog_size = "1 GiB"\n', 1)


@pytest.fixture
def logs(player):
    return player.estate.machine(player.estate.host(HOST)).logs


@pytest.fixture
def write(logs):
    """Replace a log by these lines."""

    def fill(lines: list[str], log: str = "hostd") -> None:
        logs.settle()
        logs._current[log] = list(lines)

    return fill


@pytest.fixture
def browse(played):
    async def ask(start: int, lines: int, log: str = "hostd"):
        return await played.browse(HOST, log, start=start, lines=lines)

    return ask


async def test_in_a_log_of_200_000_lines_a_minute_is_found_in_few_calls(write, browse, player):
    lines = [line(number) for number in range(BIG)]
    lines[150_100] = line(150_100, "NFC session died")
    write(lines)
    window = Window(at(150_000), at(150_240))
    before = player.calls.get("BrowseDiagnosticLog", 0)
    found = await read_window(browse, window, time_of=time_reader(), keep=needle)
    assert player.calls["BrowseDiagnosticLog"] - before == found.calls <= 30
    assert [kept.number for kept in found.lines] == [150_099, 150_100, 150_101, 150_102, 150_103, 150_104]
    assert found.read == 241
    assert found.missing == []
    assert found.broken is None


async def test_every_line_of_the_window_is_read_once_and_in_order(write, browse):
    write([line(number) for number in range(5_000)])
    found = await read_window(browse, Window(at(1_234), at(3_456)), time_of=time_reader(), keep=everything)
    assert [kept.number for kept in found.lines] == list(range(1_235, 3_458))  # lines are counted from 1


async def test_up_to_now_means_to_the_last_line(write, browse):
    write([line(number) for number in range(3_000)])
    found = await read_window(browse, Window(at(2_900)), time_of=time_reader(), keep=everything)
    assert [kept.number for kept in found.lines] == list(range(2_901, 3_001))


async def test_lines_without_a_time_go_with_the_entry_they_belong_to(write, browse):
    lines = []
    for number in range(4_000):
        lines += [line(number), "--> (vim.fault.Something) {", "-->    msg = <unset>", "--> }"]
    write(lines)
    found = await read_window(browse, Window(at(2_000), at(2_010)), time_of=time_reader(), keep=everything)
    assert (found.lines[0], found.lines[-1].text) == (Line(8_001, line(2_000)), "--> }")
    assert found.read == 44


async def test_a_log_that_begins_too_late_says_so(write, browse):
    write([line(number) for number in range(100, 1_000)])
    found = await read_window(browse, Window(at(0)), time_of=time_reader(), keep=everything)
    assert found.read == 900
    assert found.missing == ["it begins at 2026-11-22 00:00:25 UTC; what was before is not there any more"]


async def test_an_empty_log_and_a_window_that_holds_nothing_cost_little(write, browse):
    write([])
    assert (await read_window(browse, Window(at(0)), time_of=time_reader(), keep=everything)).calls <= 3
    write([line(number) for number in range(50_000)])
    later = await read_window(browse, Window(at(60_000)), time_of=time_reader(), keep=everything)
    assert (later.read, later.missing) == (0, [])
    assert later.calls <= 20


async def test_a_log_whose_lines_tell_no_time_is_read_from_its_end(write, browse):
    write([f"something happened {number}" for number in range(3_000)])
    found = await read_window(
        browse, Window(at(0)), time_of=time_reader(), keep=everything, bounds=Bounds(lines=1_000, kept=10_000)
    )
    assert [found.lines[0].number, found.lines[-1].number] == [2_001, 3_000]
    assert any("no time" in why for why in found.missing)
    assert any("first 2000 lines" in why for why in found.missing)


async def test_of_a_window_that_is_too_large_its_end_is_read(write, browse):
    write([line(number) for number in range(20_000)])
    bounds = Bounds(calls=20, kept=100_000)
    found = await read_window(browse, Window(at(0)), time_of=time_reader(), keep=everything, bounds=bounds)
    assert found.calls <= 20
    assert found.lines[-1].number == 20_000
    assert any("left out: there are too many" in why for why in found.missing)


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        (Bounds(bytes=100_000), "0 MB are the most"),
        (Bounds(kept=50), "more than 50 lines may matter"),
    ],
)
async def test_a_bound_that_cuts_is_told(write, browse, bounds, said):
    write([line(number) for number in range(3_000)])
    found = await read_window(browse, Window(at(0)), time_of=time_reader(), keep=everything, bounds=bounds)
    assert any(said in why for why in found.missing), found.missing


async def test_a_log_that_rotates_while_it_is_read_is_read_on_and_the_gap_is_told(write, browse, logs):
    write([line(number) for number in range(3_000)])
    pages = 0

    async def rotating(start: int, lines: int):
        nonlocal pages
        if lines == 500:
            pages += 1
        if pages == 3:
            pages += 1
            write([line(number) for number in range(3_000, 3_100)])
        return await browse(start, lines)

    found = await read_window(rotating, Window(at(0)), time_of=time_reader(), keep=everything)
    assert ROTATED in found.missing
    assert found.lines[-1].text == line(3_099)
    assert len({kept.text for kept in found.lines}) == len(found.lines)


async def test_a_log_that_rotates_while_the_place_is_sought_is_sought_again(write, browse):
    write([line(number) for number in range(50_000)])
    calls = 0

    async def rotating(start: int, lines: int):
        nonlocal calls
        calls += 1
        if calls == 5:
            write([line(number) for number in range(50_000, 50_200)])
        return await browse(start, lines)

    found = await read_window(rotating, Window(at(49_000)), time_of=time_reader(), keep=everything)
    assert ROTATED in found.missing
    assert found.read == 200


async def test_what_was_read_before_the_host_went_away_is_kept(write, browse, player):
    write([line(number) for number in range(3_000)])
    pages = 0

    async def breaking(start: int, lines: int):
        nonlocal pages
        pages += lines == 500
        if pages == 4:
            player.set_host(HOST, connected=False)
        return await browse(start, lines)

    found = await read_window(breaking, Window(at(0)), time_of=time_reader(), keep=everything)
    assert found.read >= 400
    assert isinstance(found.broken, OutsideError)


async def test_a_silent_host_costs_no_more_than_its_time(player_peer, player, write):
    write([line(number) for number in range(100)])
    machine = player_peer.connect(look_within=timedelta(seconds=0.5))
    player.switches.set_agent(HOST, answers_after=timedelta(seconds=30))
    found = await read_window(
        lambda start, lines: machine.browse(HOST, "hostd", start=start, lines=lines),
        Window(at(0)),
        time_of=time_reader(),
        keep=everything,
    )
    assert found.calls == 1
    assert "no reply came in time" in str(found.broken)
    assert await machine.look_at_clock()  # vCenter itself is as quick as ever
    player.switches.set_agent(HOST, answers_after=timedelta(0))


async def test_vcenters_own_log_is_read_by_an_empty_name(played):
    last, lines = await played.browse("", "vpxd", start=1, lines=500)
    assert last == len(lines) > 0


async def test_the_missing_privilege_is_named(player_peer):
    viewer = player_peer.connect(user="viewer@vsphere.local")
    found = await read_window(
        lambda start, lines: viewer.browse(HOST, "hostd", start=start, lines=lines),
        Window(at(0)),
        time_of=time_reader(),
        keep=everything,
    )
    assert "Global.Diagnostics" in str(found.broken)
