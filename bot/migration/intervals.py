"""What a count of losses says: its share, and how sure that is. Pure; the standard formulas, no library.

Counts never go without their interval: "12 of 200" is what was seen, "3.5 to 10 %" what it can be taken for.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

CONFIDENCE: Final = 0.95
_Z: Final = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: two sides of 95 %."""


LEAST_LOST: Final = 2
"""Packets that are lost by more than chance at the beginning; one is, on any network, now and then."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Between what and what a share lies; both within 0 and 1."""

    low: float
    high: float

    def __contains__(self, share: float) -> bool:
        return self.low <= share <= self.high


def interval(count: int, of: int) -> Interval:
    """The 95 % interval of Wilson's score for `count` of `of`; everything is possible of none."""
    _check(count, of)
    if of == 0:
        return Interval(0.0, 1.0)
    share, spread = count / of, _Z**2 / of
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    low = 0.0 if count == 0 else max(middle - half, 0.0)
    high = 1.0 if count == of else min(middle + half, 1.0)
    return Interval(low, high)


def exceeds(lost: int, sent: int, bound: float) -> bool:
    """Whether surely more than this share is lost: 95 % sure, and by more than one packet.

    The formulas take each packet for itself. The first after a pause is not like the others: it may be dropped while
    neighbours and flows are looked up, on a network that loses none.
    """
    return lost >= LEAST_LOST and interval(lost, sent).low > bound


def excluded_above(of: int) -> float:
    """Above which share 0 of `of` excludes it, one-sided at 95 %: exact; about 3 / `of`, as the rule of three says."""
    _check(0, of)
    return 1 - (1 - CONFIDENCE) ** (1 / of) if of else 1.0


def in_words(lost: int, sent: int) -> str:
    """`12 of 200 lost, 6 %, 95 % CI 3.5 to 10 %`, `0 of 200 lost, which excludes more than 1.5 %`, `none sent`."""
    _check(lost, sent)
    if sent == 0:
        return "none sent"
    seen = f"{lost} of {sent} lost"
    if lost == 0:
        return f"{seen}, which excludes more than {percent(excluded_above(sent))}"
    bounds = interval(lost, sent)
    return f"{seen}, {percent(lost / sent)}, 95 % CI {_digits(bounds.low)} to {percent(bounds.high)}"


def percent(share: float) -> str:
    """`6 %`, `3.5 %`, `0.15 %`: two digits that count, and no more zeros than needed."""
    return f"{_digits(share)} %"


def _digits(share: float) -> str:
    hundredths = share * 100
    if hundredths >= 10:  # noqa: PLR2004 - two digits are before the point
        return f"{hundredths:.0f}"
    return f"{hundredths:.2g}" if hundredths >= 0.01 or share == 0 else "0.01"  # noqa: PLR2004 - finer is no use


def _check(count: int, of: int) -> None:
    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of} is no count of losses")
