"""The one reader of a host log: takes its turn when elected, reads on, and stops when nobody wants the log.

It never gives up by itself: what cannot be read is told once, as a gap, and tried again at every interval.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta

from bot.errors import OutsideError
from bot.hostlog.candidates import Keep, Sieve, Vicinity
from bot.hostlog.cursor import Cursor, mark_of
from bot.logs.journal import Denied, Elected, Journal, LogName, Place, Verdict
from bot.logs.port import HostLogReader

PAGE = 500
ROTATED = "the log was rotated; what was written to the old file after the last look is not there any more"

log = logging.getLogger(__name__)


class UnreadableError(Exception):
    """The log could not be read this time; the text says why. Never leaves this module."""


class LogPoller:
    """Stands ready to read one log for the whole fleet. `stood` is set once it has taken a place in the log."""

    def __init__(
        self, name: LogName, *, reader: HostLogReader, journal: Journal, keep: Keep, interval: timedelta
    ) -> None:
        self._name = name
        self._reader = reader
        self._journal = journal
        self._keep = keep
        self._interval = interval.total_seconds()
        self.stood = asyncio.Event()

    async def run(self) -> None:
        """Serve until nobody in the fleet wants this log."""
        while True:
            try:
                if await self._stand_for_election() is Denied.UNWANTED:
                    return
            except OutsideError as error:  # Redis: whatever was read and not written will be read again
                log.warning("the log feed of %s cannot be kept: %s", self._name, error)
            await asyncio.sleep(self._interval)

    async def _stand_for_election(self) -> Denied:
        outcome = await self._journal.elect(self._name)
        if not isinstance(outcome, Elected):
            return outcome
        async with self._released_at_the_end(outcome.epoch):
            return await self._read_on(outcome)

    @asynccontextmanager
    async def _released_at_the_end(self, epoch: str) -> AsyncIterator[None]:
        try:
            yield
        finally:
            with suppress(OutsideError):
                await self._journal.release(self._name, epoch)

    async def _read_on(self, elected: Elected) -> Denied:
        place = elected.place
        while True:
            place, verdict = await self._look(place, elected.epoch)
            match verdict:
                case Verdict.FENCED:
                    return Denied.HELD
                case Verdict.UNWANTED:
                    return Denied.UNWANTED
            self.stood.set()
            await asyncio.sleep(self._interval)

    async def _look(self, place: Place, epoch: str) -> tuple[Place, Verdict]:
        """Read all there is now, page by page, each delivered before the next."""
        try:
            if place.cursor is None:
                place = replace(await self._seek_end(), blind="")
                return place, await self._journal.deliver(self._name, epoch, place)
            more, verdict = True, Verdict.GO_ON
            while more and verdict is Verdict.GO_ON:
                place, more, verdict = await self._take_page(place, epoch)
        except UnreadableError as error:
            return await self._tell_blindness(place, epoch, str(error))
        return place, verdict

    async def _seek_end(self) -> Place:
        """Take a place at the end: only what is written from now on is of interest."""
        last = await self._ask_last_line()
        if last < 1:
            return Place(Cursor(), Vicinity())
        _, lines = await self._ask_lines(last, 1)
        return Place(Cursor(last + 1, mark_of(lines[0]) if lines and lines[0] else None), Vicinity())

    async def _take_page(self, place: Place, epoch: str) -> tuple[Place, bool, Verdict]:
        cursor = place.cursor or Cursor()
        last, lines = await self._ask_lines(cursor.start, PAGE)
        taken = cursor.take(lines, last=last)
        sieve = Sieve(self._keep, Vicinity() if taken.rotated else place.vicinity)
        kept = sieve.take(taken.lines)
        place = Place(taken.cursor, sieve.vicinity)
        gap = ROTATED if taken.rotated else ""
        return place, taken.more, await self._journal.deliver(self._name, epoch, place, lines=kept, gap=gap)

    async def _tell_blindness(self, place: Place, epoch: str, reason: str) -> tuple[Place, Verdict]:
        """Tell one gap for the whole time, whatever else goes wrong meanwhile; who comes later hears the latest."""
        news = "" if place.blind else reason
        place = replace(place, blind=reason)
        return place, await self._journal.deliver(self._name, epoch, place, gap=news)

    async def _ask_last_line(self) -> int:
        try:
            return await self._reader.last_line(self._name.host_name, self._name.log)
        except OutsideError as error:
            raise UnreadableError(str(error)) from error

    async def _ask_lines(self, start: int, count: int) -> tuple[int, list[str]]:
        try:
            last, lines = await self._reader.read(self._name.host_name, self._name.log, start=start, lines=count)
        except OutsideError as error:
            raise UnreadableError(str(error)) from error
        return last, list(lines)
