"""Where a VM really is, against its plan. Never looser for anybody's simulator.

A move between two vCenters is proven by the instance UUID in both: gone from the one, there in the other. Names of
hosts and datastores may be the same in both by chance, so a place counts only together with the vCenter it was read in.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum

from bot.migration.plan import Plan
from bot.migration.planning import datastore_of
from bot.operations.tools import Fleet
from bot.vsphere.port import VmPlace


class Whereabouts(Enum):
    """AT_TARGET: host and every file. AT_SOURCE: every file where it was. ELSEWHERE: neither, or halfway.

    GONE: no vCenter that should have it shows it. TWICE: the vCenter it leaves has it, and the one it goes to as well.
    """

    AT_TARGET = "at target"
    AT_SOURCE = "at source"
    ELSEWHERE = "elsewhere"
    GONE = "gone"
    TWICE = "twice"


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where the VM of a plan was seen: in the vCenter that it leaves, and, where that is another, in the one it goes
    to.
    """

    plan: Plan
    here: VmPlace | None
    there: VmPlace | None = None

    @property
    def place(self) -> VmPlace | None:
        """The one place where it is; None if it is in none, or in two."""
        return None if self.here and self.there else self.here or self.there

    @property
    def where(self) -> Whereabouts:
        """What that means for the plan."""
        if self.here and self.there:
            return Whereabouts.TWICE
        if self.there:
            return Whereabouts.AT_TARGET if _has_arrived(self.there, self.plan) else Whereabouts.ELSEWHERE
        if self.here is None:
            return Whereabouts.GONE
        if self.plan.far is None:
            return whereabouts(self.here, self.plan)
        whole = _planned_files(self.plan) <= set(_files(self.here))
        return Whereabouts.AT_SOURCE if whole else Whereabouts.ELSEWHERE

    def in_words(self) -> str:
        """Where it is, for people; with its UUID where it cannot be found by its place."""
        vm, far = self.plan.request.vm, self.plan.far
        named = f"{vm.name} (instance UUID {vm.uuid})"
        if self.place is not None:
            return in_words(self.place) + (f" in vCenter {far.name if self.there else vm.vcenter}" if far else "")
        if self.here and self.there and far:
            return (
                f"{named} is in both vCenters: in {vm.vcenter} on {in_words(self.here)}; "
                f"in {far.name} on {in_words(self.there)}"
            )
        if far is None:
            return f"{named} is no longer in vCenter {vm.vcenter}"
        return f"{named} is neither in vCenter {vm.vcenter} nor in {far.name}, as far as our accounts there may see"


async def sight(fleet: Fleet, plan: Plan) -> Sighting:
    """Look for the VM wherever it may be by now. OutsideError when a vCenter cannot be asked: then nothing is known.

    While it changes from one to the other it may be seen in both or in none: such a sighting is to be looked at again.
    """
    uuid = plan.request.vm.uuid
    here = fleet.vcenter(plan.request.vm.vcenter).place(uuid)
    if plan.far is None:
        return Sighting(plan, await here)
    return Sighting(plan, *await asyncio.gather(here, fleet.vcenter(plan.far.name).place(uuid)))


def whereabouts(place: VmPlace, plan: Plan) -> Whereabouts:
    """What a place in the vCenter of the plan means. Decide by the files first: the .vmx and every disk. The host
    decides when both datastores are one.
    """
    if _has_arrived(place, plan):
        return Whereabouts.AT_TARGET
    untouched = _is_untouched(_files(place), plan)
    if untouched and (place.host == plan.source.host or plan.source.datastore != plan.target.datastore):
        return Whereabouts.AT_SOURCE
    return Whereabouts.ELSEWHERE


def _has_arrived(place: VmPlace, plan: Plan) -> bool:
    """It is on the planned host, its configuration and its disks on the datastores that they were to go to."""
    apart = {move.key: move.datastore for move in plan.disk_moves}
    disks = {apart.get(disk.key, plan.target.datastore) for disk in plan.disks}
    return (
        place.host == plan.target.host
        and datastore_of(place.vm_path_name) == plan.target.datastore
        and {datastore_of(path) for path in place.disk_paths} == disks
    )


def _is_untouched(files: tuple[str, ...], plan: Plan) -> bool:
    """Every file of the plan where it was, and nothing of the VM at the target.

    A plan names the disks that the VM writes to. Those behind its snapshots are in no plan: they may be anywhere else.
    """
    planned = _planned_files(plan)
    own = {datastore_of(path) for path in planned}
    behind = {datastore_of(path) for path in files} - own
    return planned <= set(files) and plan.target.datastore not in behind


def _planned_files(plan: Plan) -> set[str]:
    return {plan.vm_path_name, *plan.disk_paths}


def _files(place: VmPlace) -> tuple[str, ...]:
    return (place.vm_path_name, *place.disk_paths)


def in_words(place: VmPlace) -> str:
    """Host and files of a place, for people."""
    return f"host {place.host}, files {', '.join(_files(place))}"
