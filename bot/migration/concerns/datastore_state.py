"""The target datastore must be there and usable."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, datastore
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block a missing or inaccessible datastore, and one in or entering maintenance."""
    if choice.datastore is None:
        known = ", ".join(d.name for d in choice.site.datastores) or "none"
        yield block(
            f"{choice.site.spec.name} has no datastore named {choice.datastore_name}; it has: {known}.",
            "naming one of them with --datastore, or mending the config",
        )
    for store in choice.targets:
        if not store.accessible:
            yield block(f"Datastore {store.name} is not accessible.", "the storage team")
        if store.maintenance != "normal":
            yield block(
                f"Datastore {store.name} is in maintenance ({store.maintenance}).",
                "leaving maintenance mode, or another --datastore",
            )


GUARD = Guard(
    id="datastore-state",
    when="A target datastore is missing, inaccessible, or in or entering maintenance.",
    weights=(Severity.BLOCK,),
    lifted_by="another --datastore",
    check=check,
    rests_on=datastore("summary.accessible", "summary.maintenanceMode"),
    ignorance=Severity.WARN,
)
