"""When the events of a world file happen: at a percentage of a copy, or so long after the world began.

Each happens once. What an event does is told in `switches`; every vCenter of the world plays what it knows of.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.playground.vcenter.clock import WorldClock
from bot.playground.world import Delay, Event, Moment

_NAP = 60.0
_SHORTEST = 0.005
Play = Callable[[Event], None]


class Timetable:
    """The events that are still to come."""

    def __init__(self, events: tuple[Event, ...], clock: WorldClock) -> None:
        self._due = list(events)
        self._clock = clock
        self._begun = clock()
        self._players: list[Play] = []

    def follow(self, play: Play) -> None:
        """Let somebody play all events from now on."""
        self._players.append(play)

    def reached(self, vm: str, percent: int) -> None:
        """Let happen what waits for this percentage of this VM's copy."""
        self._happen([event for event in self._due if event.at == Moment(percent=percent, vm=vm)])

    async def keep(self) -> None:
        """Let happen what waits for a time, until there is no more of it."""
        while left := self._seconds_left():
            revision, soonest = self._clock.changes.revision, min(left.values())
            if soonest > 0:
                await self._clock.changes.wait(beyond=revision, seconds=min(max(soonest, _SHORTEST), _NAP))
            self._happen([self._due[index] for index, seconds in self._seconds_left().items() if seconds <= 0])

    def _seconds_left(self) -> dict[int, float]:
        now = self._clock() - self._begun
        timed = ((index, event.at) for index, event in enumerate(self._due))
        return {index: (at.after - now).total_seconds() for index, at in timed if isinstance(at, Delay)}

    def _happen(self, events: list[Event]) -> None:
        for event in events:
            self._due.remove(event)
            for play in self._players:
                play(event)
