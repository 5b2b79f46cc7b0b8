"""A linked clone writes to a delta of a disk that other VMs share; across sites that disk stays behind."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, vm
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block a linked clone."""
    if choice.vm.linked_clone:
        yield block(f"{choice.vm.ref.name} is a linked clone: a parent of its disks belongs to another VM.")


GUARD = Guard(
    id="linked-clone",
    when="A parent of a disk belongs to another VM.",
    weights=(Severity.BLOCK,),
    lifted_by="making a full clone of it and moving that",
    check=check,
    rests_on=vm("config.hardware.device", "layoutEx"),
    ignorance=Severity.WARN,
)
