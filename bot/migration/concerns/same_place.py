"""Moving a VM to where it already is helps nobody."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, vm
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block when the VM is at the site already."""
    if choice.source_site == choice.site.spec.name:
        yield block(f"{choice.vm.ref.name} already is at {choice.site.spec.name} (host {choice.vm.host}).")


GUARD = Guard(
    id="same-place",
    when="The VM is at the site already.",
    weights=(Severity.BLOCK,),
    lifted_by="naming another site",
    check=check,
    rests_on=vm("parent", "runtime.host"),
    ignorance=Severity.WARN,
)
