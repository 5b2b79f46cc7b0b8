"""Show holds: one card for each, and on the cards of what waits behind them that it waits and why.

Whoever holds or releases only writes that down; the cards follow here, in every worker, so that a process which died
between the two leaves nothing untold. Showing what is shown already changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from bot.errors import BugError, OutsideError
from bot.jobs.port import Hold, Job, JobQueue
from bot.migration.request import JobId
from bot.operations.batch_record import BATCH
from bot.operations.batch_show import show_batch
from bot.operations.holds import scene_of
from bot.operations.holds_card import hold_card
from bot.operations.show_job import show_job
from bot.slack.port import Outbox, TableCard

HELD: Final = "held"
RELEASED: Final = "released"
"""What the queue's events say of a hold, in place of a state."""

LOOK_BACK: Final = timedelta(hours=1)
"""Of holds that were made or released while nobody ran to show it."""

BREATH: Final = timedelta(milliseconds=300)
"""Between two drawings: what happens at once is drawn at once."""

AGAIN_AFTER: Final = timedelta(seconds=5)

log = logging.getLogger(__name__)


async def show_hold(queue: JobQueue, outbox: Outbox, hold_id: JobId) -> None:
    """Show the hold's card as things are now; read again until what was shown last is how it is."""
    shown = await _card(queue, hold_id)
    while shown is not None:
        await outbox.show_table(shown)
        now = await _card(queue, hold_id)
        if now is None or now == shown:
            return
        shown = now


async def _show_held_and_waiting(queue: JobQueue, outbox: Outbox, hold: Hold) -> None:
    """The hold's card and those of all that waits, or waited, behind it."""
    await show_hold(queue, outbox, hold.id)
    for job in await queue.waiting(hold.resource):
        await _show_job(queue, outbox, job)


async def follow_holds(queue: JobQueue, outbox: Outbox) -> None:
    """For ever. Any number of workers may do this at once; an outage is outlived, a broken record is passed over."""
    while True:
        try:
            await _Follower(queue, outbox).run()
        except* OutsideError as error:
            log.warning("cards of holds are not redrawn for the moment: %s", error.exceptions[0])
        except* BugError:
            log.exception("redrawing the cards of holds stumbled, and begins again")
        await asyncio.sleep(AGAIN_AFTER.total_seconds())


class _Follower:
    """One listens and notes what is to be drawn, the other draws: many events together cost one drawing."""

    def __init__(self, queue: JobQueue, outbox: Outbox) -> None:
        self._queue = queue
        self._outbox = outbox
        self._told: set[JobId] = set()
        self._changed = asyncio.Event()

    async def run(self) -> None:
        since = _earlier(await self._queue.last_event(), by=LOOK_BACK)
        self._told = {hold.id for hold in await self._queue.holds()}
        self._changed.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(since), name="hear of holds")
            group.create_task(self._draw(), name="draw holds")

    async def _listen(self, since: str) -> None:
        async for _, event in self._queue.events(since=since):
            if event.get("state") in (HELD, RELEASED):
                self._told.add(JobId(event["job"]))
            self._changed.set()

    async def _draw(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            told, self._told = self._told, set()
            for hold in await self._concerned(told):
                if hold.id in told:
                    await _show_held_and_waiting(self._queue, self._outbox, hold)
                else:
                    await show_hold(self._queue, self._outbox, hold.id)
            await asyncio.sleep(BREATH.total_seconds())

    async def _concerned(self, told: set[JobId]) -> Sequence[Hold]:
        """What was released, first, and then all that is held still: there are few at any time."""
        held = await self._queue.holds()
        others = [await self._queue.find_hold(hold) for hold in sorted(told - {hold.id for hold in held})]
        return [*(hold for hold in others if hold is not None), *held]


async def _card(queue: JobQueue, hold_id: JobId) -> TableCard | None:
    hold = await queue.find_hold(hold_id)
    return hold_card(await scene_of(queue, hold)) if hold is not None else None


async def _show_job(queue: JobQueue, outbox: Outbox, job: Job) -> None:
    try:
        await (show_batch if job.kind == BATCH else show_job)(queue, outbox, job.id)
    except BugError as error:
        log.error("the card of job %s cannot be drawn: %s", job.id, error)  # noqa: TRY400 - the cause is in the sentence


def _earlier(event: str, *, by: timedelta) -> str:
    """The id that an event had so long before this one: ids of a stream begin with their milliseconds."""
    at = int(event.partition("-")[0]) - by // timedelta(milliseconds=1)
    return f"{max(at, 0)}-0"
