"""Logs of two hosts tell one story only if their clocks agree; far apart, tickets are refused too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, note, survey, warn
from bot.migration.eta import in_words
from bot.migration.plan import Severity

WORTH_SAYING: Final = timedelta(seconds=2)
TOO_FAR: Final = timedelta(minutes=1)


def check(choice: Choice) -> Iterator[Finding]:
    """Warn from a minute on, note from two seconds on."""
    offsets = (choice.survey.clock_offsets if choice.survey else None) or {}
    for name, offset in sorted(offsets.items()):
        if abs(offset) < WORTH_SAYING:
            continue
        side = "ahead of" if offset > timedelta(0) else "behind"
        say = warn if abs(offset) >= TOO_FAR else note
        yield say(f"The clock of host {name} is {in_words(abs(offset))} {side} vCenter's.")


GUARD = Guard(
    id="clock-offsets",
    when="A host's clock is off vCenter's by a minute or more; from two seconds on a note.",
    weights=(Severity.WARN, Severity.NOTE),
    lifted_by="mending NTP on that host",
    check=check,
    refined_by=survey("clock_offsets"),
)
