"""A member of a vApp is placed by its vApp; out of it, it loses start order and properties."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, vm
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block a member of a vApp."""
    if choice.vm.vapp:
        yield block(f"{choice.vm.ref.name} is a member of the vApp {choice.vm.vapp}.")


GUARD = Guard(
    id="vapp",
    when="The VM is a member of a vApp.",
    weights=(Severity.BLOCK,),
    lifted_by="taking it out of the vApp",
    check=check,
    rests_on=vm("parentVApp"),
)
