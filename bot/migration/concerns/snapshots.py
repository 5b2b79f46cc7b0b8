"""Snapshots travel, with their whole chain; the person should know."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.plan import Concern, Severity


def check(choice: Choice) -> Iterator[Concern]:
    """Warn: the chain is copied whole and must be intact."""
    if choice.vm.has_snapshots:
        yield Concern(
            "snapshots",
            Severity.WARN,
            f"{choice.vm.ref.name} has snapshots: the whole chain is copied.",
            lifted_by="consolidating first, or approving it as it is",
        )
