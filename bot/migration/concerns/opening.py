"""A copy starts only within the windows of both sites, and not while one of them is frozen."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.calendar import Closed
from bot.migration.choice import Choice
from bot.migration.plan import Concern, Severity


def check(choice: Choice) -> Iterator[Concern]:
    """Warn of a start that will have to wait; block one for which the config leaves no time at all."""
    if choice.outlook is None:
        return
    start = choice.outlook.earliest(choice.request)
    opening = choice.outlook.calendar.opening(choice.sites, start)
    if not isinstance(opening, Closed):
        return
    keys = ", ".join(opening.keys)
    if opening.until is None:
        yield Concern("opening", Severity.BLOCK, opening.why, lifted_by=f"whoever keeps coldmigrate.toml ({keys})")
        return
    asked = "At the time that was asked for: " if start > choice.outlook.now else ""
    yield Concern(
        "opening",
        Severity.WARN,
        f"{asked}{opening.why} Approved, it waits until then.",
        lifted_by=f"whoever keeps coldmigrate.toml ({keys})",
    )
