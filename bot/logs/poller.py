"""The one reader of a host log: takes its turn when elected, reads on, and stops when nobody wants the log.

It never gives up by itself: what cannot be read is told once, as a gap, and tried again at every interval. Where calls
are counted, a log that only the watch wants is looked at when it is its turn.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta

from bot.errors import OutsideError
from bot.hostlog.candidates import Keep, Sieve, Vicinity
from bot.hostlog.cursor import Cursor, mark_of
from bot.logs.budget import CallBudget
from bot.logs.journal import Denied, Elected, Journal, LogName, Place, Verdict
from bot.logs.port import HostLogReader

PAGE = 500
PAGES_AT_LEISURE = 20
"""What a log that is far behind may read at a time while others wait for their turn."""

SETTLED_AFTER = 6
"""Renewals, two leases: a log is not handed on as soon as it was got."""

_GOES_ON = frozenset({Verdict.GO_ON, Verdict.AT_LEISURE})
_ENDS = {Verdict.UNWANTED: Denied.UNWANTED, Verdict.FENCED: Denied.HELD, Verdict.YIELD: Denied.YIELDED}
ROTATED = "the log was rotated; what was written to the old file after the last look is not there any more"

log = logging.getLogger(__name__)


class UnreadableError(Exception):
    """The log could not be read this time; the text says why. Never leaves this module."""


class LogPoller:
    """Stands ready to read one log for the whole fleet. `stood` is set once it has taken a place in the log."""

    def __init__(
        self,
        name: LogName,
        *,
        reader: HostLogReader,
        journal: Journal,
        keep: Keep,
        interval: timedelta,
        renew: timedelta,
        budget: CallBudget | None = None,
    ) -> None:
        self._name = name
        self._reader = reader
        self._journal = journal
        self._keep = keep
        self._interval = interval.total_seconds()
        self._renew = renew.total_seconds()
        self._budget = budget
        self._paid = False  # the next call of this look is accounted for already
        self._looked_at = 0.0
        self._settled_at = 0.0
        self._news = asyncio.Event()
        self.stood = asyncio.Event()

    def somebody_came(self) -> None:
        """See now whether somebody is in a hurry."""
        self._news.set()

    async def run(self) -> None:
        """Serve until nobody in the fleet wants this log."""
        while True:
            try:
                match await self._stand_for_election():
                    case Denied.UNWANTED:
                        return
                    case Denied.YIELDED:
                        await asyncio.sleep(2 * self._interval)  # the other stands for election in between
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
        place, epoch = elected.place, elected.epoch
        self._settled_at = asyncio.get_running_loop().time() + SETTLED_AFTER * self._renew
        verdict = await self._turn(place, epoch, await self._first_verdict(place, epoch))
        while verdict in _GOES_ON:
            place, verdict = await self._look(place, epoch, verdict)
            if verdict in _GOES_ON:
                self.stood.set()
                await asyncio.sleep(self._interval)
                verdict = await self._turn(place, epoch, verdict)
        return _ENDS[verdict]

    async def _first_verdict(self, place: Place, epoch: str) -> Verdict:
        """Whether anybody is in a hurry; where nothing is counted that does not matter."""
        return Verdict.GO_ON if self._budget is None else await self._journal.deliver(self._name, epoch, place)

    async def _turn(self, place: Place, epoch: str, verdict: Verdict) -> Verdict:
        """Wait until the budget has a call for us; who is in a hurry waits for nothing."""
        if self._budget is None:
            return verdict
        clock = asyncio.get_running_loop().time
        ticket, ask_at = 0, clock()
        while verdict is Verdict.AT_LEISURE:
            if clock() >= ask_at:
                wait, ticket = await self._budget.turn(ticket)
                if not wait:
                    self._paid = True
                    return verdict
                ask_at = clock() + wait.total_seconds()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(ask_at - clock(), self._renew)):
                    await self._news.wait()
            self._news.clear()
            verdict = await self._journal.deliver(self._name, epoch, place)
        return verdict

    async def _pay(self, *, hurry: bool) -> None:
        """Account for a call that is about to be made."""
        if self._budget is None or self._paid:
            self._paid = False
        elif hurry:
            await self._budget.hurry()
        else:
            wait = await self._budget.more()
            while wait:
                await asyncio.sleep(min(wait.total_seconds(), self._renew))
                wait = await self._budget.more()

    async def _look(self, place: Place, epoch: str, verdict: Verdict) -> tuple[Place, Verdict]:
        """Read all there is now, page by page, each delivered before the next; a part of it if others wait."""
        every = self._since_the_last_look()
        hurry = verdict is Verdict.GO_ON
        try:
            if place.cursor is None:
                place = replace(await self._seek_end(hurry=hurry), blind="")
                return place, await self._journal.deliver(self._name, epoch, place)
            for page in itertools.count(1):
                place, more, verdict = await self._take_page(place, epoch, hurry=hurry, every=every)
                if not more or verdict not in _GOES_ON or (page >= PAGES_AT_LEISURE and not hurry):
                    break
        except UnreadableError as error:
            return await self._tell_blindness(place, epoch, str(error))
        return place, verdict

    def _since_the_last_look(self) -> timedelta:
        now = asyncio.get_running_loop().time()
        before, self._looked_at = self._looked_at or now, now
        return timedelta(seconds=now - before)

    async def _seek_end(self, *, hurry: bool) -> Place:
        """Take a place at the end: only what is written from now on is of interest."""
        last = await self._ask_last_line(hurry=hurry)
        if last < 1:
            return Place(Cursor(), Vicinity())
        _, lines = await self._ask_lines(last, 1, hurry=hurry)
        return Place(Cursor(last + 1, mark_of(lines[0]) if lines and lines[0] else None), Vicinity())

    async def _take_page(
        self, place: Place, epoch: str, *, hurry: bool, every: timedelta
    ) -> tuple[Place, bool, Verdict]:
        cursor = place.cursor or Cursor()
        last, lines = await self._ask_lines(cursor.start, PAGE, hurry=hurry)
        taken = cursor.take(lines, last=last)
        sieve = Sieve(self._keep, Vicinity() if taken.rotated else place.vicinity)
        kept = sieve.take(taken.lines)
        place = Place(taken.cursor, sieve.vicinity)
        gap = ROTATED if taken.rotated else ""
        settled = asyncio.get_running_loop().time() > self._settled_at
        verdict = await self._journal.deliver(
            self._name, epoch, place, lines=kept, gap=gap, every=every, may_yield=settled
        )
        return place, taken.more, verdict

    async def _tell_blindness(self, place: Place, epoch: str, reason: str) -> tuple[Place, Verdict]:
        """Tell one gap for the whole time, whatever else goes wrong meanwhile; who comes later hears the latest."""
        news = "" if place.blind else reason
        place = replace(place, blind=reason)
        return place, await self._journal.deliver(self._name, epoch, place, gap=news)

    async def _ask_last_line(self, *, hurry: bool) -> int:
        await self._pay(hurry=hurry)
        try:
            return await self._reader.last_line(self._name.host_name, self._name.log)
        except OutsideError as error:
            raise UnreadableError(str(error)) from error

    async def _ask_lines(self, start: int, count: int, *, hurry: bool) -> tuple[int, list[str]]:
        await self._pay(hurry=hurry)
        try:
            last, lines = await self._reader.read(self._name.host_name, self._name.log, start=start, lines=count)
        except OutsideError as error:
            raise UnreadableError(str(error)) from error
        return last, list(lines)
