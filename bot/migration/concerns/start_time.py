"""When it starts is said before anybody approves it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.plan import Concern, Severity


def check(choice: Choice) -> Iterator[Concern]:
    """Note a start that was asked for and is still to come."""
    outlook, asked = choice.outlook, choice.request.not_before
    if outlook is not None and asked is not None and asked > outlook.now:
        yield Concern(
            "start-time",
            Severity.NOTE,
            f"It does not start before {outlook.calendar.in_words(asked)}, as was asked for.",
            lifted_by="cancelling it and asking again",
        )
