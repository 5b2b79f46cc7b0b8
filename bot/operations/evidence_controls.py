"""Controls for an evidence pack: the same packets on other ways, now. Whether a loss is this path's or everybody's is
what a network team asks first. Nothing here raises for the world: a control that could not be measured says why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.errors import OutsideError, UserError
from bot.migration.facts import HostFacts
from bot.migration.measured import Pings
from bot.migration.path import Leg, predict_path
from bot.migration.plan import Place, Plan
from bot.operations.measure import SMALL, probes_of
from bot.operations.measure_looks import Probes
from bot.operations.tools import WorkerTools

PACKETS: Final = 100
WITHIN: Final = timedelta(seconds=75)


@dataclass(frozen=True, slots=True)
class Way:
    """Packets to be sent: from a host, along a leg, by whoever can ask that host."""

    host: str
    to: str
    leg: Leg
    probes: Probes


@dataclass(frozen=True, slots=True)
class Controlled:
    """One control. `pings` None: `why` not."""

    what: str
    tells: str
    at: datetime
    way: Way | None
    pings: Pings | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Wanted:
    what: str
    tells: str
    way: Way | str


async def control(tools: WorkerTools, plan: Plan) -> Sequence[Controlled]:
    """Measure them all at once. UnreachableError when Redis does not answer."""
    at = await tools.queue.now()
    near, far = await asyncio.gather(_hosts(tools, plan.source), _hosts(tools, plan.target))
    return await asyncio.gather(*(_measured(one, at) for one in _wanted(tools, plan, near, far)))


def _wanted(tools: WorkerTools, plan: Plan, near: Sequence[HostFacts], far: Sequence[HostFacts]) -> list[_Wanted]:
    here, there = probes_of(tools, plan)
    source, target = _named(near, plan.source.host), _named(far, plan.target.host)
    peer, far_peer = _other(near, plan.source.host), _other(far, plan.target.host)
    back = Leg(plan.path.data.target, plan.path.data.source, plan.path.data.port) if plan.path else None
    path = "the path of the copy is not known"
    return [
        _Wanted(
            "The same path, now",
            "Whether it still is as it was.",
            Way(plan.source.host, plan.target.host, plan.path.data, here) if plan.path else path,
        ),
        _Wanted(
            "The same path, the other way round",
            "Whether one direction alone is bad.",
            Way(plan.target.host, plan.source.host, back, there) if back else path,
        ),
        _Wanted(
            "The same source, to a peer at its own site",
            "Loss here too would be the source's own network.",
            _between(source, peer, here, f"{plan.source.site or 'its site'} has no other host that is connected"),
        ),
        _Wanted(
            "Another pair of hosts on the same link",
            "Loss here too would be the link, and not these two hosts.",
            _between(peer, far_peer, here, "there is no other pair of hosts that are connected"),
        ),
        _Wanted(
            "The same destination, from a peer at its own site",
            "Loss here too would be the destination's own network.",
            _between(far_peer, target, there, f"{plan.target.site} has no other host that is connected"),
        ),
    ]


def _between(one: HostFacts | None, other: HostFacts | None, probes: Probes, nobody: str) -> Way | str:
    if one is None or other is None:
        return nobody
    path = predict_path(one, other)
    if path is None:
        return f"the interfaces of {one.name} or {other.name} are not known"
    return Way(one.name, other.name, path.data, probes)


async def _measured(wanted: _Wanted, at: datetime) -> Controlled:
    way = wanted.way
    if isinstance(way, str):
        return Controlled(wanted.what, wanted.tells, at, None, None, way)
    if way.probes is None:
        why = f"nobody here can run esxcli on {way.host}"
        return Controlled(wanted.what, wanted.tells, at, way, None, why)
    try:
        async with asyncio.timeout(WITHIN.total_seconds()):
            pings = await way.probes.ping(way.host, way.leg, count=PACKETS, size=SMALL, whole=False)
    except TimeoutError:
        why = f"no answer within {WITHIN.total_seconds():.0f} s"
        return Controlled(wanted.what, wanted.tells, at, way, None, why)
    except OutsideError as error:
        return Controlled(wanted.what, wanted.tells, at, way, None, str(error))
    return Controlled(wanted.what, wanted.tells, at, way, pings)


async def _hosts(tools: WorkerTools, place: Place) -> Sequence[HostFacts]:
    """The hosts of a place's site with their interfaces; none where they cannot be read."""
    if place.site is None:
        return ()
    try:
        site = tools.fleet.site(place.site)
        return (await tools.fleet.vcenter(site.vcenter).read_site(site)).hosts
    except (OutsideError, UserError):
        return ()


def _named(hosts: Sequence[HostFacts], name: str) -> HostFacts | None:
    return next((host for host in hosts if host.name == name), None)


def _other(hosts: Sequence[HostFacts], name: str) -> HostFacts | None:
    return next(
        (host for host in hosts if host.name != name and host.connection == "connected" and not host.in_maintenance),
        None,
    )
