"""Moving a VM to where it already is helps nobody."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.plan import Concern, Severity


def check(choice: Choice) -> Iterator[Concern]:
    """Block when the VM is at the site already."""
    if choice.source_site == choice.site.spec.name:
        yield Concern(
            "same-place",
            Severity.BLOCK,
            f"{choice.vm.ref.name} already is at {choice.site.spec.name} (host {choice.vm.host}).",
            lifted_by="naming another site",
        )
