"""Compare a VM that has arrived with what its plan promised, beyond where it is: cards, disks, folder. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.plan import Plan
from bot.migration.planning import datastore_of
from bot.vsphere.port import VmPlace


def differences(place: VmPlace, plan: Plan) -> list[str]:
    """What is otherwise than planned, a sentence each. A move that is otherwise in this is done all the same."""
    return [*_cards(place, plan), *_disks(place, plan), *_folder(place, plan)]


def is_fit_to_run(place: VmPlace, plan: Plan) -> bool:
    """Whether all its disks are there and each card is on its network: on another it may answer for somebody else."""
    return not [*_cards(place, plan)] and {disk.key for disk in plan.disks} <= dict(place.disks).keys()


def _cards(place: VmPlace, plan: Plan) -> Iterator[str]:
    there = dict(place.nics)
    for nic in plan.nics:
        if not nic.source_network:
            continue
        if nic.label not in there:
            yield f"It has no {nic.label} any more, which was to be on '{nic.target_network}'."
        elif there[nic.label] != nic.target_network:
            on = f"'{there[nic.label]}'" if there[nic.label] else "no network"
            yield f"{nic.label} is on {on}, not on '{nic.target_network}': mend that before it is powered on."


def _disks(place: VmPlace, plan: Plan) -> Iterator[str]:
    paths, moves = dict(place.disks), {move.key: move for move in plan.disk_moves}
    for disk in plan.disks:
        if disk.key not in paths:
            yield f"It has no {disk.label} any more."
            continue
        move = moves.get(disk.key)
        wanted = move.datastore if move else plan.target.datastore
        if (found := datastore_of(paths[disk.key])) != wanted:
            yield f"{disk.label} is on datastore {found}, not on {wanted}."
        if move is not None and move.thin and disk.key not in place.thin:
            yield f"{disk.label} is not thin."


def _folder(place: VmPlace, plan: Plan) -> Iterator[str]:
    if place.folder_moid != plan.target.folder_moid:
        yield f"It is not in the folder {plan.target.folder}."
