"""Finds the few lines that matter in a stream of bytes, without parsing the others and in constant memory.

The needles of the whole catalogue are sought in big blocks at once; only a line with a hit is cut out. The first lines
are all handed out, hit or not, so that the reader can say whether it knows the format of the file.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator, Iterator
from typing import Protocol

from bot.diagnosis.event import LINE_LIMIT
from bot.diagnosis.needles import Needles
from bot.diagnosis.records import dataclass

BLOCK = 256 * 1024
LOOKED_AT = 16 * 1024  # of the beginning, every line is handed out; of a small log, every line
SMALL = 64 * 1024
OVERLONG = 4 * LINE_LIMIT  # a longer line without an end is cut, and the rest of it skipped
_TAIL = 4096  # kept of what was read before, to find the entry that a continuation belongs to
_OWNER_LINES = 64


class ByteStream(Protocol):
    """Anything that can be read from front to back, into a buffer of ours; 0 means the end."""

    def readinto(self, buffer: memoryview, /) -> int: ...


@dataclass(slots=True)
class Tally:
    """What a scan went through, counted while it runs. `cut` counts lines whose end was skipped."""

    bytes: int = 0
    lines: int = 0
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A line cut out of the stream. `owner` is the entry above that a continuation line belongs to."""

    number: int
    raw: bytes
    hit: bool
    owner: bytes | None = None


def scan(stream: ByteStream, needles: Needles, tally: Tally) -> Iterator[Found]:
    """Yield the first lines all, and of the rest those with a needle; `tally` is complete at the end.

    What precedes an error of the stream is handed out before the error is raised.
    """
    window = _Window(stream, tally)
    find = needles.finder()
    while window.advance():
        places = find(window.buffer, window.start, window.stop)
        beyond = (yield from _first_lines(window, places, needles)) if tally.lines == 0 else window.start
        yield from _hits(window, places, needles, beyond)
        window.count_lines(window.stop)


def text_of(raw: bytes) -> str:
    """Return the text of a line; bytes that are not UTF-8 stay visible as escapes."""
    return raw[:LINE_LIMIT].rstrip(b"\r\n").decode("utf-8", "backslashreplace")


def is_continuation(raw: bytes) -> bool:
    """Tell whether a line continues the entry above: an arrow, alone or behind a header with time and process."""
    head = raw[:160]
    return head.lstrip().startswith(b"-->") or b"]: -->" in head


