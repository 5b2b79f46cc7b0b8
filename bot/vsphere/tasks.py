"""Following tasks: one private property collector, one list and one long poll for all of a vCenter, on one thread.

The poll's filter looks at a list that tasks are put into, many at a time, so neither starting a thousand followers nor
making everything anew after a lost session costs a call for each of them. News is taken together: the busier the
tasks, the longer the pause before the next poll (`Allowance`), so calls do not grow with running migrations.

Followers come and go while the poll waits. When the session or the collector is lost, both are made again and every
task is read anew; a follower notices nothing but a repeated state, which it is spared. A default collector would
mix our filters with those of anybody else in the session.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
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
SHORT_WAIT = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=2)
SAVED_POLLS = 40
POLLS_PER_SECOND = 0.5
AT_ONCE = 2_000
"""Changed tasks that one reply may tell of."""

PATIENCE = timedelta(minutes=10)
BETWEEN_FAILURES = timedelta(seconds=2)

LOST = (vmodl.MethodFault, LostReplyError, OutsideError)
"""Ways in which a call that is not worth a retry may fail: what it was to change is gone with its session."""

Heard = TaskSnapshot | OutsideError
Tell = Callable[[Heard], None]


def gone(task: str) -> TaskGoneError:
    return TaskGoneError(f"vCenter no longer knows {task}: it forgets tasks some minutes after their end.")


@dataclass(eq=False)
class Watched:
    """A task, what is known of it, and who wants to hear of it.

    `listed`: the poll looks at it; `met`: it has told of it, as it does at once of whatever exists.
    """

    task: str
    followers: list[Tell] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    last: Heard | None = None
    listed: bool = False
    met: bool = False

    def learn(self, values: Mapping[str, Any]) -> None:
        """Take in properties of the task, and tell followers what that makes of it."""
        self.values.update(values)
        if self.values.get("info.state") is not None:
            self.say(snapshot(self.task, self.values))

    def say(self, news: Heard) -> None:
        """Tell all followers, unless it is what they heard last."""
        if news == self.last:
            return
        self.last = news
        for tell in self.followers:
            tell(news)


class Allowance:
    """How long to wait before the next poll: hardly at all while polls are rare, so that the first minute of a copy
    is followed closely, and `LONGEST_PAUSE` once news never stops.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock()
        self._saved = float(SAVED_POLLS)

    def spend(self) -> timedelta:
        """Note a poll; the pause that it takes before it."""
        now = self._clock()
        self._saved = min(SAVED_POLLS, self._saved + (now - self._at) * POLLS_PER_SECOND)
        self._at = now
        spent = 1 - self._saved / SAVED_POLLS
        self._saved = max(0.0, self._saved - 1)
        return LONGEST_PAUSE * spent**4


@dataclass(eq=False)
class Lookout:
    """What is ours in one session: a list of tasks, and the collector whose only filter looks at it."""

    connected: Connected
    collector: Any
    tasks: Any  # vim.view.ListView
    version: str = ""


