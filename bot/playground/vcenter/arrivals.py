"""How a VM arrives at another vCenter: as it should, or as people have seen it go wrong under a task that succeeds.

That a task succeeds and the VM is not at its destination was reported (github.com/vmware/pyvmomi-community-samples,
issue 607); in which of these ways is not told there, so all of them are invented.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from enum import StrEnum

from bot.playground.vcenter.inventory import Vm
from bot.playground.vcenter.universe import Estate


class Arrival(StrEnum):
    """HONEST: it leaves the one and is in the other. LADEN: with the values of its custom attributes, which stay behind
    otherwise. NEVER: it stays where it was. NOWHERE: it leaves, and does not arrive. TWICE: it arrives, and stays too.
    """

    HONEST = "honest"
    LADEN = "laden"
    NEVER = "never"
    NOWHERE = "nowhere"
    TWICE = "twice"


def arrive(how: str, vm: Vm, *, here: Estate, there: Estate, move: Callable[[], None]) -> None:
    """Carry out `move`, which takes the VM from here to there, and spoil it as ordered."""
    before, custom = _likeness(vm), dict(vm.custom)
    move()
    arrived = next((one for one in there.vms(vm.name) if one.instance_uuid == vm.instance_uuid), None)
    if arrived is None:
        return
    match Arrival(how):
        case Arrival.LADEN:
            _carry(custom, arrived, here=here, there=there)
        case Arrival.NOWHERE:
            there.inventory.remove(arrived)
        case Arrival.TWICE:
            here.inventory.add(before)
            here.inventory.changes.touch(before.ref)


def _likeness(vm: Vm) -> Vm:
    """Return the VM as it is now; moving it changes its disks and cards in place."""
    likeness = copy.copy(vm)
    likeness.disks, likeness.nics = [copy.copy(disk) for disk in vm.disks], [copy.copy(nic) for nic in vm.nics]
    return likeness


def _carry(values: dict[int, str], arrived: Vm, *, here: Estate, there: Estate) -> None:
    """Give it its custom attributes, by their names: each vCenter numbers them itself."""
    for key, text in values.items():
        field = here.custom_fields.get(key)
        same = [one for one in there.custom_fields.of(arrived) if (one.name, one.type) == (field.name, field.type)]
        arrived.custom[(same or [there.custom_fields.add(field.name, field.type)])[0].key] = text
    there.inventory.changes.touch(arrived.ref)
