"""A template has no power state and is deployed from, not migrated."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, vm
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block a template."""
    if choice.vm.template:
        yield block(f"{choice.vm.ref.name} is a template.")


GUARD = Guard(
    id="template",
    when="The VM is a template.",
    weights=(Severity.BLOCK,),
    lifted_by="converting it to a virtual machine",
    check=check,
    rests_on=vm("config.template"),
)
