"""Following tasks: one private property collector and one long poll, on a thread of its own, for all of a vCenter.

Followers come and go while the poll waits. When the session or the collector is lost, both are made again and every
task is read anew; a follower notices nothing but a repeated state, which it is spared. A default collector would
mix our filters with those of anybody else in the session.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pyVmomi import vim, vmodl

from bot.errors import OutsideError, UnreachableError
from bot.vsphere.faults import translate
from bot.vsphere.history import snapshot
from bot.vsphere.port import TaskGoneError, TaskSnapshot
from bot.vsphere.properties import Query, moid, read_each
from bot.vsphere.session import Connected, Reader
from bot.vsphere.wire import LostReplyError

PATHS = (
    "info.state",
    "info.progress",
    "info.error",
    "info.cancelled",
    "info.cancelable",
    "info.queueTime",
    "info.completeTime",
    "info.descriptionId",
    "info.reason",
)
LONGEST_WAIT = timedelta(seconds=30)
PATIENCE = timedelta(minutes=10)
BETWEEN_FAILURES = timedelta(seconds=2)

LOST = (vmodl.MethodFault, LostReplyError, OutsideError)
"""Ways in which a call that is not worth a retry may fail: what it was to change is gone with its session."""

Heard = TaskSnapshot | OutsideError
Tell = Callable[[Heard], None]


def read_task(connected: Connected, task: str) -> TaskSnapshot:
    """Read a task once. TaskGoneError when vCenter does not know it."""
    try:
        rows = read_each(connected, [vim.Task(task)], {vim.Task: PATHS})
    except vmodl.fault.ManagedObjectNotFound:
        rows = []
    if not rows:
        raise gone(task)
    return snapshot(task, dict(rows[0].values))


def gone(task: str) -> TaskGoneError:
    return TaskGoneError(f"vCenter no longer knows {task}: it forgets tasks some minutes after their end.")


@dataclass(eq=False)
class Watched:
    """A task, what is known of it, and who wants to hear of it."""

    task: str
    followers: list[Tell] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    last: Heard | None = None
    filter: Any = None

    def say(self, news: Heard) -> None:
        """Tell all followers, unless it is what they heard last."""
        if news == self.last:
            return
        self.last = news
        for tell in self.followers:
            tell(news)


class TaskWatcher:
    """Tells followers what happens to their tasks. `tell` is called on the watcher's thread and must not block."""

    def __init__(self, reader: Reader, *, patience: timedelta = PATIENCE) -> None:
        self._reader = reader
        self._patience = patience
        self._watched: dict[str, Watched] = {}
        self._people = threading.Condition()  # guards who follows what; held for moments only
        self._filters = threading.Lock()  # guards the collector and its filters; held during calls, never while waiting
        self._connected: Connected | None = None
        self._collector: Any = None
        self._version = ""
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, task: str, tell: Tell) -> None:
        """Tell the task's present state, then every change, until its end or until `unfollow`. Makes a call."""
        with self._people:
            watched = self._watched.setdefault(task, Watched(task))
            watched.followers.append(tell)
            if watched.last is not None:
                tell(watched.last)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="vsphere-tasks", daemon=True)
                self._thread.start()
            self._people.notify()
        self._widen(watched)

    def unfollow(self, task: str, tell: Tell) -> None:
        """Tell this one no more; never waits. The filter goes when the poll next returns."""
        with self._people:
            watched = self._watched.get(task)
            if watched is not None and tell in watched.followers:
                watched.followers.remove(tell)

    def close(self) -> None:
        """Stop following. The thread ends when its poll returns, at the latest when the reader is closed."""
        self._closing.set()
        with self._people:
            self._people.notify()

    def join(self, within: timedelta) -> None:
        """Wait for the thread, after the reader was closed too."""
        if self._thread is not None:
            self._thread.join(within.total_seconds())

    def _widen(self, watched: Watched) -> None:
        """Add a task to the poll that is waiting now; without one, the next collector will have it."""
        with self._filters:
            if self._collector is None or watched.filter is not None:
                return
            try:
                watched.filter = _make_filter(self._collector, watched.task)
            except LOST:
                self._collector = None
                if self._connected is not None:
                    self._connected.wire.abort()  # wake the watcher's thread: it has to build another

    # ---- on the watcher's thread

    def _run(self) -> None:
        failing_since: float | None = None
        while self._wait_until_wanted():
            try:
                self._turn()
                failing_since = None
            except OutsideError as error:
                now = time.monotonic()
                if failing_since is None:
                    failing_since = now
                    continue  # a lost session or connection is mended at the first try, without delay
                if now - failing_since >= self._patience.total_seconds():
                    self._give_up(error)
                    failing_since = None
                self._closing.wait(BETWEEN_FAILURES.total_seconds())

    def _wait_until_wanted(self) -> bool:
        """Sleep while nobody follows anything; False when it is time to stop."""
        for filter_ in self._forget_unfollowed():
            with suppress(*LOST):
                filter_.DestroyPropertyFilter()
        with self._people:
            while not self._watched and not self._closing.is_set():
                self._people.wait()
        return not self._closing.is_set()

    def _forget_unfollowed(self) -> list[Any]:
        with self._people:
            alone = [watched for watched in self._watched.values() if not watched.followers]
            for watched in alone:
                del self._watched[watched.task]
        return [watched.filter for watched in alone if watched.filter is not None]

    def _turn(self) -> None:
        """Wait for one batch of news and pass it on; UnreachableError, LoginError or FaultError."""
        connected = self._reader.open()
        try:
            if self._collector is None or self._connected is not connected:
                self._build(connected)
            self._take()
        except vim.fault.NotAuthenticated as fault:
            self._reader.forget(connected)
            raise translate(fault) from fault
        except vmodl.fault.RequestCanceled:
            return
        except vmodl.MethodFault as fault:
            self._collector = None
            raise translate(fault) from fault
        except LostReplyError as lost:  # the collector may have survived, and continues at the same version
            raise UnreachableError(f"vCenter went away while its tasks were followed: {lost}.") from lost

    def _build(self, connected: Connected) -> None:
        collector = connected.content.propertyCollector.CreatePropertyCollector()
        with self._filters:
            with self._people:
                followed = list(self._watched.values())
            for watched in followed:
                watched.filter = _make_filter(collector, watched.task)
            self._connected, self._collector, self._version = connected, collector, ""

    def _take(self) -> None:
        collector = self._collector
        options = Query.WaitOptions(maxWaitSeconds=int(LONGEST_WAIT.total_seconds()), maxObjectUpdates=100)
        update = collector.WaitForUpdatesEx(self._version, options)
        if update is None or collector is not self._collector:
            return
        self._version = update.version
        with self._people:
            for changed in update.filterSet:
                for entry in changed.objectSet:
                    self._changed(entry)
                for missing in changed.missingSet:
                    self._gone(moid(missing.obj))

    def _changed(self, entry: Any) -> None:
        watched = self._watched.get(moid(entry.obj))
        if watched is None:
            return
        if entry.kind == "leave":
            self._gone(watched.task)
            return
        watched.values.update({change.name: change.val for change in entry.changeSet})
        if watched.values.get("info.state") is not None:
            watched.say(snapshot(watched.task, watched.values))

    def _gone(self, task: str) -> None:
        watched = self._watched.get(task)
        if watched is not None:
            watched.say(
                TaskGoneError(f"vCenter no longer knows {task}: it forgets tasks some minutes after their end.")
            )

    def _give_up(self, error: OutsideError) -> None:
        with self._people:
            for watched in self._watched.values():
                watched.say(error)
                watched.followers.clear()


def _make_filter(collector: Any, task: str) -> Any:
    spec = Query.FilterSpec(
        objectSet=[Query.ObjectSpec(obj=vim.Task(task), skip=False)],
        propSet=[Query.PropertySpec(type=vim.Task, all=False, pathSet=list(PATHS))],
        reportMissingObjectsInResults=True,
    )
    return collector.CreateFilter(spec, partialUpdates=False)