class TaskWatcher:
    """Tells followers what happens to their tasks. `tell` is called on any thread and must not block."""

    def __init__(self, reader: Reader, *, patience: timedelta = PATIENCE) -> None:
        self._reader = reader
        self._patience = patience
        self._allowance = Allowance()
        self._watched: dict[str, Watched] = {}
        self._people = threading.Condition()  # guards who follows what; held for moments only
        self._listing = threading.Lock()  # guards the lookout and its list; held during calls, never while waiting
        self._lookout: Lookout | None = None
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, task: str, tell: Tell) -> None:
        """Tell the task's present state, then every change, until its end or until `unfollow`. Never waits.

        `widen` must be called after it, by a thread that may wait.
        """
        with self._people:
            watched = self._watched.setdefault(task, Watched(task))
            watched.followers.append(tell)
            if watched.last is not None:
                tell(watched.last)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="vsphere-tasks", daemon=True)
                self._thread.start()
            self._people.notify()

    def unfollow(self, task: str, tell: Tell) -> None:
        """Tell this one no more; never waits. The task leaves the list when the poll next returns."""
        with self._people:
            watched = self._watched.get(task)
            if watched is not None and tell in watched.followers:
                watched.followers.remove(tell)

    def widen(self) -> None:
        """Have the poll that is waiting now look at the tasks that are new; who comes first does it for all.

        Without a lookout there is nothing to do: the next one begins with every task.
        """
        with self._listing:
            if self._lookout is None:
                return
            try:
                self._list_new(self._lookout)
            except LOST:
                broken, self._lookout = self._lookout, None
                broken.connected.wire.abort()  # wake the watcher's thread: it has to build another

    def close(self) -> None:
        """Stop following. The thread ends when its poll returns, at the latest when the reader is closed."""
        self._closing.set()
        with self._people:
            self._people.notify()

    def join(self, within: timedelta) -> None:
        """Wait for the thread, after the reader was closed too."""
        if self._thread is not None:
            self._thread.join(within.total_seconds())

    def _list_new(self, lookout: Lookout) -> None:
        """Put on the list who is not on it, then read them: what changes in between the poll tells."""
        with self._people:
            new = {watched.task: watched for watched in self._watched.values() if not watched.listed}
        if not new:
            return
        unknown = lookout.tasks.ModifyListView([vim.Task(task) for task in new], None)
        for watched in new.values():
            watched.listed = True
        absent = {moid(task) for task in unknown or ()}
        rows = read_each(lookout.connected, [vim.Task(task) for task in new.keys() - absent], {vim.Task: PATHS})
        known = {row.moid: row.values for row in rows}
        with self._people:
            for task, watched in new.items():
                if task not in known:
                    watched.say(gone(task))
                elif not watched.values:  # else the poll was faster, and what was read may be older
                    watched.learn(known[task])

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
        self._forget_unfollowed()
        with self._people:
            while not self._watched and not self._closing.is_set():
                self._people.wait()
        return not self._closing.is_set()

    def _forget_unfollowed(self) -> None:
        with self._listing:  # through the call: whoever follows one of them again meanwhile is listed after it
            with self._people:
                alone = [watched for watched in self._watched.values() if not watched.followers]
                for watched in alone:
                    del self._watched[watched.task]
            listed = [vim.Task(watched.task) for watched in alone if watched.listed]
            if listed and self._lookout is not None:
                with suppress(*LOST):
                    self._lookout.tasks.ModifyListView(None, listed)

    def _turn(self) -> None:
        """Wait for one batch of news and pass it on; UnreachableError, LoginError or FaultError."""
        connected = self._reader.open()
        try:
            lookout = self._lookout
            if lookout is None or lookout.connected is not connected:
                lookout = self._build(connected)
            self._take(lookout)
        except vim.fault.NotAuthenticated as fault:
            self._reader.forget(connected)
            raise translate(fault) from fault
        except vmodl.fault.RequestCanceled:
            return
        except vmodl.MethodFault as fault:
            self._lookout = None
            raise translate(fault) from fault
        except LostReplyError as lost:  # the collector may have survived, and continues at the same version
            connected.wire.DropConnections()  # what idles in the pool is as dead, and would cost the next try
            raise UnreachableError(f"vCenter went away while its tasks were followed: {lost}.") from lost

    def _build(self, connected: Connected) -> Lookout:
        """Make a lookout that begins with every task that is followed."""
        with self._listing:
            self._lookout = None
            tasks = connected.content.viewManager.CreateListView(None)
            collector = connected.content.propertyCollector.CreatePropertyCollector()
            collector.CreateFilter(_look_at(tasks), partialUpdates=False)
            lookout = Lookout(connected, collector, tasks)
            with self._people:
                for watched in self._watched.values():
                    watched.listed = watched.met = False
                    watched.values.clear()
            self._list_new(lookout)
            self._lookout = lookout
            return lookout

    def _take(self, lookout: Lookout) -> None:
        if self._closing.wait(self._allowance.spend().total_seconds()):
            return
        unmet = self._unmet()
        wait = SHORT_WAIT if unmet else LONGEST_WAIT
        options = Query.WaitOptions(maxWaitSeconds=int(wait.total_seconds()), maxObjectUpdates=AT_ONCE)
        update = lookout.collector.WaitForUpdatesEx(lookout.version, options)
        self._reader.note_answer()
        if lookout is not self._lookout:
            return
        left: list[Watched] = []
        if update is not None:
            lookout.version = update.version
            with self._people:
                entries = [entry for changed in update.filterSet for entry in changed.objectSet]
                left = [watched for entry in entries if (watched := self._changed(entry)) and not watched.met]
        if update is None or not update.truncated:
            self._look_for(lookout, [watched for watched in {*unmet, *left} if not watched.met])

    def _unmet(self) -> list[Watched]:
        with self._people:
            return [watched for watched in self._watched.values() if watched.listed and not watched.met]

    def _look_for(self, lookout: Lookout, silent: list[Watched]) -> None:
        """Say of tasks that a poll did not tell of although they were listed before it, if they are gone.

        A task that vanished between being listed and that poll neither enters nor leaves.
        """
        if not silent:
            return
        rows = read_each(lookout.connected, [vim.Task(watched.task) for watched in silent], {vim.Task: PATHS})
        known = {row.moid for row in rows}
        with self._people:
            for watched in silent:
                watched.met = watched.task in known
                if not watched.met:
                    watched.say(gone(watched.task))

    def _changed(self, entry: Any) -> Watched | None:
        watched = self._watched.get(moid(entry.obj))
        if watched is None:
            return None
        # What left is looked for: it is gone, or somebody stopped following it and somebody else began anew meanwhile.
        watched.met = entry.kind != "leave"
        if watched.met:
            watched.learn({change.name: change.val for change in entry.changeSet})
        return watched

    def _give_up(self, error: OutsideError) -> None:
        with self._people:
            for watched in self._watched.values():
                watched.say(error)
                watched.followers.clear()


def _look_at(tasks: Any) -> Any:
    walk = Query.TraversalSpec(name="view", type=vim.view.ListView, path="view", skip=False)
    return Query.FilterSpec(
        objectSet=[Query.ObjectSpec(obj=tasks, skip=True, selectSet=[walk])],
        propSet=[Query.PropertySpec(type=vim.Task, all=False, pathSet=list(PATHS))],
        reportMissingObjectsInResults=True,
    )
