"""History collectors: a filter over the task or event history, its latest page, and a cursor that runs over it.

After the API reference of HistoryCollector: a new cursor stands before the oldest item; ReadNext goes towards the
newest, ReadPrevious towards the oldest and hands out newest first; reset puts it right before the latest page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.playground.vcenter import faults
from bot.playground.vcenter.happenings import EventLog, Happening
from bot.playground.vcenter.inventory import Entity
from bot.playground.vcenter.tasks import Task, TaskBoard
from bot.playground.vcenter.wire import Data

PER_SESSION = 32
_PAGE = 10
_LARGEST = 1000


def checked(count: int | None, argument: str = "maxCount") -> int:
    """Return a page size. Refuses with InvalidArgument what a vCenter would not hand out at once."""
    if count is None or not 0 < count <= _LARGEST:
        raise faults.invalid_argument(argument, f"expected 1 to {_LARGEST}")
    return count


class Filter(Protocol):
    """Says which items a history has; they come oldest first."""

    def items(self) -> list[Data]: ...


class History:
    """A HistoryCollector."""

    def __init__(self, wanted: Filter, *, type_: str, page: int = _PAGE) -> None:
        self.type = type_
        self._wanted = wanted
        self._page = page
        self._position = 0

    def set_page(self, size: int) -> None:
        self._page = size

    def latest_page(self) -> list[Data]:
        """Return the newest items, newest first."""
        return self._wanted.items()[-self._page :][::-1]

    def rewind(self) -> None:
        """Put the cursor before the oldest item."""
        self._position = 0

    def reset(self) -> None:
        """Put the cursor where the latest page begins."""
        self._position = max(0, len(self._wanted.items()) - self._page)

    def next(self, count: int) -> list[Data]:
        """Return items after the cursor and move it behind them."""
        found = self._wanted.items()[self._position : self._position + count]
        self._position += len(found)
        return found

    def previous(self, count: int) -> list[Data]:
        """Return items before the cursor, newest first, and move it before them."""
        start = max(0, self._position - count)
        found = self._wanted.items()[start : self._position]
        self._position = start
        return found[::-1]


@dataclass(frozen=True)
class Period:
    """A span of time, either end may be open."""

    begin: datetime | None = None
    end: datetime | None = None

    def holds(self, moment: datetime | None) -> bool:
        if self.begin is None and self.end is None:
            return True
        return moment is not None and (self.begin or moment) <= moment <= (self.end or moment)


@dataclass(frozen=True)
class TaskFilter:
    """A TaskFilterSpec, as far as it is played. Unset parts let everything through."""

    board: TaskBoard
    entities: tuple[Entity, ...] | None = None
    time_type: str = "queuedTime"
    period: Period = Period()
    states: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    chains: tuple[int, ...] = ()

    def items(self) -> list[Data]:
        return [task.info for task in self.board.history if self._passes(task)]

    def _passes(self, task: Task) -> bool:
        if self.entities is not None and task.entity not in self.entities:
            return False
        if (self.states and task.state not in self.states) or (self.users and task.user not in self.users):
            return False
        if self.chains and task.chain not in self.chains:
            return False
        moments = {"queuedTime": task.queued, "startedTime": task.started, "completedTime": task.completed}
        return self.period.holds(moments[self.time_type])


@dataclass(frozen=True)
class EventFilter:
    """An EventFilterSpec, as far as it is played."""

    log: EventLog
    entity: Entity | None = None
    recursion: str = "self"
    period: Period = Period()
    users: tuple[str, ...] = ()
    chain: int | None = None
    types: tuple[str, ...] = ()
    visible: Callable[[Happening], bool] = lambda _happening: True

    def items(self) -> list[Data]:
        return [happening.data for happening in self._passing()]

    def _passing(self) -> Iterable[Happening]:
        return (happening for happening in self.log if self._passes(happening))

    def _passes(self, happening: Happening) -> bool:
        if self.chain is not None and happening.chain != self.chain:
            return False
        if self.users and happening.user not in self.users:
            return False
        if self.types and not any(happening.is_a(type_) for type_ in self.types):
            return False
        return self.period.holds(happening.at) and self._concerns(happening) and self.visible(happening)

    def _concerns(self, happening: Happening) -> bool:
        if self.entity is None:
            return True
        itself = happening.subject == self.entity.ref
        below = self.entity.ref in happening.around
        return {"self": itself, "children": below, "all": itself or below}[self.recursion]
