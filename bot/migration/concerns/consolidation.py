"""Deltas that no snapshot owns are what a broken backup left; they travel too, and nobody sees them in the client."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, note, vm, warn
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Warn when disks need consolidation; note that it will be done if --consolidate asks for it."""
    found = choice.vm.snapshots
    if found is None or not found.needs_consolidation:
        return
    name = choice.vm.ref.name
    if choice.request.consolidate:
        yield note(
            f"Disks of {name} are consolidated before the copy, as was asked for; that may take long.",
            "asking again without --consolidate",
        )
    else:
        yield warn(f"Disks of {name} need consolidation: deltas that no snapshot owns would be copied too.")


GUARD = Guard(
    id="consolidation",
    when="Disks need consolidation. --consolidate lifts it.",
    weights=(Severity.WARN, Severity.NOTE),
    lifted_by="--consolidate, or consolidating them in the vSphere Client",
    check=check,
    rests_on=vm("runtime.consolidationNeeded"),
)
