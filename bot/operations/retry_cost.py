"""What a retry would cost, for whoever decides at night: it starts at 0 %, takes so long, and fits or does not."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.errors import OutsideError
from bot.migration.calendar import Calendar, Closed
from bot.migration.eta import in_words, time_for
from bot.migration.plan import Plan
from bot.operations.tools import WorkerTools


async def retry_cost(tools: WorkerTools, plan: Plan, *, last_rate: float | None) -> str:
    """One or two sentences. The rate is the link's usual one, else the best one of the copy that failed."""
    try:
        usual = await tools.links.usual_rate(plan.link) if tools.links is not None else None
        now = await tools.queue.now()
    except OutsideError:
        return "A retry starts at 0 %."
    whose = "the usual rate of the link" if usual else "the best rate that this copy had"
    return cost_in_words(plan, tools.fleet.calendar, rate=usual or last_rate, whose=whose, now=now)


def cost_in_words(plan: Plan, calendar: Calendar, *, rate: float | None, whose: str, now: datetime) -> str:
    """As in: a retry starts at 0 %: 9 h 10 min at the usual rate of the link. The window closes 06:00: it does not fit.

    `whose`: which rate that is.
    """
    needed = time_for(plan.size, rate)
    if needed is None:
        return "A retry starts at 0 %."
    return f"A retry starts at 0 %: {in_words(needed)} at {whose}.{_window(plan, calendar, needed, now)}"


def _window(plan: Plan, calendar: Calendar, needed: timedelta, now: datetime) -> str:
    opening = calendar.opening((plan.source.site, plan.target.site), now)
    if isinstance(opening, Closed):
        return f" {opening.why}"
    if opening.until is None:
        return ""
    fits = "it fits" if now + needed <= opening.until else "it does not fit"
    return f" The window closes {calendar.in_words(opening.until)}: {fits}."
