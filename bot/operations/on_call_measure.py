"""Measure the path of the copy that somebody on call asks about, within the time that they will wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bot.errors import OutsideError, UserError
from bot.migration.facts import HostFacts
from bot.migration.measured import PathMeasurement, When
from bot.migration.path import DataPath, predict_path
from bot.migration.plan import Place, Plan
from bot.migration.request import MigrationRequest, SiteName, VCenterName, VmRef
from bot.operations.link_notes import note_measured
from bot.operations.measure import Depth, measure, probes_of
from bot.operations.measure_looks import Probes
from bot.operations.measure_words import in_a_sentence
from bot.operations.on_call_card import Steps
from bot.operations.on_call_subject import HostAt, Subject
from bot.operations.tools import WorkerTools

WITHIN: Final = timedelta(seconds=30)
"""A full look takes most of it; where it takes longer, the quick one that is taken beside it has to do."""


@dataclass(frozen=True, slots=True)
class PathLook:
    """What was measured, by the clock of the subject's vCenter; and what was not, a sentence each."""

    measured: Sequence[PathMeasurement] = ()
    unread: Sequence[str] = ()


async def look_at_path(
    tools: WorkerTools,
    subject: Subject,
    steps: Steps,
    *,
    silent: Collection[str] = (),
    within: timedelta = WITHIN,
) -> PathLook:
    """Measure between the two hosts of the subject's copy. Nothing, where it has not both; a sentence, where nobody
    can look. Hosts that are known to be `silent` are not asked. UnreachableError when Redis does not answer.
    """
    ends = {host.side: host for host in subject.hosts if host.side}
    if "source" not in ends or "destination" not in ends:
        return PathLook()
    source, destination = ends["source"], ends["destination"]
    way = f"from {source.name} to {destination.name}"
    if tools.probes.get(source.vcenter) is None or source.name in silent:
        why = "does not answer" if source.name in silent else "cannot be asked by esxcli from here"
        return PathLook(unread=[f"The path {way} was not measured: {source.name} {why}"])
    async with steps.step(f"Measuring the path {way}") as step:
        at = subject.clocks[subject.home]
        try:
            async with asyncio.timeout(within.total_seconds()):
                plan = subject.plan or await _bare_plan(tools, subject, source, destination)
        except TimeoutError:
            said = f"The path {way} was not measured: nobody told its interfaces within {within.total_seconds():.0f} s"
            step.failed(said)
            return PathLook(unread=[said])
        here, there = probes_of(tools, plan)
        asked = (here, None if destination.name in silent else there)
        measured = await _measured(asked, plan, at, within)
        if measured is None or (measured.small is None and measured.full is None):
            why = " ".join(measured.unread) if measured else f"not within {within.total_seconds():.0f} s"
            said = f"The path {way} could not be measured: {why}"
            step.failed(said)
            return PathLook(unread=[said])
        if subject.plan is not None:
            # The history goes by the queue's clock, and what is told here by that of the subject's vCenter.
            await note_measured(tools, replace(measured, at=await tools.queue.now()))
        step.done(in_a_sentence(measured))
        return PathLook([measured], measured.unread)


async def _measured(
    probes: tuple[Probes, Probes], plan: Plan, at: datetime, within: timedelta
) -> PathMeasurement | None:
    """The full look if it is over in time, else the quick one."""
    full, quick = await asyncio.gather(
        *(_in_time(probes, plan, at, depth=depth, within=within) for depth in (Depth.FULL, Depth.QUICK))
    )
    return full or quick


async def _in_time(
    probes: tuple[Probes, Probes], plan: Plan, at: datetime, *, depth: Depth, within: timedelta
) -> PathMeasurement | None:
    try:
        async with asyncio.timeout(within.total_seconds()):
            return await measure(probes, plan, when=When.ASKED, depth=depth, at=at)
    except TimeoutError:
        return None


# ---- a copy that is not ours has no plan


async def _bare_plan(tools: WorkerTools, subject: Subject, source: HostAt, destination: HostAt) -> Plan:
    """What a measurement needs of a plan; the path as it is predicted now, where that can be found out."""
    name = subject.facts.vm or ""
    return Plan(
        request=MigrationRequest(VmRef(subject.home, subject.vm_uuid, name), SiteName("")),
        vm_moid="",
        vm_path_name="",
        source=_place(source),
        target=_place(destination),
        disks=(),
        nics=(),
        size=0,
        link="",
        concerns=(),
        made_at=subject.clocks[subject.home],
        path=await _path(tools, subject, source, destination),
    )


def _place(host: HostAt) -> Place:
    return Place(
        site=None,
        datacenter="",
        host=host.name,
        host_moid="",
        datastore="",
        datastore_moid=None,
        folder="",
        folder_moid=None,
        pool_moid=None,
        vcenter=host.vcenter,
    )


async def _path(tools: WorkerTools, subject: Subject, source: HostAt, destination: HostAt) -> DataPath | None:
    here, there = await asyncio.gather(_host_of_vm(tools, subject, source), _host_of_site(tools, destination))
    return predict_path(here, there) if here is not None and there is not None else None


async def _host_of_vm(tools: WorkerTools, subject: Subject, source: HostAt) -> HostFacts | None:
    """The source with its interfaces: the VM of a copy that failed is still on it."""
    try:
        read = await tools.fleet.vcenter(subject.home).read_vm(subject.vm_uuid)
    except (OutsideError, UserError):
        return None
    return read.on if read.on is not None and read.on.name == source.name else None


async def _host_of_site(tools: WorkerTools, destination: HostAt) -> HostFacts | None:
    """The destination with its interfaces, from the site of the config that it belongs to."""
    found = await asyncio.gather(*(_hosts(tools, name, destination.vcenter) for name in tools.fleet.sites))
    return next((host for hosts in found for host in hosts if host.name == destination.name), None)


async def _hosts(tools: WorkerTools, name: SiteName, vcenter: VCenterName) -> Sequence[HostFacts]:
    site = tools.fleet.site(name)
    if site.vcenter != vcenter:
        return ()
    try:
        return (await tools.fleet.vcenter(vcenter).read_site(site)).hosts
    except (OutsideError, UserError):
        return ()
