"""The picture of a link: its loss and its rates since a moment, for a thread or an evidence pack."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from bot.errors import OutsideError
from bot.operations.tools import WorkerTools
from bot.slack.loss_chart import loss_chart

log = logging.getLogger(__name__)


async def chart_of(tools: WorkerTools, link: str, since: datetime) -> bytes | None:
    """A PNG; None when nothing is known of the link since then. Never raises for the world."""
    if tools.links is None:
        return None
    try:
        until, samples = await asyncio.gather(tools.queue.now(), tools.links.samples(link, since=since))
    except OutsideError as error:
        log.warning("The history of %s cannot be read: %s", link, error)
        return None
    if not samples:
        return None
    bound = tools.fleet.max_loss.get(link)
    return await asyncio.to_thread(loss_chart, samples, link=link, since=since, until=until, bound=bound)
