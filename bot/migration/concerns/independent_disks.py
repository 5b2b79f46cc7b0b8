"""Independent disks travel well when it is off; what they are not part of are snapshots and most backups."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, note, vm, warn
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Note independent disks; warn of nonpersistent ones, whose changes end with the power."""
    name = choice.vm.ref.name
    for disk in choice.vm.disks:
        if not disk.mode.startswith("independent"):
            continue
        if disk.mode.endswith("nonpersistent"):
            yield warn(f"{disk.label} of {name} is nonpersistent: what was written since power-on is not copied.")
        else:
            yield note(f"{disk.label} of {name} is independent: it is copied, and snapshots do not include it.")


GUARD = Guard(
    id="independent-disks",
    when="A disk is independent; nonpersistent ones lose what was written since power-on.",
    weights=(Severity.WARN, Severity.NOTE),
    lifted_by="making the disk dependent, or approving it as it is",
    check=check,
    rests_on=vm("config.hardware.device"),
)
