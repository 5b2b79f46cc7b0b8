"""Every datastore has a largest file; a disk above it fails after its last block, or at once."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, datastore, vm
from bot.migration.plan import Severity
from bot.migration.size import gib


def check(choice: Choice) -> Iterator[Finding]:
    """Block a disk that is larger than a file may be on the datastore that it goes to."""
    places = {move.key: move.datastore for move in choice.disk_moves}
    most = {store.name: store.max_file for store in choice.targets}
    for disk in choice.vm.disks:
        place = places.get(disk.key, choice.datastore_name)
        limit = most.get(place)
        if limit is not None and disk.capacity > limit:
            yield block(
                f"{disk.label} of {choice.vm.ref.name} is {gib(disk.capacity)}; {place} takes files of {gib(limit)}"
                " at most."
            )


GUARD = Guard(
    id="largest-file",
    when="A disk is larger than a file may be on its target datastore.",
    weights=(Severity.BLOCK,),
    lifted_by="another datastore for it (--datastore)",
    check=check,
    rests_on=(*datastore("info.maxFileSize"), *vm("config.hardware.device")),
)
