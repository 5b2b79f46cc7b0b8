"""A host carries eight provisioning operations at once; vCenter queues the ninth, and the card would stand still."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, host, source_host, warn
from bot.migration.plan import Severity

MOST: Final = 8
"""Other provisioning operations per host (vSphere docs, "Host limits"; KB 326281)."""


def check(choice: Choice) -> Iterator[Finding]:
    """Warn of a full host at either end."""
    for end in (choice.vm.on, choice.host):
        if end is not None and end.copies is not None and end.copies >= MOST:
            yield warn(
                f"Host {end.name} has {end.copies} copies under way; {MOST} run at once, and vCenter queues more."
            )


GUARD = Guard(
    id="provisioning-slots",
    when="A host at either end has eight copies under way, by whomever.",
    weights=(Severity.WARN,),
    lifted_by="waiting for them to end, or another --host",
    check=check,
    rests_on=(*source_host("vm"), *host("vm")),
)
