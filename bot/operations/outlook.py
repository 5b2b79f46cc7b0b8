"""What time has to do with a plan: the queue's clock, the calendar, and how fast copies across each link usually are.

The history of links knows the latter. Of a link that it does not know yet, and where there is none, the newest copy in
the ledger has to do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from bot.errors import BugError, OutsideError
from bot.jobs.port import Job
from bot.migration.choice import Outlook
from bot.migration.plan import link_name
from bot.migration.request import MigrationRequest
from bot.operations.record import MIGRATE, copied_of
from bot.operations.tools import WorkerTools

LOOKED_AT: Final = 30
"""The newest jobs, among which the last copy of each link is sought."""

log = logging.getLogger(__name__)


async def outlook_of(tools: WorkerTools, request: MigrationRequest) -> Outlook:
    """As it is now, for a VM that may be at any site. UnreachableError when Redis does not answer."""
    now, recent, usual = await asyncio.gather(
        tools.queue.now(), tools.queue.recent(limit=LOOKED_AT), _usual_rates(tools, request)
    )
    return Outlook(now, tools.fleet.calendar, {**last_rates(recent), **usual})


async def usual_rate(tools: WorkerTools, link: str) -> float | None:
    """The baseline of a link: bytes per second that a copy across it usually has; None: nobody knows.

    Never raises for the world: a card without a baseline is better than none.
    """
    try:
        if tools.links is not None and (rate := await tools.links.usual_rate(link)):
            return rate
        return last_rates(await tools.queue.recent(limit=LOOKED_AT)).get(link)
    except OutsideError as error:
        log.warning("How fast copies across %s are cannot be read: %s", link, error)
        return None


def last_rates(newest_first: Iterable[Job]) -> dict[str, float]:
    """Bytes per second of the newest copy of each link that came so far as to have a rate."""
    found: dict[str, float] = {}
    for job in newest_first:
        if job.kind == MIGRATE and job.lane not in found and (rate := _rate(job)):
            found[job.lane] = rate
    return found


async def _usual_rates(tools: WorkerTools, request: MigrationRequest) -> dict[str, float]:
    """Those of all links to the site: where the VM is now is not known yet."""
    if tools.links is None:
        return {}
    links = [link_name(site, request.site) for site in tools.fleet.sites if site != request.site]
    rates = await asyncio.gather(*map(tools.links.usual_rate, links))
    return {link: rate for link, rate in zip(links, rates, strict=True) if rate}


def _rate(job: Job) -> float | None:
    try:
        copied = copied_of(job)
    except BugError:  # written by another version; an estimate can do without it
        return None
    return copied.good or copied.rate if copied else None  # of one that starved, what it had before
