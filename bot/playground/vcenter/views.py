"""Views and task history collectors: the small objects that a session makes for itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bot.playground.vcenter.inventory import Entity, Folder
from bot.playground.vcenter.properties import Reader
from bot.playground.vcenter.schema import schema
from bot.playground.vcenter.tasks import Task, TaskBoard
from bot.playground.vcenter.wire import Data, Ref

_PAGE = 10


@dataclass(eq=False)
class ContainerView:
    """Everything of some types below a container; follows the inventory."""

    container: Entity
    types: tuple[str, ...]
    recursive: bool

    def members(self, reader: Reader) -> list[Ref]:
        inside = reader.estate.inventory.below(self.container) if self.recursive else self._children()
        return [entity.ref for entity in inside if self._wanted(entity)]

    def _children(self) -> list[Entity]:
        return self.container.children if isinstance(self.container, Folder) else []

    def _wanted(self, entity: Entity) -> bool:
        return not self.types or any(schema().extends(entity.wire, wanted) for wanted in self.types)


@dataclass(eq=False)
class ListView:
    """What a client put together; members that are gone fall out."""

    refs: dict[Ref, None] = field(default_factory=dict)

    def members(self, reader: Reader) -> list[Ref]:
        return [ref for ref in self.refs if reader.find(ref) is not None]


@dataclass(frozen=True)
class TaskFilter:
    """A TaskFilterSpec, as far as it is played. Unset parts let everything through."""

    entities: tuple[Entity, ...] | None = None
    time_type: str = "queuedTime"
    begin: datetime | None = None
    end: datetime | None = None
    states: tuple[str, ...] = ()
    users: tuple[str, ...] = ()

    def passes(self, task: Task) -> bool:
        if self.entities is not None and task.entity not in self.entities:
            return False
        if (self.states and task.state not in self.states) or (self.users and task.user not in self.users):
            return False
        moments = {"queuedTime": task.queued, "startedTime": task.started, "completedTime": task.completed}
        moment = moments[self.time_type]
        if self.begin is None and self.end is None:
            return True
        return moment is not None and (self.begin or moment) <= moment <= (self.end or moment)


class TaskHistory:
    """A TaskHistoryCollector: a cursor that runs over the history, oldest first."""

    def __init__(self, board: TaskBoard, wanted: TaskFilter) -> None:
        self._board = board
        self._wanted = wanted
        self._page = _PAGE
        self._position = 0

    def set_page(self, size: int) -> None:
        self._page = size

    def latest_page(self) -> list[Data]:
        """Return the newest tasks, newest first."""
        return [task.info for task in self._matching()[-self._page :][::-1]]

    def rewind(self) -> None:
        """Put the cursor before the oldest task."""
        self._position = 0

    def reset(self) -> None:
        """Put the cursor where the latest page begins."""
        self._position = max(0, len(self._matching()) - self._page)

    def next(self, count: int) -> list[Data]:
        """Return tasks after the cursor and move it behind them."""
        found = self._matching()[self._position : self._position + count]
        self._position += len(found)
        return [task.info for task in found]

    def previous(self, count: int) -> list[Data]:
        """Return tasks before the cursor and move it before them."""
        start = max(0, self._position - count)
        found = self._matching()[start : self._position]
        self._position = start
        return [task.info for task in found]

    def _matching(self) -> list[Task]:
        return [task for task in self._board.history if self._wanted.passes(task)]
