"""From the receiver to the intake: found lines and gaps wait here, a little while Redis answers, and longer while it
does not. Reading never waits for this; what does not fit is dropped, oldest first, and told as a gap.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from bot.errors import OutsideError
from bot.hostlog.cursor import Line
from bot.hostlog.line import HostKey
from bot.hostlog.roll import SourceKind
from bot.logs.port import Intake

MOST_OF_ONE: Final = 2_000
MOST: Final = 100_000
AT_ONCE: Final = 500
SENDERS: Final = 8
_PAUSES: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
_MOST_REASONS: Final = 4
_UNKEPT: Final = "lines of interest could not be kept by a defect of ours; the log of the watcher has the details"

logger = logging.getLogger(__name__)

Place = tuple[HostKey, str]


@dataclass(slots=True)
class _Parcel:
    """What waits of one log of one host."""

    lines: list[Line] = field(default_factory=list)
    read: int = 0
    reasons: list[str] = field(default_factory=list)
    lost: int = 0

    def gap(self) -> str:
        lost = [f"{self.lost} lines of interest were dropped while Redis did not answer"] if self.lost else []
        return "; ".join([*self.reasons, *lost])


class Delivery:
    """What was found, on its way. Lines of one log arrive in their order; `run` does the sending."""

    def __init__(self, intake: Intake, *, most: int = MOST, most_of_one: int = MOST_OF_ONE) -> None:
        self._intake = intake
        self._most = most
        self._most_of_one = most_of_one
        self._waiting: dict[Place, _Parcel] = {}
        self._under_way: set[Place] = set()
        self._lines = 0
        self._fresh = asyncio.Condition()
        self._failures = 0

    def put(self, host: HostKey, log: str, lines: Sequence[Line], *, read: int = 0, gap: str = "") -> None:
        """Have lines or a gap delivered soon. Never waits."""
        parcel = self._waiting.setdefault((host, log), _Parcel())
        parcel.lines += lines
        parcel.read += read
        self._lines += len(lines)
        if gap and gap not in parcel.reasons and len(parcel.reasons) < _MOST_REASONS:
            parcel.reasons.append(gap)
        self._bound(parcel, self._most_of_one)
        if self._lines > self._most:
            oldest = next((one for one in self._waiting.values() if one.lines), parcel)
            self._bound(oldest, len(oldest.lines) // 2)

    async def count(
        self, host: HostKey, log: str, *, read: int, throttled: int, behind: timedelta | None, trouble: str
    ) -> None:
        """Have lines counted that are not delivered. Where that cannot be now, they stay uncounted."""
        with suppress(OutsideError):
            await self._intake.push(
                *(host, log, ()),
                read=read,
                throttled=throttled,
                behind=behind,
                trouble=trouble,
                kind=SourceKind.SYSLOG,
            )

    def _bound(self, parcel: _Parcel, most: int) -> None:
        if (over := len(parcel.lines) - most) > 0:
            del parcel.lines[:over]
            parcel.lost += over
            self._lines -= over

    async def wake(self) -> None:
        """Send what was put."""
        if self._waiting:
            async with self._fresh:
                self._fresh.notify(SENDERS)

    async def run(self) -> None:
        """Send for ever. Several of these may run side by side."""
        while True:
            async with self._fresh:
                await self._fresh.wait_for(self._ready)
                place = next(place for place in self._waiting if place not in self._under_way)
                parcel = self._waiting.pop(place)
                self._under_way.add(place)
            try:
                sent = await self._send(place, parcel)
            finally:
                self._under_way.discard(place)
            if not sent:
                await asyncio.sleep(_PAUSES[min(self._failures, len(_PAUSES)) - 1])
            await self._settled()

    async def emptied(self) -> None:
        """Return once everything was sent."""
        async with self._fresh:
            self._fresh.notify_all()
            await self._fresh.wait_for(lambda: not self._waiting and not self._under_way)

    def _ready(self) -> bool:
        return any(place not in self._under_way for place in self._waiting)

    async def _settled(self) -> None:
        async with self._fresh:
            self._fresh.notify_all()

    async def _send(self, place: Place, parcel: _Parcel) -> bool:
        now, later = parcel.lines[:AT_ONCE], parcel.lines[AT_ONCE:]
        host, log = place
        try:
            await self._intake.push(host, log, now, read=parcel.read, gap=parcel.gap(), kind=SourceKind.SYSLOG)
        except OutsideError as error:
            if not self._failures:
                logger.warning("Lines that came by syslog wait, because they cannot be kept: %s", error)
            self._failures += 1
            self._put_back(place, parcel)
            return False
        except asyncio.CancelledError:
            self._put_back(place, parcel)
            raise
        except Exception:
            self._lines -= len(parcel.lines)
            if parcel.lines:
                self.put(host, log, (), gap=_UNKEPT)
            raise
        if self._failures:
            self._failures = 0
            logger.info("Lines that came by syslog are kept again.")
        self._lines -= len(now)
        if later:
            self._put_back(place, _Parcel(later))
        return True

    def _put_back(self, place: Place, parcel: _Parcel) -> None:
        """Before what came meanwhile, and at the head of the queue."""
        newer = self._waiting.pop(place, _Parcel())
        parcel.lines += newer.lines
        parcel.read += newer.read
        parcel.reasons = [*dict.fromkeys([*parcel.reasons, *newer.reasons])][:_MOST_REASONS]
        parcel.lost += newer.lost
        self._bound(parcel, self._most_of_one)
        self._waiting = {place: parcel, **self._waiting}
