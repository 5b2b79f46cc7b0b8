"""Watching everything that the inventory is made of: one view, one filter and one long poll per vCenter.

It has a collector of its own in the reader's session, and threads of its own, so what is long here delays nobody who
follows a task. What comes is turned into plain text a page at a time; no managed object is kept.

A lost reply is asked for again, for the filter tells the same once more. Whatever else is lost (the session, the view,
the collector, the version) is made anew, and all is read again. That is done now and then without need, too: what a
filter tells rests on what vCenter notices, and a VM that comes or goes because a permission changed may slip by.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar

from pyVmomi import vim, vmodl

from bot.errors import OutsideError, UnreachableError
from bot.vsphere.faults import translate
from bot.vsphere.inventory import LINE
from bot.vsphere.inventory_line import News
from bot.vsphere.inventory_mirror import Mirror
from bot.vsphere.properties import PAGE, Query, moid
from bot.vsphere.session import Connected, Reader
from bot.vsphere.tasks import LOST
from bot.vsphere.tree import NODES
from bot.vsphere.wire import LostReplyError

Answer = TypeVar("Answer")

THREADS: Final = 2
"""One waits in the poll; the other ends it."""

LONGEST_WAIT: Final = timedelta(seconds=10)
"""Also how old the inventory may look while nothing happens: each end of a poll says that all is still so."""

APART: Final = timedelta(seconds=1)
"""So far apart polls begin at least: whoever switches on a whole rack makes one delta a second, not a hundred."""

REPLY_WITHIN: Final = timedelta(seconds=20)
ASKED_AGAIN: Final = 2
"""So often a poll whose reply was lost is put again before all is made anew."""

READ_ANEW: Final = timedelta(minutes=15)
"""How long the filter alone is believed. 20,000 VMs take some seconds of one core, so this is below one percent."""

TOLD_TWICE: Final = "config.instanceUuid"
"""It is in the summary too, there even for a VM whose files cannot be read."""

WATCHED: Final = {vim.VirtualMachine: tuple(path for path in LINE if path != TOLD_TWICE), **NODES}


@dataclass(eq=False)
class Lookout:
    """What is ours in one session."""

    connected: Connected
    view: Any
    collector: Any
    mirror: Mirror
    version: str = ""


class InventoryWatch:
    """One vCenter, watched. Blocks; all but `stop` is for one thread at a time."""

    def __init__(self, reader: Reader, *, longest_wait: timedelta = LONGEST_WAIT) -> None:
        self._reader = reader
        self._wait = longest_wait
        self._lookout: Lookout | None = None

    def begin(self) -> News:
        """Make everything anew and read it all. UnreachableError, LoginError or FaultError."""
        self.stop()
        self._lookout = lookout = self._reader.ask(_make)
        self._take_all(lookout)
        return News(lookout.mirror.everything(), whole=True)

    def news(self) -> News:
        """Wait for what changes, for nothing at most `longest_wait`. Errors as of `begin`; only that helps then."""
        lookout = self._lookout
        if lookout is None:
            return self.begin()
        self._take_all(lookout)
        return News(lookout.mirror.news())

    def stop(self) -> None:
        """Give back what is ours; a poll that waits ends. What has gone with its session needs no giving back."""
        lookout, self._lookout = self._lookout, None
        if lookout is None:
            return
        with suppress(*LOST):
            lookout.collector.DestroyPropertyCollector()
            lookout.view.DestroyView()

    def _take_all(self, lookout: Lookout) -> None:
        connected = lookout.connected
        try:
            while self._take_page(lookout):
                pass
        except vim.fault.NotAuthenticated as fault:
            self._reader.forget(connected)
            raise translate(fault) from fault
        except vmodl.MethodFault as fault:
            raise translate(fault) from fault
        except LostReplyError as lost:
            raise UnreachableError(f"vCenter went away while its inventory was watched: {lost}.") from lost

    def _take_page(self, lookout: Lookout) -> bool:
        """Take in one page; say whether it had to be cut short."""
        update = self._poll(lookout)
        if update is None:
            return False
        for changed in update.filterSet:
            if changed.missingSet:  # the view is gone; what we know is not
                raise changed.missingSet[0].fault
            for entry in changed.objectSet:
                _learn(lookout.mirror, entry)
        lookout.version = update.version
        return bool(update.truncated)

    def _poll(self, lookout: Lookout) -> Any:
        options = Query.WaitOptions(maxWaitSeconds=int(self._wait.total_seconds()), maxObjectUpdates=PAGE)
        wire, left = lookout.connected.wire, ASKED_AGAIN
        while True:
            try:
                with wire.within(self._wait + REPLY_WITHIN):
                    update = lookout.collector.WaitForUpdatesEx(lookout.version, options)
            except LostReplyError:
                if not left:
                    raise
                left -= 1
                wire.DropConnections()  # what idles in the pool is as dead, and would cost the next try
            else:
                self._reader.note_answer()
                return update


def _make(connected: Connected) -> Lookout:
    content = connected.content
    view = content.viewManager.CreateContainerView(content.rootFolder, list(WATCHED), True)
    collector = content.propertyCollector.CreatePropertyCollector()
    walk = Query.TraversalSpec(name="view", type=vim.view.ContainerView, path="view", skip=False)
    looked_at = Query.FilterSpec(
        objectSet=[Query.ObjectSpec(obj=view, skip=True, selectSet=[walk])],
        propSet=[Query.PropertySpec(type=kind, all=False, pathSet=list(paths)) for kind, paths in WATCHED.items()],
        reportMissingObjectsInResults=True,
    )
    collector.CreateFilter(looked_at, partialUpdates=False)
    return Lookout(connected, view, collector, Mirror(moid(content.rootFolder)))


def _learn(mirror: Mirror, entry: Any) -> None:
    if entry.kind == "leave":
        mirror.forget(moid(entry.obj))
        return
    for missing in entry.missingSet:  # govmomi's simulator tells the end of a session property by property
        if isinstance(missing.fault, vim.fault.NotAuthenticated):
            raise missing.fault
    told = {change.name: _plain(change.val) for change in entry.changeSet}
    if isinstance(entry.obj, vim.VirtualMachine):
        mirror.learn_machine(moid(entry.obj), told)
    else:
        mirror.learn_node(moid(entry.obj), told, datacenter=isinstance(entry.obj, vim.Datacenter))


def _plain(value: Any) -> str:
    if isinstance(value, vim.ManagedEntity):
        return moid(value)
    return "" if value is None else str(value)


async def watching(
    reader: Reader,
    threads: ThreadPoolExecutor,
    *,
    longest_wait: timedelta = LONGEST_WAIT,
    read_anew: timedelta = READ_ANEW,
) -> AsyncGenerator[News, None]:
    """Yield everything, then what changes, for ever; everything again whenever it had to be read again.

    News without rows says that all is still so. Ends with the OutsideError of an attempt to begin that failed.
    """
    watch = InventoryWatch(reader, longest_wait=longest_wait)

    async def on_thread(work: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(threads, work)

    try:
        while True:
            begun = polled = time.monotonic()
            yield await on_thread(watch.begin)
            try:
                while time.monotonic() - begun < read_anew.total_seconds():
                    await asyncio.sleep(polled + APART.total_seconds() - time.monotonic())
                    polled = time.monotonic()
                    yield await on_thread(watch.news)
            except OutsideError:
                continue
    finally:
        with suppress(RuntimeError):  # the threads have ended with their vCenter
            threads.submit(watch.stop)
