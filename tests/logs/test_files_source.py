"""Files that something else writes: followed over rotations of every kind, restarts, and what cannot be read."""

from __future__ import annotations

import asyncio
import gzip
import os
import random
from contextlib import aclosing
from datetime import timedelta

import pytest

from bot.hostlog.line import HostKey
from bot.hostlog.roll import SourceKind
from bot.logs.files import FilesSource
from bot.logs.folder import FolderShelf
from bot.logs.packed import unpacked
from bot.logs.patience import Pauses
from bot.logs.shelf import LOST, OTHER_WAY, PAGE, Reader, UnfinishedError
from tests.logs.rotating import HOST, Rotating, Taker

SOON = timedelta(milliseconds=3)
PAUSES = Pauses(first=SOON, most=SOON, refused=SOON)
STYLES = ["esxi", "logrotate", "copytruncate"]


@pytest.fixture
def source(tmp_path):
    return FilesSource(f"{tmp_path}/{{host}}/{{log}}.log", every=SOON, settle=SOON, pauses=PAUSES)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "esx-01.example.net"


@pytest.fixture
async def taker(source):
    taker = Taker(source)
    yield taker
    await taker.stop()


async def test_begins_at_the_end_and_delivers_what_is_written_then(folder, taker, source):
    log = Rotating(folder)
    log.write(100)
    await taker.start()
    lines = log.write(3)
    await taker.until_lines(lines)
    assert taker.lines == lines
    assert taker.gaps == []
    assert source.kind is SourceKind.FILES


async def test_a_half_written_line_is_delivered_once_and_whole(folder, taker):
    log = Rotating(folder)
    log.write()
    await taker.start()
    log.write_half()
    more = Rotating(folder, "hostd")
    more.write()
    other = Taker(taker.source, log="hostd")
    await other.start()  # meanwhile the half line has been looked at
    await other.stop()
    assert taker.lines == []
    lines = [log.written[-1], *log.write()]
    await taker.until_lines(lines)
    assert taker.lines == lines


@pytest.mark.parametrize("style", STYLES)
async def test_goes_on_where_it_was_after_a_restart_and_rotations(folder, taker, style):
    log = Rotating(folder, style=style)
    log.write(5)
    await taker.start()
    begun = len(log.written)
    log.write(4)
    await taker.until_lines(log.written[begun:])
    await taker.stop()
    for _ in range(3):
        log.write(3)
        log.rotate()
    log.write(2)
    await taker.start()
    await taker.until_lines(log.written[begun:])
    assert taker.lines == log.written[begun:]
    assert taker.gaps == []


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_lost_or_twice_whatever_happens_when(folder, taker, style, seed):
    dice = random.Random(f"{style} {seed}")
    log = Rotating(folder, style=style, kept=12)
    log.write(3)
    await taker.start()
    begun = len(log.written)
    for step in range(200):
        match dice.choice(["write", "write", "half", "rotate", "break", "wait", "wait"]):
            case "write":
                log.write(dice.choice([1, 2, 30]))
            case "half":
                log.write_half()
            case "rotate":
                log.rotate()
            case "break":
                await taker.stop()
                log.write(1)
                if dice.random() < 0.5:
                    log.rotate()
                    log.write(1)
                await taker.start()
            case "wait":
                await asyncio.sleep(dice.random() * 0.003)
        if step % 10 == 9:
            log.write(1)
            await taker.until_lines(log.written[begun:])
    log.write(1)
    await taker.until_lines(log.written[begun:])
    assert taker.lines == log.written[begun:]
    assert taker.gaps == []


async def test_a_file_that_was_read_last_and_is_gone_is_a_gap(folder, taker):
    log = Rotating(folder, kept=2)
    log.write(3)
    await taker.start()
    await taker.stop()
    for _ in range(4):
        log.write(2)
        log.rotate()
    lines = log.write(2)
    await taker.start()
    await taker.until_lines(lines)
    assert (taker.lines, taker.gaps) == (lines, [LOST])


async def test_a_cursor_of_another_kind_of_source_is_a_gap_and_the_end(folder, taker):
    log = Rotating(folder)
    log.write(3)
    taker.cursor = '{"next": 17, "mark": "x"}'
    await taker.start()
    lines = log.write(2)
    await taker.until_lines(lines)
    assert (taker.lines, taker.gaps) == (lines, [OTHER_WAY])


async def test_a_file_that_comes_later_is_told_once_and_read_from_its_start(folder, taker):
    await taker.start()
    await taker.until(lambda: taker.gaps)
    lines = Rotating(folder).write(3)
    await taker.until_lines(lines)
    assert taker.lines == lines
    assert len(taker.gaps) == 1
    assert "There is no" in taker.gaps[0]


async def test_a_file_that_is_no_file_is_told_and_read_when_it_is_one(folder, taker):
    (folder / "vpxa.log").mkdir(parents=True)
    await taker.start()
    assert "is no file" in taker.gaps[0]
    (folder / "vpxa.log").rmdir()
    log = Rotating(folder)
    log.write()
    before = taker.batches
    await taker.until(lambda: taker.batches > before)
    lines = log.write(2)
    await taker.until_lines(lines)
    assert (taker.lines, len(taker.gaps)) == (lines, 1)


async def test_a_pipe_under_that_name_holds_nobody_up(folder, taker):
    folder.mkdir()
    os.mkfifo(folder / "vpxa.log")
    await taker.start()
    assert "is no file" in taker.gaps[0]


@pytest.mark.parametrize("name", ["..", "../other", "a/../../b", "a..b", "", "-rf", "a\x00b", "a/b"])
async def test_a_host_whose_name_leads_elsewhere_is_refused(source, tmp_path, name):
    (tmp_path / "vpxa.log").write_text("not yours\n")
    taker = Taker(source, host=HostKey(f"east/{name}"))
    await taker.start()
    assert "is no name of a host" in taker.gaps[0]
    await taker.stop()
    assert taker.lines == []


