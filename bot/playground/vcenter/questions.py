"""Questions that VMs wait with, and the one that this player asks itself: whether a VM was moved or copied.

When it is asked, its answers and what uuid.action spares are from KB 1541; the text is that of a VM's own message
msg.uuid.altered (techhead.co, "ESX: I moved it or I copied it").
"""

from __future__ import annotations

import uuid

from bot.playground.vcenter.inventory import Vm
from bot.playground.vcenter.naming import mac_of

MOVED_OR_COPIED = (
    "msg.uuid.altered:This virtual machine may have been moved or copied. In order to configure certain management "
    "and networking features, VMware ESX needs to know which."
)
CANCEL, MOVED, COPIED = "0", "1", "2"
DOOR_LOCKED = (
    "msg.cdromdisconnect.locked:The guest operating system has locked the CD-ROM door and is probably using the "
    "CD-ROM, which can prevent the guest from recognizing media changes. Disconnect anyway (and override the lock)?"
)
YES = "0"
_CHOICES = ("Cancel", "I moved it", "I copied it")


def choices(vm: Vm) -> tuple[str, ...]:
    """Return the answers that a VM's question has; their keys are their places."""
    return _CHOICES if vm.question == MOVED_OR_COPIED else ("Yes", "No")


def arrives(vm: Vm) -> bool:
    """Let a VM find out where it is as it starts, once. False: it asks, and waits for the answer."""
    action = next((value.lower() for key, value in vm.extra.items() if key.lower() == "uuid.action"), "")
    if vm.written_for and action not in {"keep", "create"}:
        vm.question = MOVED_OR_COPIED
        return False
    if vm.written_for:
        settle(vm, copied=action == "create")
    return True


def settle(vm: Vm, *, copied: bool) -> None:
    """Let it be at home where it is; a copy gets a UUID and MACs of its own."""
    vm.written_for = ""
    if copied:
        vm.bios_uuid = str(uuid.uuid4())
        for nic in vm.nics:
            nic.mac = mac_of(uuid.uuid4().hex)
