"""What many looks at one link come to: their packets counted together, whole or by stretches of time. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.migration.intervals import CONFIDENCE, Interval, excluded_above, in_words, interval
from bot.migration.measured import LinkSample, SampleKind

MOST_PACKETS: Final = 5_000
"""None lost of so many excludes more than 0.06 %."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Packets of several looks together. Nothing is known of a link to which none was sent."""

    sent: int = 0
    lost: int = 0

    def __bool__(self) -> bool:
        return self.sent > 0

    @property
    def share(self) -> float:
        """Of 1; 0 where none was sent."""
        return self.lost / self.sent if self.sent else 0.0

    @property
    def interval(self) -> Interval:
        """Between which shares the true one is, 95 % sure."""
        return interval(self.lost, self.sent)

    @property
    def at_most(self) -> float:
        """The share that is excluded to be exceeded, 95 % sure."""
        return self.interval.high if self.lost else excluded_above(self.sent)

    @property
    def words(self) -> str:
        """`12 of 200 lost, 6 %, 95 % CI 3.5 to 10 %`."""
        return in_words(self.lost, self.sent)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The looks of one stretch of time."""

    middle: datetime
    loss: Loss


def pooled(samples: Iterable[LinkSample]) -> Loss:
    """All packets of these probes together; copies carry none."""
    probes = [sample for sample in samples if sample.kind is SampleKind.PROBE]
    sent = sum(probe.sent for probe in probes)
    return Loss(sent, min(sum(probe.lost for probe in probes), sent))


def stretches(samples: Sequence[LinkSample], *, since: datetime, until: datetime, most: int) -> list[Stretch]:
    """The time cut into `most` equal stretches, oldest first; those in which nothing was sent are left out."""
    each = (until - since) / most
    if each <= timedelta(0):
        return []
    by_number: dict[int, list[LinkSample]] = {}
    for sample in samples:
        if since <= sample.at <= until:
            by_number.setdefault(min((sample.at - since) // each, most - 1), []).append(sample)
    found = ((number, pooled(by_number[number])) for number in sorted(by_number))
    return [Stretch(since + each * (number + 0.5), loss) for number, loss in found if loss]


def packets_for(bound: float) -> int:
    """How many packets, none of them lost, exclude that more than this share is lost: about 3 / `bound`.

    For a bound that asks for more than can be sent in a reasonable time, what can.
    """
    if bound <= 0:
        return MOST_PACKETS
    exact = math.ceil(math.log(1 - CONFIDENCE) / math.log1p(-bound)) if bound < 1 else 1
    return min(exact, MOST_PACKETS)


def is_clean(loss: Loss, bound: float) -> bool:
    """Whether less than this share is lost: surely so, or by as many packets as can reasonably be asked for."""
    return bool(loss) and (loss.at_most <= bound or (loss.sent >= packets_for(bound) and loss.share <= bound))
