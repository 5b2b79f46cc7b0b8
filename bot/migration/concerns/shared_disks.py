"""A disk that two VMs write to cannot leave with one of them."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, vm
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block multi-writer disks and SCSI controllers that share their bus."""
    name = choice.vm.ref.name
    for disk in choice.vm.disks:
        if disk.sharing not in ("", "sharingNone"):
            yield block(f"{disk.label} of {name} is shared with other VMs ({disk.sharing}).")
    for sharing in choice.vm.bus_sharing:
        yield block(f"A SCSI controller of {name} shares its bus ({sharing}): its disks may belong to a cluster.")


GUARD = Guard(
    id="shared-disks",
    when="A disk is multi-writer, or a SCSI controller shares its bus.",
    weights=(Severity.BLOCK,),
    lifted_by="whoever keeps the cluster in it: moving all its members by another way",
    check=check,
    rests_on=vm("config.hardware.device"),
    ignorance=Severity.WARN,
)
