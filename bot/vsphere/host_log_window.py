"""The lines of one log that were written in a span of time: found by bisection, read page by page, within bounds.

A log may have hundreds of thousands of lines and vCenter hands out at most a page of them, each from the host anew. So
the first line of the window is sought by its number, and only candidates with their neighbours are kept. Nothing here
knows how a page is fetched or what a line's header looks like: both are given.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot.errors import OutsideError
from bot.hostlog.candidates import Keep, Sieve
from bot.hostlog.cursor import Cursor, Line

Browse = Callable[[int, int], Awaitable[tuple[int, Sequence[str]]]]
"""Lines from a number on, at most so many, and the number of the last line there is."""

TimeOf = Callable[[str], datetime | None]

BEYOND_THE_END: Final = 2**31 - 1
PAGE: Final = 500
PROBE: Final = 20
"""Lines looked at to learn the time at one place: entries of many lines have their time in the first alone."""

CLOSE: Final = PAGE // 2
"""From this distance on reading is cheaper than searching."""

ROTATED: Final = "the log was rotated while it was read: what the old file got last is missing"


@dataclass(frozen=True, slots=True)
class Window:
    """From `since` to `until`, by the clock of whoever writes the log. Open at the end: to the last line there is."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one log may cost. `within` is the longest that one call may take."""

    calls: int = 160
    lines: int = 60_000
    bytes: int = 24_000_000
    kept: int = 5_000
    within: float = 25.0


@dataclass(slots=True)
class WindowRead:
    """What came of it. `missing` says, a sentence each, what of the window was not read and why.

    `broken`: the source failed on the way; what had been read by then is here all the same.
    """

    lines: list[Line] = field(default_factory=list)
    read: int = 0
    calls: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)
    broken: OutsideError | None = None


class _OutOfCallsError(Exception):
    """The bound of calls is reached. Never leaves this module."""


class _RotatedError(Exception):
    """The file is another one than a moment ago. Never leaves this module."""


async def read_window(
    browse: Browse, window: Window, *, time_of: TimeOf, keep: Keep, bounds: Bounds | None = None
) -> WindowRead:
    """Read the window. Failures of the source are part of the answer, never raised."""
    reader = _WindowReader(browse, window, time_of, keep, bounds or Bounds())
    try:
        await reader.run()
    except _OutOfCallsError:
        reader.found.missing.append(f"it was not read to its end: {reader.bounds.calls} calls are the most for one log")
    except OutsideError as error:
        reader.found.broken = error
    except TimeoutError:
        seconds = reader.bounds.within
        reader.found.broken = OutsideError(f"it did not answer within {seconds:.0f} s", transient=True)
    return reader.found


