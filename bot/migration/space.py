"""What a copy will occupy, by datastore. Pure."""

from __future__ import annotations

from bot.migration.choice import Choice
from bot.migration.facts import Disk


def needed_bytes(choice: Choice) -> dict[str, int]:
    """Bytes by datastore: the disks as they will be there, and with the VM whatever else it has on datastores now."""
    moved = {move.key: move for move in choice.disk_moves}
    needs = {choice.datastore_name: max(choice.vm.committed - sum(disk.used for disk in choice.vm.disks), 0)}
    for disk in choice.vm.disks:
        move = moved.get(disk.key)
        place = move.datastore if move else choice.datastore_name
        needs[place] = needs.get(place, 0) + disk_bytes(disk, thin=bool(move and move.thin))
    return needs


def disk_bytes(disk: Disk, *, thin: bool) -> int:
    """What a disk occupies as a copy: if thin what is used of it, else all of it."""
    return disk.used if disk.thin or thin else disk.capacity


def swap_bytes(choice: Choice) -> int:
    """The swap file that is made when the VM is powered on: its memory without what is reserved."""
    return max(choice.vm.memory - choice.vm.memory_reservation, 0)