async def test_many_lines_come_in_bounded_pages(folder, source):
    log = Rotating(folder)
    log.write(1)
    before = Taker(source)
    await before.start()
    await before.stop()
    lines = log.write(50_000)
    taken, most = 0, 0
    async with aclosing(source.follow(HOST, "vpxa", cursor=before.cursor)) as batches, asyncio.timeout(20):
        async for batch in batches:
            taken += len(batch.lines)
            most = max(most, len(batch.lines))
            if taken >= len(lines):
                break
    assert taken == len(lines)
    assert most < 3000


async def test_a_line_without_an_end_does_not_fill_the_memory(folder, taker):
    log = Rotating(folder)
    log.write()
    await taker.start()
    with log.path.open("a") as file:
        file.write("x" * 300_000)
    await taker.until(lambda: sum(map(len, taker.lines)) > 200_000)
    assert max(map(len, taker.lines)) < 150_000


async def test_once_gives_what_was_written_lately_and_ends(folder, source):
    log = Rotating(folder)
    log.write(10)
    log.rotate()
    log.write(3)
    found = [line.text async for batch in source.once(HOST, "vpxa", since=timedelta(hours=1)) for line in batch.lines]
    assert found == log.written


async def test_once_is_bounded_and_begins_with_a_whole_line(folder, source):
    log = Rotating(folder)
    log.write(150_000)
    found = [line.text async for batch in source.once(HOST, "vpxa", since=timedelta(hours=1)) for line in batch.lines]
    assert 0 < len(found) < 150_000
    assert found == log.written[-len(found) :]


async def test_once_says_why_there_is_nothing(source):
    (batch,) = [batch async for batch in source.once(HOST, "vpxa", since=timedelta(hours=1))]
    assert "There is no" in batch.gap


class Eventful(FolderShelf):
    """A folder in which something happens just when the newer file is about to be opened."""

    event = None

    def open(self, age, start):
        if (age, start) == (0, 0) and self.event:
            event, self.event = self.event, None
            event()
        return super().open(age, start)


async def all_new(reader):
    return [line.text async for batch in reader.catch_up() for line in batch.lines]


@pytest.fixture
async def reader_at_end(folder):
    """A log with some lines, its shelf, and a reader that has them behind it."""
    log = Rotating(folder, style="logrotate")
    log.write(3)
    shelf = Eventful(log.path)
    reader = Reader(shelf, settle=SOON)
    assert await all_new(reader) == []
    return log, shelf, reader


async def test_what_a_slow_writer_adds_to_a_renamed_file_comes_before_the_new_one(reader_at_end):
    log, shelf, reader = reader_at_end
    with log.path.open("a") as file:
        log.rotate()
        new = log.write(2)

        def write_late():
            file.write("late\n")
            file.flush()

        shelf.event = write_late
        assert await all_new(reader) == ["late", *new]


async def test_a_rotation_just_before_the_newer_file_is_opened_is_noticed(reader_at_end):
    log, shelf, reader = reader_at_end
    log.rotate()
    begun = len(log.written)
    log.write(2)
    shelf.event = lambda: (log.rotate(), log.write(2))
    assert await all_new(reader) == log.written[begun:]


async def test_what_a_rotated_file_ends_with_is_a_line(reader_at_end):
    log, _, reader = reader_at_end
    with log.path.open("a") as file:
        file.write("no end")
    log.rotate()
    new = log.write(2)
    assert await all_new(reader) == ["no end", *new]


async def read_all(data, *, most=1 << 20):
    pieces = [data[at : at + 1000] for at in range(0, len(data), 1000)]

    async def pages():
        return pieces.pop(0) if pieces else b""

    read, out = unpacked(pages, "x.0.gz", most=most), b""
    while page := await read():
        out += page
    return out


async def test_packed_files_are_bounded_and_their_ends_are_looked_at():
    text = b"line\n" * 100_000
    packed = gzip.compress(text)
    assert await read_all(packed + gzip.compress(b"more\n")) == text + b"more\n"
    with pytest.raises(UnfinishedError, match="ends in the middle"):
        await read_all(packed[:-9])
    with pytest.raises(UnfinishedError, match="damaged"):
        await read_all(b"no gzip at all")
    with pytest.raises(UnfinishedError, match="more than 0 MiB"):
        await read_all(packed, most=100_000)


async def test_a_packed_file_that_is_damaged_is_a_gap_and_the_next_one_is_read(folder, taker):
    log = Rotating(folder)
    log.write(3)
    await taker.start()
    await taker.stop()
    log.write(2000)
    log.rotate()
    lines = log.write(3)
    packed = folder / "vpxa.0.gz"
    packed.write_bytes(packed.read_bytes()[:-500])
    await taker.start()
    await taker.until(lambda: taker.lines[-3:] == lines)
    assert len(taker.gaps) == 1
    assert "ends in the middle" in taker.gaps[0]
    assert len(set(taker.lines)) == len(taker.lines)


async def test_a_log_that_has_grown_for_hours_is_not_read_in_one_breath(tmp_path):
    file = tmp_path / "vpxa.log"
    file.write_bytes(b"a line that is of no interest to anybody\n" * 100_000)
    reader = Reader(FolderShelf(file), '[1, 0, 1, ""]')
    breaths = 0

    async def others():
        nonlocal breaths
        while True:
            breaths += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    async with aclosing(reader.catch_up()) as batches:
        read = sum([batch.read async for batch in batches])
    beside.cancel()
    assert read == 100_000
    assert breaths >= 4_100_000 // PAGE
