"""When it starts is said before anybody approves it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, note
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Note a start that was asked for and is still to come."""
    outlook, asked = choice.outlook, choice.request.not_before
    if outlook is not None and asked is not None and asked > outlook.now:
        yield note(f"It does not start before {outlook.calendar.in_words(asked)}, as was asked for.")


GUARD = Guard(
    id="start-time",
    when="A start was asked for that is still to come.",
    weights=(Severity.NOTE,),
    lifted_by="cancelling it and asking again",
    check=check,
)
