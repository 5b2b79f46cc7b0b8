"""Which lines a new one is read together with, and how much is remembered at most."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.hostlog.line import Gap, HostKey, LogLine
from bot.hostlog.roll import SourceKind
from bot.logs.port import Watched
from bot.operations import watch_memory
from bot.operations.watch_memory import NEAR, SPAN, WatchMemory

START = datetime(2026, 11, 23, 1, 40, tzinfo=UTC)


def entry(host: str, *texts: str, after: timedelta = timedelta(0), log: str = "vpxa") -> Watched:
    key, at = HostKey(f"east/{host}"), START + after
    lines = [LogLine(key, log, number, text, at) for number, text in enumerate(texts, 1)]
    return Watched("1-0", key, log, SourceKind.SYSLOG, at, lines)


def read(memory: WatchMemory, *entries: Watched) -> list[tuple[str | None, str]]:
    return [(line.host, line.text) for line in memory.take(entries)]


def test_a_line_comes_with_all_of_its_operation_wherever_that_was_written():
    memory = WatchMemory()
    read(memory, entry("esx-01", "[opID=C65743A5-0000024D-5c] send failed", "[opID=other-01] fine"))
    late = entry("esx-02", "[opID=c65743a5-0000024d-77] peer closed", after=NEAR * 2)
    assert read(memory, late) == [
        ("esx-01", "[opID=C65743A5-0000024D-5c] send failed"),
        ("esx-02", "[opID=c65743a5-0000024d-77] peer closed"),
    ]


def test_a_line_without_operation_comes_with_what_its_host_wrote_just_before():
    memory = WatchMemory()
    read(memory, entry("esx-01", "long ago"), entry("esx-02", "elsewhere"))
    read(memory, entry("esx-01", "just before", after=NEAR))
    found = read(memory, entry("esx-01", "now", after=NEAR + timedelta(seconds=5)))
    assert found == [("esx-01", "just before"), ("esx-01", "now")]


def test_housekeeping_loops_join_nothing():
    memory = WatchMemory()
    read(memory, entry("esx-01", "[opID=WFU-1a2b3c4d] one"))
    assert read(memory, entry("esx-02", "[opID=WFU-1a2b3c4d] other")) == [("esx-02", "[opID=WFU-1a2b3c4d] other")]


def test_what_comes_twice_is_one_line_until_it_is_forgotten():
    memory = WatchMemory()
    assert read(memory, entry("esx-01", "said"), entry("esx-01", "said")) == [("esx-01", "said")]
    assert read(memory, entry("esx-01", "said", after=timedelta(seconds=1))) == []
    assert read(memory, entry("esx-01", "said", log="hostd")) != []
    read(memory, entry("esx-02", "time goes by", after=SPAN * 2))
    assert read(memory, entry("esx-01", "said", after=SPAN * 2)) == [("esx-01", "said")]


def test_gaps_are_no_lines():
    gap = Gap(HostKey("east/esx-01"), "vpxa", "rotated", START)
    told = Watched("1-0", gap.host, "vpxa", SourceKind.API, START, [gap])
    assert WatchMemory().take([told]) == []


def test_one_host_cannot_push_out_the_others():
    memory = WatchMemory()
    read(memory, entry("esx-02", "quiet"))
    for number in range(30):
        read(memory, entry("esx-01", *(f"noise {number} {line}" for line in range(100))))
    remembered = memory.everything()
    assert ("esx-02", "quiet") in [(line.host, line.text) for line in remembered]
    assert len(remembered) == watch_memory.MOST_OF_A_HOST + 1
    assert remembered[-1].text == "noise 29 99"


def test_a_host_that_names_another_operation_in_each_line_is_remembered_within_bounds(monkeypatch):
    monkeypatch.setattr(watch_memory, "MOST_OPERATIONS", 10)
    memory = WatchMemory()
    for number in range(100):
        read(memory, entry("esx-01", f"[opID=C65743A5-{number:08X}] said"))
    assert len(memory._operations) == 10
    assert read(memory, entry("esx-02", "[opID=C65743A5-00000063-5c] too"))[0][0] == "esx-01"
