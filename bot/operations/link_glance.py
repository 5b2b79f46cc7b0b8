"""The links between the sites that a person sees: what was lost on each in the last day, how fast it is, is it held."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import combinations
from typing import Final

from bot.links.port import LinkHistory
from bot.migration.link_loss import pooled
from bot.migration.measured import SampleKind
from bot.migration.plan import link_name
from bot.operations.counter import Counter
from bot.operations.port import LinkGlance

LOOKED_BACK: Final = timedelta(days=1)
MOST: Final = 12
"""Links that are told of at once: those that are held first, then those that lose most."""


async def link_glances(counter: Counter, sites: Sequence[str]) -> list[LinkGlance]:
    """Those of which something is known. UnreachableError when Redis does not answer."""
    if counter.links is None:
        return []
    now, holds = await asyncio.gather(counter.queue.now(), counter.queue.holds())
    held, since = {hold.resource for hold in holds}, now - LOOKED_BACK
    names = [link_name(*ends) for ends in combinations(sites, 2)]
    found = await asyncio.gather(*(_glance(counter.links, name, since, held=name in held) for name in names))
    known = [one for one in found if one.held or one.loss or one.usual_rate or one.canary]
    return sorted(known, key=lambda one: (not one.held, -one.loss.share, one.link))[:MOST]


async def _glance(links: LinkHistory, name: str, since: datetime, *, held: bool) -> LinkGlance:
    samples, usual = await asyncio.gather(links.samples(name, since=since), links.usual_rate(name))
    canary = max((sample.at for sample in samples if sample.kind is SampleKind.CANARY), default=None)
    return LinkGlance(name, pooled(samples), usual, held=held, canary=canary)
