"""A copy that begins late in its window is still running when the window closes."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.calendar import Closed
from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, unknown, warn
from bot.migration.eta import in_words, time_for
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Warn when the time that is left does not do, at the last rate of the link."""
    outlook = choice.outlook
    if outlook is None:
        return
    start = outlook.earliest(choice.request)
    opening = outlook.calendar.opening(choice.sites, start)
    if isinstance(opening, Closed) and opening.until is not None:  # it will wait until then
        start = opening.until
        opening = outlook.calendar.opening(choice.sites, start)
    if isinstance(opening, Closed) or opening.until is None:
        return
    closes = outlook.calendar.in_words(opening.until)
    needed = time_for(choice.size, outlook.rates.get(choice.link))
    if needed is None:
        yield unknown(
            f"whether it fits into the window that closes {closes}: no copy over {choice.link} has told a rate yet",
            "the first copy over that link, or a canary",
        )
    elif start + needed > opening.until:
        yield warn(
            f"It does not fit: at the last rate of this link it takes {in_words(needed)}, and of the window that"
            f" closes {closes} there are {in_words(opening.until - start)}. "
            "A copy that has begun is not stopped when the window closes."
        )


GUARD = Guard(
    id="window-fit",
    when="At the last rate of the link it is not done when the window closes.",
    weights=(Severity.WARN,),
    lifted_by="starting at the beginning of a window that is long enough (--at)",
    check=check,
)
