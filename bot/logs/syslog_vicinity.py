"""One host's lines as they come: counted, remembered for a while, and looked at closely only near a candidate. Pure.

Nearly all lines are counted in bulk and never parsed. Where a needle was found, the lines around it are taken apart, so
that a candidate goes on with two lines before and three after it of its own log, as every other source gives them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from bot.hostlog.candidates import LINES_BEFORE, Sieve, Vicinity
from bot.hostlog.cursor import Line
from bot.logs.syslog_header import Header, log_of, own_text, read_header

REMEMBERED: Final = 16 * 1024
"""Bytes of each host in which the lines before a candidate are sought: some eighty lines of all its programs."""

IsCandidate = Callable[[str], bool]
Found = list[tuple[str, list[Line]]]


class Stream:
    """The lines of one host in the order they came, whatever brought them."""

    __slots__ = (
        "_awaited",
        "_candidates",
        "_is_candidate",
        "_log",
        "_logs",
        "_recent",
        "_size",
        "_told",
        "candidates",
        "lines",
    )

    def __init__(self, logs: Collection[str], is_candidate: IsCandidate) -> None:
        self._logs = logs
        self._is_candidate = is_candidate
        self._recent: deque[tuple[bytes, int]] = deque()
        self._size = 0
        self._awaited: dict[str, Sieve] = {}
        self._told: dict[str, int] = {}
        self._candidates: set[str] = set()
        self._log = ""  # of the last line that was looked at; lines without a header continue it
        self.lines = self.candidates = 0

    def take(self, block: bytes, lines: int, places: Sequence[int] = ()) -> Found:
        """Take so many whole lines, with the offsets of needles in them; return what is to be delivered, by log."""
        first = self.lines + 1
        self.lines += lines
        found = self._look_at(block, places, first) if places or self._awaited else []
        if len(block) > REMEMBERED:
            block, first = _end_of(block, first)
        self._recent.append((block, first))
        self._size += len(block)
        while self._size > REMEMBERED:
            self._size -= len(self._recent.popleft()[0])
        return found

    def newest(self) -> Header | None:
        """The header of the newest line, if it has one."""
        if not self._recent:
            return None
        block = self._recent[-1][0]
        return read_header(block[block.rfind(b"\n", 0, -1) + 1 :])

    def _look_at(self, block: bytes, places: Sequence[int], first: int) -> Found:
        kept: dict[str, list[Line]] = {}
        self._candidates.clear()
        for log, line, may_be in self._lines(block, places, first):
            if may_be and self._is_candidate(line.text):
                self._candidates.add(line.text)
                self.candidates += 1
            elif log not in self._awaited:
                continue
            if (sieve := self._awaited.get(log)) is None:
                before = self._before(log, block, line.number, first)
                sieve = self._awaited[log] = Sieve(self._candidates.__contains__, before)
            if delivered := sieve.take([line]):
                kept.setdefault(log, []).extend(delivered)
                self._told[log] = line.number
        for log in [log for log, sieve in self._awaited.items() if sieve.vicinity.after == 0]:
            del self._awaited[log]  # its lines go by in bulk again
        return list(kept.items())

    def _lines(self, block: bytes, places: Sequence[int], first: int) -> Iterator[tuple[str, Line, bool]]:
        """The lines of watched logs, and whether a needle lies in them."""
        start = 0
        for number, raw in enumerate(block.split(b"\n")[:-1], start=first):
            end = start + len(raw)
            held = bisect_left(places, start) < bisect_left(places, end)
            start = end + 1
            header = read_header(raw)
            if header is not None:
                self._log = log_of(header.program)
            if self._log in self._logs and (header is not None or raw):
                yield self._log, Line(number, own_text(raw, header)), held

    def _before(self, log: str, block: bytes, number: int, first: int) -> Vicinity:
        """The last lines of this log that came before and were not delivered."""
        told, current = self._told.get(log, 0), self._log
        earlier = [*self._recent, (block, first)]
        lines: deque[Line] = deque(maxlen=LINES_BEFORE)
        self._log = ""
        for part, at in earlier:
            for other, line, _ in self._lines(part, (), at):
                if other == log and told < line.number < number:
                    lines.append(line)
        self._log = current
        return Vicinity(tuple(lines), 0)


def _end_of(block: bytes, first: int) -> tuple[bytes, int]:
    """As many of the last lines as are remembered, and the number of the first of them."""
    start = block.find(b"\n", len(block) - REMEMBERED - 1) + 1
    return block[start:], first + block.count(b"\n", 0, start)
