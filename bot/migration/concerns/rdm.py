"""A raw device is a LUN of this site; at another site nothing is behind its pointer."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, vm
from bot.migration.plan import Severity

_MEANING = {
    "physicalMode": "physical: only its pointer would move, to a LUN that is not there",
    "virtualMode": "virtual: vCenter would turn it into a file of its full size",
}


def check(choice: Choice) -> Iterator[Finding]:
    """Block every raw device mapping, physical or virtual (RDMNotPreserved, RDMConversionNotSupported)."""
    for disk in choice.vm.disks:
        if disk.rdm:
            yield block(f"{disk.label} of {choice.vm.ref.name} is a raw device ({_MEANING.get(disk.rdm, disk.rdm)}).")


GUARD = Guard(
    id="rdm",
    when="A disk is a raw device mapping, in physical or virtual mode.",
    weights=(Severity.BLOCK,),
    lifted_by="the storage team: detaching it, or converting it to a VMDK first",
    check=check,
    rests_on=vm("config.hardware.device"),
    ignorance=Severity.WARN,
)
