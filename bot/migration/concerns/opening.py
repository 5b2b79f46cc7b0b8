"""A copy starts only within the windows of both sites, and not while one of them is frozen."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.calendar import Closed
from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, warn
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Warn of a start that will have to wait; block one for which the config leaves no time at all."""
    if choice.outlook is None:
        return
    start = choice.outlook.earliest(choice.request)
    opening = choice.outlook.calendar.opening(choice.sites, start)
    if not isinstance(opening, Closed):
        return
    whose = f"whoever keeps coldmigrate.toml ({', '.join(opening.keys)})"
    if opening.until is None:
        yield block(opening.why, whose)
        return
    asked = "At the time that was asked for: " if start > choice.outlook.now else ""
    yield warn(f"{asked}{opening.why} Approved, it waits until then.", whose)


GUARD = Guard(
    id="opening",
    when="A window is closed or a site frozen; a block where the config leaves no time at all.",
    weights=(Severity.BLOCK, Severity.WARN),
    lifted_by="whoever keeps coldmigrate.toml",
    check=check,
)
