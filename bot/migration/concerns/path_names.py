"""Hosts call each other by name; one that cannot resolve the other's fails before the first byte."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, survey, warn
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Warn of a host that does not resolve the other's name."""
    measured = choice.survey.measured if choice.survey else None
    if measured is None:
        return
    others = {measured.source_host: measured.target_host, measured.target_host: measured.source_host}
    for name, resolves in sorted(measured.resolves.items()):
        if not resolves:
            yield warn(f"Host {name} does not resolve the name {others.get(name, 'of the other end')}.")


GUARD = Guard(
    id="path-names",
    when="A host does not resolve the other's name.",
    weights=(Severity.WARN,),
    lifted_by="whoever keeps DNS, or the hosts' files",
    check=check,
    rests_on=survey("measured"),
)
