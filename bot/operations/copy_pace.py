"""How a copy comes on: its percentage, its rate against the usual one, and since when it stands still.

It is kept with the job, so that whoever takes the job over goes on with the same clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.errors import BugError
from bot.jobs.port import Job
from bot.migration.eta import Pace
from bot.migration.machine import Phase
from bot.migration.plan import Plan
from bot.migration.stall import LEAST, Stand
from bot.operations.outlook import usual_rate
from bot.operations.record import Copied, copied_of
from bot.operations.tools import WorkerTools


@dataclass(slots=True)
class CopyPace:
    """`since`: when the percentage last changed, or the copy `began`; `good`: the best rate that it had."""

    pace: Pace
    began: datetime
    since: datetime
    usual: float | None = None
    good: float | None = None
    least: timedelta = LEAST

    def seen(self, percent: int, now: datetime) -> None:
        """Take a look at the percentage into account."""
        if self.pace.at is None or percent != self.pace.percent:
            self.since = now
        self.pace = self.pace.seen(percent, now)
        if self.pace.rate is not None:
            self.good = max(self.pace.rate, self.good or 0.0)

    def stand(self, now: datetime) -> Stand:
        """How it stands at this moment. Without a usual rate its own best one is what it is held against."""
        return Stand(self.pace.size, self.since, now, self.pace.rate, self.usual or self.good)

    def stalled(self, now: datetime) -> timedelta | None:
        """For how long it has stood still, once that is too long."""
        return self.stand(now).stalled(least=self.least)

    def copied(self, now: datetime, *, nfc_errors: int) -> Copied:
        """What is kept with the job and shown on its card. Of a copy that stands still nobody knows when it ends."""
        stand, stalled = self.stand(now), self.stalled(now)
        running = replace(self.pace, rate=stand.rate_now)
        return Copied(
            percent=self.pace.percent,
            rate=running.rate,
            eta=None if stalled else running.eta,
            nfc_errors=nfc_errors,
            since=self.since,
            usual=self.usual,
            good=self.good,
            stalled=stalled.total_seconds() if stalled else None,
        )


async def pace_of(tools: WorkerTools, job: Job, plan: Plan) -> CopyPace:
    """Begin, or go on where another worker had come to."""
    began = next((step.at for step in reversed(job.steps) if step.state is Phase.ATTACHED), job.updated)
    known = _known(job)
    if known is None or known.since is None or known.since < began:  # none yet, or of an attempt before this one
        usual = await usual_rate(tools, plan.link)
        return CopyPace(Pace(plan.size), began, began, usual, least=tools.still_after)
    pace = Pace(plan.size, known.percent, known.since, known.rate)
    return CopyPace(pace, began, known.since, known.usual, known.good, tools.still_after)


def _known(job: Job) -> Copied | None:
    """What is kept; nothing of what another version wrote: a clock that begins anew stops no copy."""
    try:
        return copied_of(job)
    except BugError:
        return None
