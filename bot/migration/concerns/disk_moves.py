"""A disk that was given a datastore of its own must exist, and so must that datastore."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, note, vm
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block unknown labels and datastores; note disks that --thin cannot make thin."""
    there = {store.name for store in choice.site.datastores}
    labels = {disk.label for disk in choice.vm.disks}
    for label, store in sorted(choice.request.disk_datastores.items()):
        if label not in labels:
            yield block(f"{choice.vm.ref.name} has no disk '{label}'; it has: {', '.join(sorted(labels)) or 'none'}.")
        if store not in there:
            yield block(f"'{label}' is to go to datastore {store}, which {choice.site.spec.name} does not have.")
    for disk in choice.vm.disks:
        if choice.request.thin and not disk.thin and (disk.parents or disk.form != "flat"):
            yield note(f"{disk.label} of {choice.vm.ref.name} stays as it is: only plain disks become thin.")


GUARD = Guard(
    id="disk-moves",
    when="A disk or datastore that was named for a disk does not exist; --thin does not apply to a disk.",
    weights=(Severity.BLOCK, Severity.NOTE),
    lifted_by="naming a disk by its label and a datastore of the site",
    check=check,
    rests_on=vm("config.hardware.device"),
    ignorance=Severity.WARN,
)