class _Window:
    """The part of a stream that is in view, in one buffer that is used again and again.

    Whole lines lie in `buffer[start:stop]`; what is below `start` was seen before, and above `stop` a line begins.
    """

    def __init__(self, stream: ByteStream, tally: Tally) -> None:
        self.buffer = bytearray(_TAIL + OVERLONG + 2 * BLOCK + 1)  # a block may end with a line that has just begun
        self.start = self.stop = 0
        self._end = 0
        self._view = memoryview(self.buffer)
        self._stream = stream
        self._tally = tally
        self._skipping = False
        self._failure: Exception | None = None
        self._ended = False
        self._counted = 0

    def advance(self) -> bool:
        """Bring the next whole lines into view, without NULs, which a crash leaves in a log. False at the end."""
        self._slide()
        while not self._ended:
            fresh = self._end
            self._fill()
            self._drop_nuls(fresh)
            if self._skipping:
                self._skip(fresh)
            if (last := self.buffer.rfind(b"\n", fresh, self._end)) >= 0:
                self.stop = last + 1
                return True
            if self._end - self.start > OVERLONG:
                self._end = self.start + LINE_LIMIT
                self._skipping = True
                self._tally.cut += 1
        return self._last_line()

    def line_end(self, place: int) -> int:
        return self.buffer.index(b"\n", place)

    def line_start(self, place: int) -> int:
        return self.buffer.rfind(b"\n", self.start, place) + 1 or self.start

    def text(self, start: int, end: int) -> bytes:
        """Return a copy of a line, as much of it as is ever looked at."""
        return bytes(self._view[start : min(end, start + LINE_LIMIT)])

    def count_lines(self, place: int) -> int:
        """Return the number of lines above `place`, which must not be smaller than it was the last time."""
        self._tally.lines += self.buffer.count(b"\n", self._counted, place)
        self._counted = place
        return self._tally.lines

    def owner(self, start: int) -> bytes | None:
        """Return the nearest line above that is no continuation, if it is near."""
        above = bytes(self._view[max(0, start - _TAIL) : start]).split(b"\n")[1:-1]
        return next((line for line in reversed(above[-_OWNER_LINES:]) if not is_continuation(line)), None)

    def _slide(self) -> None:
        """Make room: keep the line that has begun, and a little of what was seen."""
        low = max(0, self.stop - _TAIL)
        kept = self._end - low
        self._view[:kept] = self._view[low : self._end]
        self.start = self.stop = self._counted = self.stop - low
        self._end = kept

    def _fill(self) -> None:
        """Read a block, whatever small pieces it comes in."""
        full = self._end + BLOCK
        while self._end < full:
            try:
                count = self._stream.readinto(self._view[self._end : full])
            except Exception as failure:  # noqa: BLE001 - raised again, when what precedes it was handed out
                self._failure = failure
                count = 0
            if not count:
                self._ended = True
                return
            self._tally.bytes += count
            self._end += count

    def _drop_nuls(self, fresh: int) -> None:
        if self.buffer.find(0, fresh, self._end) >= 0:
            self._put(fresh, bytes(self._view[fresh : self._end]).replace(b"\0", b""))

    def _skip(self, fresh: int) -> None:
        """Drop the rest of an overlong line, but not its newline."""
        newline = self.buffer.find(b"\n", fresh, self._end)
        if newline < 0:
            self._end = fresh
            return
        self._put(fresh, bytes(self._view[newline : self._end]))
        self._skipping = False

    def _put(self, place: int, rest: bytes) -> None:
        self._end = place + len(rest)
        self._view[place : self._end] = rest

    def _last_line(self) -> bool:
        """At the end, a line needs no newline to be one."""
        if self._end > self.stop:
            self.buffer[self._end] = ord("\n")
            self._end += 1
            self.stop = self._end
            return True
        if self._failure is not None:
            raise self._failure
        return False


def _first_lines(window: _Window, places: list[int], needles: Needles) -> Generator[Found, None, int]:
    """Yield every line of the beginning, and return where the first line behind it starts."""
    owner: bytes | None = None
    start = window.start
    number = passed = 0
    enough = window.stop if window.stop - window.start <= SMALL else window.start + LOOKED_AT
    while start < enough:
        end = window.line_end(start)
        raw = window.text(start, end)
        before, passed = passed, bisect_left(places, end, passed)
        hit = passed > before and _is_hit(raw, end - start, needles)
        continues = is_continuation(raw)
        number += 1
        yield Found(number, raw, hit, owner if continues else None)
        owner = owner if continues else raw
        start = end + 1
    return start


def _hits(window: _Window, places: list[int], needles: Needles, beyond: int) -> Iterator[Found]:
    """Yield each line with a needle once, from the offset `beyond` on."""
    for place in places:
        if place < beyond:
            continue
        start, end = window.line_start(place), window.line_end(place)
        beyond = end + 1
        raw = window.text(start, end)
        if _is_hit(raw, end - start, needles):
            owner = window.owner(start) if is_continuation(raw) else None
            yield Found(window.count_lines(start) + 1, raw, hit=True, owner=owner)


def _is_hit(raw: bytes, length: int, needles: Needles) -> bool:
    """Tell whether the needle lies in the part of the line that is looked at, which nearly always is all of it."""
    return length <= LINE_LIMIT or needles.held_by(raw)
