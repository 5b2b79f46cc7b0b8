"""One copy: bytes over a link in the world's time, percent by percent, until it is through or its session is dead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import inf

from bot.playground.vcenter import outcomes
from bot.playground.vcenter.clock import WorldClock
from bot.playground.vcenter.links import Closed, Link, Links
from bot.playground.vcenter.outcomes import EndedBadlyError, Ending
from bot.playground.vcenter.paths import Carrier, Path

_LONGEST_NAP = 1.0
_DONE = 100


class Trouble(StrEnum):
    """What a session suffers at a moment."""

    LOSSY = "lossy"
    """So many segments are lost that it cannot live long."""
    EATEN = "eaten"
    """Full segments are too large for the link, and nobody says so."""
    SILENCED = "silenced"
    """A firewall drops what comes."""
    RESET = "reset"
    """A firewall answers with resets."""
    DRY = "dry"
    """The link carries nothing, but loses nothing either."""


_STANDS_STILL = {Trouble.EATEN, Trouble.SILENCED, Trouble.DRY}
_KILLS = {
    Trouble.LOSSY: outcomes.SESSION_DIED,
    Trouble.EATEN: outcomes.SEGMENTS_EATEN,
    Trouble.SILENCED: outcomes.SESSION_SILENCED,
    Trouble.RESET: outcomes.SESSION_RESET,
}


@dataclass(frozen=True)
class Endurance:
    """What a session can take: it dies after `patience` of a trouble; `breaks_at` is the loss that is one.

    `timeout` is how long vCenter lets the whole copy take.
    """

    patience: timedelta
    breaks_at: float
    timeout: timedelta


@dataclass(frozen=True)
class Way:
    """What the bytes run over: from a site to a site, by a link and a path."""

    source: str
    destination: str
    link: Link
    links: Links
    path: Path

    def trouble(self, breaks_at: float) -> Trouble | None:
        """Say what the session suffers now, the worst first."""
        closed = self.links.closed(self.source, self.destination, self.path.port)
        if closed is not None:
            return Trouble.RESET if closed is Closed.REFUSED else Trouble.SILENCED
        if self.path.segment > self.link.mtu and not self.link.pmtud:
            return Trouble.EATEN
        if self.link.rate <= 0:
            return Trouble.DRY
        return Trouble.LOSSY if self.link.loss >= breaks_at else None


class Copy:
    """`size` bytes on their way. `moved` and `percent` say how far they are, whatever became of them."""

    def __init__(self, size: int, way: Way, *, endurance: Endurance, clock: WorldClock) -> None:
        self.size = size
        self.moved = 0.0
        self.percent = 0
        self._way = way
        self._endurance = endurance
        self._clock = clock
        self._flowing = False
        self._broken: Ending | None = None
        self._trouble: Trouble | None = None
        self._since = 0.0

    @property
    def bytes_per_second(self) -> float:
        """What flows at this moment; 0 before the copy and after it."""
        return self._rate(self._way.trouble(self._endurance.breaks_at)) if self._flowing else 0.0

    def break_off(self, ending: Ending) -> None:
        """Let the copy end this way, as soon as it looks up."""
        self._broken = ending
        self._way.link.changes.touch()

    async def run(self, on_percent: Callable[[int], None]) -> None:
        """Move the bytes. `on_percent` is called for every percent, in order; it may change the world.

        Refuses with EndedBadlyError when the session dies; whatever `on_percent` raises ends the copy too. The rate is
        the link's at each moment, so a change of it bites at once.
        """
        self._way.link.join()
        self._flowing = True
        begun = self._clock.seconds()
        try:
            await self._move(on_percent, begun)
            self._say_goodbye(begun)
        finally:
            self._flowing = False
            self._way.link.leave()

    async def _move(self, on_percent: Callable[[int], None], begun: float) -> None:
        link = self._way.link
        while self.percent < _DONE:
            now, revision = self._clock.seconds(), link.changes.revision
            left = self._suffer(now, deadline=begun + self._endurance.timeout.total_seconds())
            rate = self._rate(self._trouble)
            to_next = (self._goal(self.percent + 1) - self.moved) / rate if rate else _LONGEST_NAP
            await link.changes.wait(beyond=revision, seconds=max(0.0, min(to_next, left, _LONGEST_NAP)))
            passed = min(self._clock.seconds() - now, left)  # a clock that leaps lets no session outlive its end
            self.moved += rate * passed
            while self.percent < _DONE and self.moved >= self._goal(self.percent + 1):
                self.percent += 1
                before = link.changes.revision
                on_percent(self.percent)
                if link.changes.revision != before:  # the world changed at this percent: what came after it is void
                    self.moved = self._goal(self.percent)
                    break

    def _suffer(self, now: float, *, deadline: float) -> float:
        """Note what the session suffers; return for how many seconds it can go on like that, or end it."""
        if self._broken:
            raise EndedBadlyError(self._broken)
        trouble = self._way.trouble(self._endurance.breaks_at)
        if trouble is not self._trouble:
            self._wake_up(now)
            self._trouble, self._since = trouble, now
        dies_at = self._dies_at
        if trouble in _KILLS and dies_at <= min(now, deadline):
            raise EndedBadlyError(outcomes.UDT_DIED if self._is_udt else _KILLS[trouble])
        if now >= deadline:
            raise EndedBadlyError(outcomes.TIMED_OUT)
        return min(dies_at, deadline) - now

    @property
    def _dies_at(self) -> float:
        """When the session will be dead if its trouble lasts: at once, in a while, or never."""
        if self._trouble not in _KILLS:
            return inf
        return self._since + (0.0 if self._trouble is Trouble.RESET else self._endurance.patience.total_seconds())

    def _wake_up(self, now: float) -> None:
        """After a standstill the session may be forgotten by a firewall, although both ends think that it lives."""
        limit = self._way.link.idle_timeout
        if limit and self._trouble in _STANDS_STILL and now - self._since >= limit.total_seconds():
            raise EndedBadlyError(outcomes.UDT_DIED if self._is_udt else outcomes.SESSION_FORGOTTEN)

    def _say_goodbye(self, begun: float) -> None:
        """With UDT, nothing was said on 902 since the beginning: a firewall may have forgotten that session."""
        limit = self._way.link.idle_timeout
        if self._is_udt and limit and self._clock.seconds() - begun >= limit.total_seconds():
            raise EndedBadlyError(outcomes.CONTROL_FORGOTTEN)

    @property
    def _is_udt(self) -> bool:
        return self._way.path.carrier is Carrier.UDT

    def _rate(self, trouble: Trouble | None) -> float:
        return 0.0 if trouble in _STANDS_STILL or trouble is Trouble.RESET else self._way.link.bytes_per_second

    def _goal(self, percent: int) -> float:
        return self.size * percent / _DONE