@dataclass(slots=True)
class _WindowReader:
    browse: Browse
    window: Window
    time_of: TimeOf
    keep: Keep
    bounds: Bounds
    found: WindowRead = field(default_factory=WindowRead)
    last: int = 0
    begun: bool = False
    """A line of the window was met: from then on an earlier time is a clock that jumped, and belongs to it."""
    inside: bool = False
    """The latest line that told a time is of the window, and so are those after it that tell none."""

    async def run(self) -> None:
        try:
            first, end = await self._limits()
        except _RotatedError:
            self.found.missing.append(ROTATED)
            await self._ask(BEYOND_THE_END, 0, rotating=True)
            first, end = 1, self.last
        await self._read_on(self._affordable(first, min(end, self.last)))

    # ---- where the window begins and ends

    async def _limits(self) -> tuple[int, int]:
        """The numbers of a line shortly before the window's first one, and of one shortly after its last."""
        await self._ask(BEYOND_THE_END, 0)
        if self.last < 1:
            return 1, 0
        first = await self._seek(self.window.since, 1)
        if first == 1:
            await self._tell_lost_beginning()
        if self.window.until is None:
            return first, self.last
        return first, await self._seek(self.window.until, first) + PAGE

    async def _seek(self, moment: datetime, low: int) -> int:
        """A number not after the first line of `moment` or later, and close to it. Lines are taken to be in order."""
        high = self.last + 1
        while high - low > CLOSE:
            middle = (low + high) // 2
            place, when = await self._time_at(middle, high)
            if when is None or when >= moment:
                high = middle
            else:
                low = place
        return low

    async def _time_at(self, number: int, high: int) -> tuple[int, datetime | None]:
        """The first line from `number` on that tells its time, and that time; None when none does before `high`."""
        for count in (PROBE, PAGE):
            for offset, text in enumerate(await self._ask(number, count)):
                if number + offset >= high:
                    return high, None
                if (when := self.time_of(text)) is not None:
                    return number + offset, when
        return high, None

    async def _tell_lost_beginning(self) -> None:
        _, when = await self._time_at(1, self.last + 1)
        if when is None:
            self.begun = self.inside = True
            self.found.missing.append("its lines tell no time that can be read, so all of them were taken")
        elif when > self.window.since:
            self.found.missing.append(
                f"it begins at {when:%Y-%m-%d %H:%M:%S} UTC; what was before is not there any more"
            )

    def _affordable(self, first: int, end: int) -> int:
        """Where to begin so that the window's end is reached: a failure is near the end of what was asked for."""
        most = min(self.bounds.lines, (self.bounds.calls - self.found.calls) * (PAGE - 1))
        if end - first + 1 <= most:
            return first
        skipped = end - first + 1 - most
        self.found.missing.append(f"the first {skipped} lines of that time were left out: there are too many")
        return first + skipped

    # ---- reading it

    async def _read_on(self, first: int) -> None:
        cursor, sieve, more = Cursor(first), Sieve(self.keep), True
        while more:
            texts = await self._ask(cursor.start, PAGE, rotating=True)
            taken = cursor.take(texts, last=self.last)
            if taken.rotated:
                self.found.missing.append(ROTATED)
                sieve = Sieve(self.keep)
            wanted, past = self._within(taken.lines)
            self._take(sieve.take(wanted), read=len(wanted))
            cursor, more = taken.cursor, taken.more and not past and not self._full()

    def _within(self, lines: Sequence[Line]) -> tuple[list[Line], bool]:
        """The lines of the window, and whether it is over. A line without a time goes with those before it.

        Over only when a whole page lies behind it: the lines of one moment are not always in order.
        """
        wanted: list[Line] = []
        timed = past = 0
        for line in lines:
            if (when := self.time_of(line.text)) is not None:
                timed += 1
                late = self.window.until is not None and when > self.window.until
                past += late
                self.inside = not late and (self.begun or when >= self.window.since)
                self.begun = self.begun or self.inside
            if self.inside:
                wanted.append(line)
        return wanted, bool(timed) and past == timed

    def _take(self, lines: Sequence[Line], *, read: int) -> None:
        room = self.bounds.kept - len(self.found.lines)
        self.found.read += read
        self.found.lines.extend(lines[:room])
        if len(lines) > room:
            most = self.bounds.kept
            self.found.missing.append(f"more than {most} lines may matter; those after them are left out")

    def _full(self) -> bool:
        if len(self.found.lines) >= self.bounds.kept:
            return True
        if self.found.bytes < self.bounds.bytes:
            return False
        megabytes = self.bounds.bytes // 1_000_000
        self.found.missing.append(f"it was not read to its end: {megabytes} MB are the most for one log")
        return True

    async def _ask(self, start: int, count: int, *, rotating: bool = False) -> Sequence[str]:
        if self.found.calls >= self.bounds.calls:
            raise _OutOfCallsError
        self.found.calls += 1
        async with asyncio.timeout(self.bounds.within):
            last, texts = await self.browse(start, count)
        self.found.bytes += sum(map(len, texts))
        if last < self.last and not rotating:
            raise _RotatedError
        self.last = last
        return texts
