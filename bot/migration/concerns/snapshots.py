"""Snapshots travel with their whole chain, which is slower and fragile; the person should know how much it is."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, unknown, vm, warn
from bot.migration.facts import Snapshots
from bot.migration.plan import Severity
from bot.migration.size import gib


def check(choice: Choice) -> Iterator[Finding]:
    """Warn: the chain is copied whole and must be intact."""
    name, found = choice.vm.ref.name, choice.vm.snapshots
    if found is None and choice.vm.has_snapshots:
        yield warn(f"{name} has snapshots: the whole chain is copied.")
    elif found is not None and found.count:
        yield warn(_in_words(name, found))
        if found.size is None:
            yield unknown(f"how many bytes the snapshots of {name} are")


def _in_words(name: str, found: Snapshots) -> str:
    many = f"{found.count} snapshot{'s' if found.count > 1 else ''}"
    depth = f", {found.depth} deep" if found.depth > 1 else ""
    size = f", {gib(found.size)} of deltas and memory" if found.size is not None else ""
    oldest = f", the oldest of {found.oldest:%Y-%m-%d}" if found.oldest else ""
    return f"{name} has {many}{depth}{size}{oldest}: the whole chain is copied, and must be intact."


GUARD = Guard(
    id="snapshots",
    when="The VM has snapshots: how many, how deep, how large, how old.",
    weights=(Severity.WARN,),
    lifted_by="deleting them first, or approving it as it is",
    check=check,
    rests_on=vm("snapshot"),
    refined_by=vm("layoutEx"),
    ignorance=Severity.WARN,
)
