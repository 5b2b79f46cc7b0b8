"""Numbers as people read them on a card. Pure. Sizes are `bot.migration.size`'s binary units; rates are megabits."""

from __future__ import annotations

import math
from typing import Final

BAR_CELLS: Final = 20
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


def bar(percent: int) -> str:
    """Twenty cells and the percent; full only when it is done."""
    shown = min(max(percent, 0), 100)
    full = shown * BAR_CELLS // 100
    return f"{'█' * full}{'░' * (BAR_CELLS - full)} {shown} %"


def rate(bytes_per_second: float | None) -> str:
    """`180 Mbit/s`, or empty while nothing sensible is known."""
    if bytes_per_second is None or not math.isfinite(bytes_per_second) or bytes_per_second < 0:
        return ""
    megabits = bytes_per_second * 8 / 1_000_000
    return f"{megabits:.1f} Mbit/s" if megabits < 10 else f"{megabits:.0f} Mbit/s"  # noqa: PLR2004


def against(bytes_per_second: float | None, usual: float | None) -> str:
    """`96 Mbit/s, 15 % of the usual 640 Mbit/s`; the rate alone while no other is known."""
    now, baseline = rate(bytes_per_second), rate(usual)
    if bytes_per_second is None or not usual or not now or not baseline:
        return now
    return f"{now}, {bytes_per_second / usual * 100:.0f} % of the usual {baseline}"


def eta(seconds: float | None) -> str:
    """`about 4 min`, coarser the longer it takes; empty while nothing sensible is known."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return ""
    if seconds < _MINUTE:
        return "less than a minute"
    minutes = round(seconds / _MINUTE)
    if minutes * _MINUTE < _HOUR:
        return f"about {minutes} min"
    if seconds < _DAY:
        return f"about {_two(minutes, 60, 'h', 'min')}"
    return f"about {_two(round(seconds / _HOUR), 24, 'd', 'h')}"


def _two(small: int, per_big: int, big_unit: str, small_unit: str) -> str:
    big, rest = divmod(small, per_big)
    return f"{big} {big_unit} {rest} {small_unit}" if rest else f"{big} {big_unit}"
