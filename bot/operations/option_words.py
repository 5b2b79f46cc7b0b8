"""The options of a migration as people read them, on its card and wherever else it is told of. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.request import MigrationRequest


def options_in_words(request: MigrationRequest) -> str:
    """`thin, shut down before, power on after`; empty for a plain move."""
    return ", ".join(_options(request))


def _options(request: MigrationRequest) -> Iterator[str]:
    """In the order in which things are done."""
    if request.canary:
        yield "a canary: it moves only to try the path"
    if request.force:
        yield "warnings lifted beforehand (--force)"
    if request.when_clean:
        yield "once the link is clean"
    if request.shutdown:
        yield "shut down before"
    if request.disconnect_drives:
        yield "images taken out of drives"
    if request.consolidate:
        yield "consolidate before"
    if request.thin:
        yield "thin"
    yield from (f"{label} to {datastore}" for label, datastore in request.disk_datastores.items())
    if request.power_on:
        yield "power on after"
