"""The copy is written by the target host, so that host must mount every datastore that it goes to."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, host
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block a host that does not mount the datastore, or one that a disk goes to."""
    if choice.host is None:
        return
    for store in choice.targets:
        if store.name not in choice.host.datastores:
            yield block(f"Host {choice.host.name} does not mount datastore {store.name}.")


GUARD = Guard(
    id="host-datastore",
    when="The target host does not mount a datastore that the copy goes to.",
    weights=(Severity.BLOCK,),
    lifted_by="another --host or --datastore",
    check=check,
    rests_on=host("datastore"),
    ignorance=Severity.WARN,
)
