"""Measure the path of a copy from its source host: what esxcli can see of it, and what it cannot, said as such.

Nothing here raises for the world: what could not be looked at is a sentence in `unread`. Nothing is judged either; that
is done in `bot.diagnosis`. Every look has a time-out of its own, so a silent host costs that and no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from bot.jobs.port import Job
from bot.migration.measured import Connection, PathMeasurement, Pings, When, opens
from bot.migration.path import Leg
from bot.migration.plan import Plan
from bot.operations.link_notes import note_measured
from bot.operations.measure_looks import Looks, Probes, flat
from bot.operations.measure_mtu import whole_sizes
from bot.operations.measure_words import in_a_sentence, sections
from bot.operations.record import approved_plan
from bot.operations.tools import WorkerTools
from bot.slack.port import Reply

SMALL: Final = 84
"""Bytes of the packet that ping sends if nobody says otherwise."""

MOST_CONNECTIONS: Final = 20
_SOON: Final = timedelta(seconds=15)
_PATIENTLY: Final = timedelta(seconds=75)
"""A ping of 200 packets takes 20 s, and two of them may have to wait for a thread."""

_LISTENS: Final = "LISTEN"


class Depth(Enum):
    """How much is looked at: what a plan can wait for (some seconds), or everything (a minute)."""

    QUICK = "quick"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many packets of each kind."""

    small: int
    full: int
    ladder: int = 5


COUNTS: Final = {Depth.QUICK: Counts(small=20, full=3), Depth.FULL: Counts(small=200, full=20)}


async def measure(
    probes: Probes | tuple[Probes, Probes], plan: Plan, *, when: When, depth: Depth, at: datetime
) -> PathMeasurement:
    """Look at the path of this plan. With a pair the second one asks the destination's host, in another vCenter.

    QUICK makes three calls to the source, and to the destination no more than a name and a list for each of its stacks.
    """
    source, target = probes if isinstance(probes, tuple) else (probes, probes)
    looks = Looks(plan, source, target, patience=_SOON if depth is Depth.QUICK else _PATIENTLY)
    measured = _begun(plan, when=when, at=at)
    seen = await (_quickly(looks, measured) if depth is Depth.QUICK else _fully(looks, measured))
    return looks.told(seen)


async def look_at_flow(
    probes: Probes | tuple[Probes, Probes], plan: Plan, *, at: datetime, when: When = When.DURING
) -> PathMeasurement:
    """A cheap look while a copy slows down: its own connections with what waits in them, and a few small packets."""
    source, target = probes if isinstance(probes, tuple) else (probes, probes)
    looks = Looks(plan, source, target, patience=_SOON)
    small, connections = await asyncio.gather(
        looks.ping("Small packets", looks.data, count=COUNTS[Depth.QUICK].small, size=SMALL),
        looks.source_connections(),
    )
    begun = _begun(plan, when=when, at=at)
    return looks.told(replace(begun, small=small, connections=_kept(begun, flat(connections))))


async def measure_and_tell(tools: WorkerTools, job: Job) -> Reply:
    """Measure the path of a migration in full, because somebody asked; its figures for the thread, and for the link's
    history. UnreachableError when Redis does not answer.
    """
    plan = approved_plan(job)
    now = await tools.queue.now()
    measured = await measure(probes_of(tools, plan), plan, when=When.ASKED, depth=Depth.FULL, at=now)
    await note_measured(tools, measured)
    return Reply(f"measured-{now:%Y%m%dT%H%M%S}", in_a_sentence(measured), sections(measured))


def probes_of(tools: WorkerTools, plan: Plan) -> tuple[Probes, Probes]:
    """Who can ask the hosts of both ends of this plan."""
    source = plan.source.vcenter or plan.request.vm.vcenter
    target = plan.far.name if plan.far else plan.target.vcenter or source
    return tools.probes.get(source), tools.probes.get(target)


# ---- the two depths


async def _quickly(looks: Looks, begun: PathMeasurement) -> PathMeasurement:
    counts = COUNTS[Depth.QUICK]
    small, full, resolves, there = await asyncio.gather(
        looks.ping("Small packets", looks.data, count=counts.small, size=SMALL),
        looks.ping("Packets of full size", looks.data, count=counts.full, size=looks.full_size, whole=True),
        looks.names(),
        looks.target_connections(),
    )
    return replace(begun, small=small, full=full, resolves=resolves, listening=_listening(there, looks.legs))


async def _fully(looks: Looks, begun: PathMeasurement) -> PathMeasurement:
    """Counters first and last, so that they tell of the time in between; the packets in the middle."""
    loop, counts = asyncio.get_running_loop(), COUNTS[Depth.FULL]
    before, counted = await looks.nics(), loop.time()
    here, there, resolves = await asyncio.gather(
        looks.source_connections(),
        looks.target_connections(),
        looks.names(),
    )
    small, full, control = await asyncio.gather(
        looks.ping("Small packets", looks.data, count=counts.small, size=SMALL),
        looks.ping("Packets of full size", looks.data, count=counts.full, size=looks.full_size, whole=True),
        looks.ping("Small packets on the control path", looks.legs[1], count=counts.small, size=SMALL)
        if len(looks.legs) > 1
        else _nothing(),
    )
    sizes = await _ladder(looks, small, full)
    apart = timedelta(seconds=loop.time() - counted)
    after = await looks.nics()
    return replace(
        begun,
        small=small,
        full=full,
        control=control,
        sizes=sizes,
        resolves=resolves,
        connections=_kept(begun, (*flat(here), *flat(there))),
        listening=_listening(there, looks.legs),
        nics=after,
        nics_before=before,
        nics_apart=apart if before and after else None,
    )


async def _ladder(looks: Looks, small: Pings | None, full: Pings | None) -> tuple[Pings, ...]:
    """Find what passes whole, where full size does not and something else does: else size is not what is wrong."""
    if full is None or full.received or small is None or not small.received:
        return ()

    async def passes(size: int) -> Pings | None:
        count = COUNTS[Depth.FULL].ladder
        return await looks.ping(f"Packets of {size} bytes", looks.data, count=count, size=size, whole=True)

    return await whole_sizes(passes, below=full.size)


async def _nothing() -> None:
    """Measure nothing: the control path is the data path."""


def _begun(plan: Plan, *, when: When, at: datetime) -> PathMeasurement:
    return PathMeasurement(
        at=at,
        when=when,
        link=plan.link,
        source_host=plan.source.host,
        target_host=plan.target.host,
        path=plan.path,
    )


# ---- what was seen


def _kept(begun: PathMeasurement, found: Sequence[Connection]) -> tuple[Connection, ...]:
    """Keep connections, no listeners; the copy's own first, for a busy host has many of others.

    Each once: a release may show those of every stack in the list of the default one too.
    """
    each = {(one.host, one.local, one.foreign): one for one in found if one.state != _LISTENS}
    own = replace(begun, connections=tuple(each.values())).own_connections
    return (*own, *(one for one in each.values() if one not in own))[:MOST_CONNECTIONS]


def _listening(found: Sequence[Sequence[Connection] | None], legs: Sequence[Leg]) -> dict[int, bool]:
    """Say of each port whether the destination listens; nothing where a list is missing that could have shown it."""
    doors = [one.local for one in flat(found) if one.state == _LISTENS]
    heard = {leg.port: any(opens(door, leg) for door in doors) for leg in legs}
    return {port: listens for port, listens in sorted(heard.items()) if listens or None not in found}
