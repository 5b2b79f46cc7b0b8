"""What vCenter knows of an operation that the logs complain of: whether it failed, of which VM, and where to.

An NFC line is no failure: many copies go on. And the lines of one end seldom name the other, or the VM; events of
vCenter do. What it cannot tell (a backup has no task there) stays unknown.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from bot.errors import OutsideError
from bot.hostlog.line import HostKey
from bot.hostlog.roll import Roll
from bot.incidents.failures import located
from bot.incidents.incident import Client, Failure
from bot.migration.request import VCenterName
from bot.vsphere.port import Scene, TaskRecord, TaskState, VCenterEvent

ASKED_AFTER: Final = tuple(timedelta(seconds=s) for s in (0, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1200))
"""When vCenter is asked, counted from each answer that decides nothing: a copy may go on for long after its first
complaint, and what was never answered within half an hour is left as it is."""

FOR_NAMES_ALONE: Final = 6
"""How often it is asked of a copy that surely failed, for the VM and the other end."""

BEFORE: Final = timedelta(hours=24)
"""How long before its first complaint a copy may have begun."""

AROUND: Final = timedelta(minutes=2)
"""How far apart a copy's lines and the event of its end may be: the clocks of hosts and vCenters differ."""

AT_ONCE: Final = 4
MOST: Final = 200
"""Operations that are asked about at the same time: in a storm the cluster of hosts speaks for itself."""

FAILED: Final = frozenset({"VmFailedMigrateEvent", "VmRelocateFailedEvent"})
"""Events of copies that died (vSphere API reference, vim.event): `destHost` is the other end."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """What vCenter said of a failure; `other_end` is a host's name."""

    failed: bool | None = None
    vm: str = ""
    other_end: str = ""


class Outcomes:
    """Asks about failures; `found` gives those of which vCenter has said something. `close` ends all asking."""

    def __init__(
        self,
        scenes: Mapping[VCenterName, Scene],
        *,
        asked_after: Sequence[timedelta] = ASKED_AFTER,
    ) -> None:
        self._scenes = scenes
        self._asked_after = asked_after
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._asked: dict[str, Failure] = {}
        """Those that are asked about, as they are known by now: another host of theirs may have spoken since."""
        self._answers: dict[str, Failure] = {}
        self._known: dict[str, Told] = {}
        self._room = asyncio.Semaphore(AT_ONCE)
        self.told = asyncio.Event()
        """Set when there is something to be found."""

    def with_known(self, failure: Failure, roll: Roll) -> Failure:
        """The failure, with what vCenter said of it."""
        told = self._known.get(failure.id)
        return failure if told is None else _with(failure, told, roll)

    def ask(self, failure: Failure) -> None:
        """Begin to ask, if that can tell anything; if it is under way, go on with what is known now."""
        if failure.id in self._asking:
            self._asked[failure.id] = failure
            return
        told = failure.id in self._known
        named = failure.failed is not None and bool(failure.vm) and bool(failure.peer_host)
        if told or named or failure.client not in {Client.MIGRATION, Client.OTHER} or len(self._asking) >= MOST:
            return
        self._asked[failure.id] = failure
        task = asyncio.create_task(self._ask(failure.id), name=f"outcome of {failure.id}")
        self._asking[failure.id] = task
        task.add_done_callback(lambda done: self._ended(failure.id, done))

    def found(self, roll: Roll) -> list[Failure]:
        """The answers that came since this was asked last."""
        self.told.clear()
        answers, self._answers = list(self._answers.values()), {}
        return [self.with_known(failure, roll) for failure in answers]

    async def close(self) -> None:
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, failure: str, task: asyncio.Task[None]) -> None:
        self._asking.pop(failure, None)
        self._asked.pop(failure, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("To ask for the outcome of %s ended with a defect.", failure, exc_info=error)

    async def _ask(self, name: str) -> None:
        for number, pause in enumerate(self._asked_after):
            await asyncio.sleep(pause.total_seconds())
            failure = self._asked[name]
            sure = failure.failed is not None
            if sure and number >= FOR_NAMES_ALONE:
                return
            told = await self._told(failure)
            if told.vm if sure else told.failed is not None:
                self._remember(self._asked[name], told)
                return

    def _remember(self, failure: Failure, told: Told) -> None:
        self._known[failure.id] = told
        if len(self._known) > 10 * MOST:
            del self._known[next(iter(self._known))]
        self._answers[failure.id] = failure
        self.told.set()

    async def _told(self, failure: Failure) -> Told:
        for name in dict.fromkeys(_vcenter(host) for host in failure.hosts):
            if (scene := self._scenes.get(name)) is None:
                continue
            try:
                async with self._room:
                    told = await _said_by(scene, failure)
            except OutsideError as error:
                log.debug("%s cannot say how %s ended: %s", name, failure.id, error)
                continue
            if told != Told():
                return told
        return Told()


def _with(failure: Failure, told: Told, roll: Roll) -> Failure:
    failed = told.failed if failure.failed is None else failure.failed
    return replace(located(failure, vm=told.vm, other_end=told.other_end, roll=roll), failed=failed)


async def _said_by(scene: Scene, failure: Failure) -> Told:
    """What its task says, else the events of its hosts at that time."""
    record = await scene.find_task(failure.task, since=failure.first - BEFORE) if failure.task else None
    if record is not None and not record.snapshot.ended:
        return Told()
    names = [host.partition("/")[2] for host in failure.hosts]
    events = await scene.host_events(names, since=failure.first - AROUND, until=failure.last + AROUND)
    told = _told_by(events, failure, record.vm.ref.name if record and record.vm else "")
    return told if record is None else replace(told, failed=_ended(record))


def _told_by(events: Iterable[VCenterEvent], failure: Failure, vm: str) -> Told:
    """Several copies may have died there and then; which of them was this one is said only if one fits."""
    wanted = failure.vm or vm
    died = [event for event in events if event.kind in FAILED and wanted in ("", event.vm)]
    ends = {(event.vm, _other_end(event, failure)) for event in died}
    if len(ends) != 1:
        return Told(failed=True if ends else None, vm=vm)
    return Told(True, *ends.pop())


def _other_end(event: VCenterEvent, failure: Failure) -> str:
    here = {host.partition("/")[2] for host in failure.hosts}
    return next((host for host in (event.to_host, event.host) if host and host not in here), "")


def _ended(record: TaskRecord) -> bool:
    """A copy that somebody cancelled is no failure: nobody has to be told."""
    return record.snapshot.state is TaskState.ERROR and not record.snapshot.cancelled


def _vcenter(host: HostKey) -> VCenterName:
    return VCenterName(host.partition("/")[0])
