"""The target datastore must be there and usable."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.plan import Concern, Severity


def check(choice: Choice) -> Iterator[Concern]:
    """Block a missing or inaccessible datastore, and one in or entering maintenance."""
    datastore = choice.datastore
    if datastore is None:
        known = ", ".join(d.name for d in choice.site.datastores) or "none"
        yield Concern(
            "datastore-state",
            Severity.BLOCK,
            f"{choice.site.spec.name} has no datastore named {choice.datastore_name}; it has: {known}.",
            lifted_by="naming one of them with --datastore, or mending the config",
        )
        return
    if not datastore.accessible:
        yield Concern(
            "datastore-state",
            Severity.BLOCK,
            f"Datastore {datastore.name} is not accessible.",
            lifted_by="the storage team",
        )
    if datastore.maintenance != "normal":
        yield Concern(
            "datastore-state",
            Severity.BLOCK,
            f"Datastore {datastore.name} is in maintenance ({datastore.maintenance}).",
            lifted_by="leaving maintenance mode, or another --datastore",
        )
