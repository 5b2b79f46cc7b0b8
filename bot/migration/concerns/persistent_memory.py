"""Persistent memory is in the host's own modules."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, vm
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block NVDIMMs and disks on PMem: they need modules of the same kind over there, which is not looked at."""
    name = choice.vm.ref.name
    for device in choice.vm.devices:
        if device.kind == "nvdimm":
            yield block(f"{device.label} of {name} is persistent memory of its host.")
    for disk in choice.vm.disks:
        if disk.form == "pmem":
            yield block(f"{disk.label} of {name} is on persistent memory of its host.")


GUARD = Guard(
    id="persistent-memory",
    when="The VM has an NVDIMM, or a disk on PMem.",
    weights=(Severity.BLOCK,),
    lifted_by="moving its content to an ordinary disk",
    check=check,
    rests_on=vm("config.hardware.device"),
    ignorance=Severity.WARN,
)
