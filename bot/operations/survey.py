"""Survey a plan: what is found out beside the VM and the site, once it is clear from where to where.

Every part is asked at the same time and fails alone: then `unread` of the survey says why, and the plan is made without
it. Nothing here can make a plan fail, and nothing is changed anywhere.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from typing import Any, Final, TypeVar

from bot.errors import OutsideError
from bot.jobs.port import JobQueue
from bot.migration.measured import Connection, PathMeasurement, When
from bot.migration.path import NFC_PORT, PROVISIONING
from bot.migration.plan import Place, Plan
from bot.migration.request import JobId, VCenterName
from bot.migration.survey import Advice, MissingPrivilege, Survey, VCenters
from bot.operations.apart import apart
from bot.operations.live_copies import LiveCopies
from bot.operations.measure import Depth, measure, probes_of
from bot.operations.tools import Fleet, WorkerTools
from bot.vsphere.port import HostProbes, Scene

Answer = TypeVar("Answer")
Measures = Callable[[Plan], Awaitable[PathMeasurement]]

PATIENCE: Final = timedelta(seconds=75)
"""For each part. CheckRelocate_Task may take a minute over a WAN before it gives up by itself (KB 393932)."""

_OPEN: Final = "ESTABLISHED"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Surveying:
    """What a survey may use; what is missing is not looked at, and nothing is said of it.

    `queue`: whose live jobs are counted; `job`: the one that is planned, which does not count. `measure`: a quick look
    at the path of a plan. `advice`: whether vCenter is asked for its own check, which may take a minute; `runs`: the VM
    does, and what vCenter would check is a move of it as it runs.
    """

    queue: JobQueue | None = None
    job: JobId | None = None
    scenes: Mapping[VCenterName, Scene] = field(default_factory=dict)
    probes: Mapping[VCenterName, HostProbes] = field(default_factory=dict)
    measure: Measures | None = None
    advice: bool = True
    runs: bool = False


def surveying_of(tools: WorkerTools, job: JobId | None = None) -> Surveying:
    """Everything that a worker has for it. `job`: the one whose plan is made."""

    async def look(plan: Plan) -> PathMeasurement:
        at = await tools.queue.now()
        return await measure(probes_of(tools, plan), plan, when=When.BEFORE, depth=Depth.QUICK, at=at)

    return Surveying(tools.queue, job, tools.on_call.scenes, tools.probes, look if tools.probes else None)


async def survey(fleet: Fleet, plan: Plan, asking: Surveying, *, live: LiveCopies) -> Survey:
    """Find out about this plan, all parts at once. Never raises for the world."""
    look = _Look(fleet, plan, asking)
    privileges, advice, offsets, sessions, measured, vcenters = await asyncio.gather(
        look.privileges(),
        look.advice(),
        look.clock_offsets(),
        look.nfc_sessions(live),
        look.measured(),
        look.vcenters(),
    )
    return Survey(
        missing_privileges=privileges,
        advice=advice,
        clock_offsets=offsets,
        nfc_sessions=sessions,
        measured=measured,
        vcenters=vcenters,
        claimed=live.claimed(plan.target.datastore, vcenter=_vcenter(plan, plan.target)),
        unread={**live.unread, **{part: "; ".join(dict.fromkeys(why)) for part, why in look.unread.items()}},
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """One survey. Each part is named as its field of `Survey`."""

    fleet: Fleet
    plan: Plan
    asking: Surveying
    unread: dict[str, list[str]] = field(default_factory=dict)

    async def privileges(self) -> tuple[MissingPrivilege, ...] | None:
        """What is missing at both vCenters; each is asked for its own half."""
        names = dict.fromkeys(_vcenter(self.plan, place) for place in self._ends)
        return await self._all(
            "missing_privileges",
            {f"our privileges at vCenter {name}": self._missing_at(name) for name in names},
        )

    async def _missing_at(self, name: VCenterName) -> Sequence[MissingPrivilege]:
        return await self.fleet.vcenter(name).missing_privileges(self.plan)

    async def advice(self) -> tuple[Advice, ...] | None:
        if not (self.asking.advice and self.plan.safe):  # of what is blocked anyway it only repeats that
            return None
        if self.asking.runs:
            self.unread["advice"] = ["vCenter's own check: of a VM that runs it would check another kind of move"]
            return None
        check = self.fleet.vcenter(self.plan.request.vm.vcenter).check_relocate(self.plan)
        return await self._all("advice", {"vCenter's own check": check})

    async def clock_offsets(self) -> dict[str, timedelta] | None:
        """By host, against its own vCenter."""
        asked = {
            place.host: (f"the clock of host {place.host}", scene.clock_offset(place.host))
            for place in self._ends
            if place.host_moid and (scene := self.asking.scenes.get(_vcenter(self.plan, place)))
        }
        return await self._by_host("clock_offsets", asked)

    async def nfc_sessions(self, live: LiveCopies) -> dict[str, int] | None:
        """By host, the connections of others on TCP 902; those of our own running copies are known by their paths."""
        asked = {
            place.host: (f"NFC sessions of host {place.host}", self._sessions(probes, place, live))
            for place in self._ends
            if place.host_moid and (probes := self.asking.probes.get(_vcenter(self.plan, place)))
        }
        return await self._by_host("nfc_sessions", asked)

    async def measured(self) -> PathMeasurement | None:
        if self.asking.measure is None:
            return None
        return await self._ask("measured", "the path", self._measure(self.asking.measure))

    async def _measure(self, look: Measures) -> PathMeasurement:
        return await look(self.plan)

    async def vcenters(self) -> VCenters | None:
        """How far apart both are, of a move between two."""
        if self.plan.far is None:
            return None
        here, there = self.fleet.vcenter(self.plan.request.vm.vcenter), self.fleet.vcenter(self.plan.far.name)
        return await self._ask("vcenters", "versions and clocks of both vCenters", apart(here, there))

    @property
    def _ends(self) -> tuple[Place, Place]:
        return self.plan.source, self.plan.target

    async def _sessions(self, probes: HostProbes, place: Place, live: LiveCopies) -> int:
        stacks = dict.fromkeys(("defaultTcpipStack", *self._own_stack(place)))
        found = await asyncio.gather(
            *(probes.connections(place.host, ports=(NFC_PORT,), netstack=stack) for stack in stacks)
        )
        each = {(one.local, one.foreign) for one in chain(*found) if one.state == _OPEN and not _is_ours(one, live)}
        return len(each)

    def _own_stack(self, place: Place) -> tuple[str, ...]:
        """The stack that provisioning may have for itself; a host without it would refuse the question."""
        path = self.plan.path
        if path is None:
            return ()
        end = path.control.source if place is self.plan.source else path.control.target
        return (end.netstack,) if end.netstack == PROVISIONING else ()

    async def _by_host(
        self, part: str, asked: Mapping[str, tuple[str, Coroutine[Any, Any, Answer]]]
    ) -> dict[str, Answer] | None:
        if not asked:
            return None
        answers = await asyncio.gather(*(self._ask(part, what, answer) for what, answer in asked.values()))
        return {host: answer for host, answer in zip(asked, answers, strict=True) if answer is not None}

    async def _all(
        self, part: str, asked: Mapping[str, Coroutine[Any, Any, Sequence[Answer]]]
    ) -> tuple[Answer, ...] | None:
        answers = await asyncio.gather(*(self._ask(part, what, answer) for what, answer in asked.items()))
        told = [answer for answer in answers if answer is not None]
        return tuple(chain(*told)) if told else None

    async def _ask(self, part: str, what: str, answer: Coroutine[Any, Any, Answer]) -> Answer | None:
        """The answer to one question; None, and a reason in `unread`, when the world does not give it."""
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                return await answer
        except TimeoutError:
            why = f"{what}: no answer within {PATIENCE.total_seconds():.0f} s"
        except OutsideError as error:
            why = f"{what}: {error}"
        log.info("A plan is made without %s", why)  # the plan itself says so
        self.unread.setdefault(part, []).append(why)
        return None


def _vcenter(plan: Plan, place: Place) -> VCenterName:
    return place.vcenter or plan.request.vm.vcenter


def _is_ours(one: Connection, live: LiveCopies) -> bool:
    return frozenset(end.rpartition(":")[0] for end in (one.local, one.foreign)) in live.legs
