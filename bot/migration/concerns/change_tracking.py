"""Changed block tracking starts anew at another place, and with it the chain of a backup."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, note, vm
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Note: the next backup may have to read all of it."""
    if choice.vm.change_tracking:
        yield note(
            f"{choice.vm.ref.name} has changed block tracking: expect a full backup of {len(choice.vm.disks)} disks"
            " after the move."
        )


GUARD = Guard(
    id="change-tracking",
    when="Changed block tracking is on; the next backup may be a full one.",
    weights=(Severity.NOTE,),
    lifted_by="nothing to do; tell whoever keeps the backups",
    check=check,
    rests_on=vm("config.changeTrackingEnabled"),
)
