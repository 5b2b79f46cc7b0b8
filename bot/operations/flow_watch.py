"""Watch how a copy comes on, beside following it: the stall clock of its card, and looks at its connections when it
slows down. Whatever takes long here delays neither the following nor a cancel.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bot.errors import BugError
from bot.jobs.port import Claim
from bot.migration.eta import in_words
from bot.migration.measured import PathMeasurement, When
from bot.migration.plan import Plan
from bot.operations.cards import job_card
from bot.operations.copy_pace import CopyPace
from bot.operations.flow_words import worth_saying
from bot.operations.link_notes import note_measured
from bot.operations.measure import look_at_flow, probes_of
from bot.operations.measure_looks import Looks, Probes
from bot.operations.record import measured_of, with_copied, with_measured
from bot.operations.tools import WorkerTools
from bot.operations.watch_logs import LogWatch

TICKS: Final = 4
"""Times that the clock is looked at within the shortest stall."""

PATIENCE: Final = timedelta(seconds=30)
"""For the counters of all uplinks of both hosts."""

LOOKS_AT_ZERO: Final = 2
"""A large VM is at 0 % for minutes although all is well."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class FlowWatch:
    """Runs until it is cancelled. LostLeaseError, and UnreachableError of Redis, end it; the world does not."""

    tools: WorkerTools
    claim: Claim
    plan: Plan
    logs: LogWatch
    pace: CopyPace
    shown: str = ""
    said: set[str] = field(default_factory=set)
    looked: float = float("-inf")
    at_zero: int = 0

    async def run(self) -> None:
        """Look at the clock, and at the connections when they are worth it."""
        await self._unless_unreadable(self._count_cards())
        while True:
            await asyncio.sleep(self.tools.still_after.total_seconds() / TICKS)
            now = await self.tools.queue.now()
            await self._show(now)
            if self._is_worth_a_look(now):
                await self._unless_unreadable(self._look(now))

    async def _unless_unreadable(self, doing: Awaitable[None]) -> None:
        """A copy that goes well is not ended by looks that another version kept in another form."""
        try:
            await doing
        except BugError as error:
            log.warning("The flow of %s is not looked at: %s", self.claim.job.id, error)

    async def _show(self, now: datetime) -> None:
        """Only what a person would see: no write for each tick of a clock that nobody reads."""
        stalled, stand = self.pace.stalled(now), self.pace.stand(now)
        shown = in_words(stalled) if stalled else "slow" if stand.slow else ""
        if shown != self.shown:
            self.shown = shown
            await self.claim.note(with_copied(self.pace.copied(now, nfc_errors=self.logs.nfc_errors)))
            await self.tools.outbox.show(job_card(self.claim.job))

    def _is_worth_a_look(self, now: datetime) -> bool:
        clock = asyncio.get_running_loop().time()
        if clock - self.looked < self.tools.look_at_flow_every.total_seconds() or not any(self._probes):
            return False
        stand = self.pace.stand(now)
        if self.pace.stalled(now) or stand.slow:
            return True
        waits_at_zero = self.pace.pace.percent == 0 and stand.still >= self.pace.least
        self.at_zero += waits_at_zero
        return waits_at_zero and self.at_zero <= LOOKS_AT_ZERO

    @property
    def _probes(self) -> tuple[Probes, Probes]:
        return probes_of(self.tools, self.plan)

    async def _count_cards(self) -> None:
        """Read the uplinks' counters once: what they counted during the copy is known by that after it."""
        counted = any(look.nics and look.at >= self.pace.began for look in measured_of(self.claim.job))
        if counted or not any(self._probes) or not await self._is_our_turn("cards"):
            return
        at = await self.tools.queue.now()
        nics = await Looks(self.plan, *self._probes, patience=PATIENCE).nics()
        if nics:
            source, target = self.plan.source.host, self.plan.target.host
            look = PathMeasurement(at, When.DURING, self.plan.link, source, target, self.plan.path, nics=nics)
            await self.claim.note(with_measured(self.claim.job, look))

    async def _is_our_turn(self, what: str) -> bool:
        """Of all copies between two hosts one asks them, so that a thousand slow copies ask no more than ten."""
        pair = f"{what} {self.plan.source.host} {self.plan.target.host}"
        every = self.tools.look_at_flow_every
        return await self.tools.queue.chore(pair, worker=self.claim.job.owner, every=every)

    async def _look(self, now: datetime) -> None:
        self.looked = asyncio.get_running_loop().time()
        if not await self._is_our_turn("flow"):
            return
        look = await look_at_flow(self._probes, self.plan, at=now)
        await self.claim.note(with_measured(self.claim.job, look))
        await note_measured(self.tools, look)
        job = self.claim.job
        stalled = self.pace.stalled(await self.tools.queue.now())
        for reply in worth_saying(self.plan.request.vm.name, measured_of(job), stalled=stalled):
            if reply.key not in self.said:
                await self.tools.outbox.reply(job.id, job.channel, reply)
                self.said.add(reply.key)
