"""Where a VM really is, against its plan. Pure: a place in, a finding out. Never looser for anybody's simulator."""

from __future__ import annotations

from enum import Enum

from bot.migration.plan import Plan
from bot.migration.planning import datastore_of
from bot.vsphere.port import VmPlace


class Whereabouts(Enum):
    """AT_TARGET: host and every file. AT_SOURCE: every file where it was. ELSEWHERE: neither, or halfway."""

    AT_TARGET = "at target"
    AT_SOURCE = "at source"
    ELSEWHERE = "elsewhere"


def whereabouts(place: VmPlace, plan: Plan) -> Whereabouts:
    """Decide by the files first: the .vmx and every disk. The host decides when both datastores are one."""
    files = (place.vm_path_name, *place.disk_paths)
    moved_files = all(datastore_of(path) == plan.target.datastore for path in files)
    if moved_files and place.host == plan.target.host:
        return Whereabouts.AT_TARGET
    if _untouched(files, plan) and (place.host == plan.source.host or plan.source.datastore != plan.target.datastore):
        return Whereabouts.AT_SOURCE
    return Whereabouts.ELSEWHERE


def _untouched(files: tuple[str, ...], plan: Plan) -> bool:
    """Every file of the plan where it was, and nothing of the VM at the target.

    A plan names the disks that the VM writes to. Those behind its snapshots are in no plan: they may be anywhere else.
    """
    planned = {plan.vm_path_name, *plan.disk_paths}
    own = {datastore_of(path) for path in planned}
    behind = {datastore_of(path) for path in files} - own
    return planned <= set(files) and plan.target.datastore not in behind


def in_words(place: VmPlace) -> str:
    """Host and files of a place, for people."""
    return f"host {place.host}, files {', '.join((place.vm_path_name, *place.disk_paths))}"


def wrong_networks(place: VmPlace, plan: Plan) -> list[str]:
    """Networks that the plan promised and the VM is not on."""
    return sorted({nic.target_network for nic in plan.nics if nic.source_network} - set(place.networks))
