"""Redraw the cards of jobs that ended without an operation at hand to say so: expired, given up, or announced by
somebody who died between the ledger and the card. Showing a card that is already right changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Final

from bot.errors import OutsideError
from bot.jobs.port import Job, JobQueue
from bot.migration.machine import ENDS
from bot.migration.request import JobId
from bot.operations.cards import job_card
from bot.operations.record import MIGRATE
from bot.slack.port import Outbox

LOOK_BACK: Final = 50
"""Jobs looked at when it starts: what ended while nobody ran."""

AGAIN_AFTER: Final = timedelta(seconds=5)

log = logging.getLogger(__name__)


async def redraw_ends(queue: JobQueue, outbox: Outbox) -> None:
    """For ever: every job that ends shows it. Any number of workers may do this at once; an outage is outlived."""
    while True:
        try:
            for job in await queue.recent(limit=LOOK_BACK):
                await _show(outbox, job)
            async for _, event in queue.events():
                if event.get("state") in ENDS and (ended := await queue.get(JobId(event["job"]))):
                    await _show(outbox, ended)
        except OutsideError as error:
            log.warning("cards of ended jobs are not redrawn for the moment: %s", error)
        await asyncio.sleep(AGAIN_AFTER.total_seconds())


async def _show(outbox: Outbox, job: Job) -> None:
    if job.state.ended and job.kind == MIGRATE:
        await outbox.show(job_card(job))
