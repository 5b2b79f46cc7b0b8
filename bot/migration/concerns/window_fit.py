"""A copy that begins late in its window is still running when the window closes."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.calendar import Closed
from bot.migration.choice import Choice
from bot.migration.eta import in_words, time_for
from bot.migration.plan import Concern, Severity


def check(choice: Choice) -> Iterator[Concern]:
    """Warn when the time that is left does not do, at the last rate of the link; say nothing without one."""
    outlook = choice.outlook
    needed = time_for(choice.size, outlook.rates.get(choice.link)) if outlook else None
    if outlook is None or needed is None:
        return
    start = outlook.earliest(choice.request)
    opening = outlook.calendar.opening(choice.sites, start)
    if isinstance(opening, Closed) and opening.until is not None:  # it will wait until then
        start = opening.until
        opening = outlook.calendar.opening(choice.sites, start)
    if isinstance(opening, Closed) or opening.until is None or start + needed <= opening.until:
        return
    yield Concern(
        "window-fit",
        Severity.WARN,
        f"It does not fit: at the last rate of this link it takes {in_words(needed)}, and of the window that closes "
        f"{outlook.calendar.in_words(opening.until)} there are {in_words(opening.until - start)}. "
        "A copy that has begun is not stopped when the window closes.",
        lifted_by="starting at the beginning of a window that is long enough (--at)",
    )
