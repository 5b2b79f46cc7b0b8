"""A copy that begins late in its window is still running when the window closes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.migration.calendar import Closed, Open
from bot.migration.choice import Choice
from bot.migration.eta import in_words, time_for
from bot.migration.plan import Concern, Severity


def check(choice: Choice) -> Iterator[Concern]:
    """Warn when the time that is left does not do, at the last rate of the link; say nothing without one."""
    if (outlook := choice.outlook) is None or (start := _start(choice)) is None:
        return
    needed = time_for(choice.size, outlook.rates.get(choice.link))
    opening = outlook.calendar.opening(choice.sites, start)
    if needed is None or not isinstance(opening, Open) or opening.until is None or start + needed <= opening.until:
        return
    yield Concern(
        "window-fit",
        Severity.WARN,
        f"It does not fit: at the last rate of this link it takes {in_words(needed)}, and of the window that closes "
        f"{outlook.calendar.in_words(opening.until)} there are {in_words(opening.until - start)}. "
        "A copy that has begun is not stopped when the window closes.",
        lifted_by="starting at the beginning of a window that is long enough (--at)",
    )


def _start(choice: Choice) -> datetime | None:
    """When it can start at the earliest, if nobody else is in its way."""
    if choice.outlook is None or (start := choice.earliest) is None:
        return None
    opening = choice.outlook.calendar.opening(choice.sites, start)
    return opening.until if isinstance(opening, Closed) else start
