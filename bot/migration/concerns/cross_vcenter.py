"""A move to another vCenter leaves permissions, tags, alarms and history behind."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, note
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Note it; block it while it is not known who that vCenter is."""
    there = choice.site.spec
    if choice.vm.ref.vcenter == there.vcenter:
        return
    if choice.far is None:
        yield block(
            f"{there.name} is in vCenter {there.vcenter}, which has not told who it is.", "an answer of that vCenter"
        )
    else:
        yield note(
            f"It goes to vCenter {there.vcenter}: permissions, tags, alarms and history of {choice.vm.ref.name} stay"
            f" at {choice.vm.ref.vcenter}."
        )


GUARD = Guard(
    id="cross-vcenter",
    when="The site is in another vCenter; a block while its identity is not known.",
    weights=(Severity.BLOCK, Severity.NOTE),
    lifted_by="an answer of that vCenter",
    check=check,
)
