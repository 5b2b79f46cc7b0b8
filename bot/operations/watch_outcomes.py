"""Whether an operation that the logs complain of surely failed: vCenter is asked, now and then, until it says so.

An NFC line is no failure: many copies go on. What vCenter cannot tell (a backup has no task there) stays unknown.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.errors import OutsideError
from bot.hostlog.line import HostKey
from bot.incidents.incident import Client, Failure
from bot.migration.request import VCenterName
from bot.vsphere.port import Scene, TaskRecord, TaskState

ASKED_AFTER: Final = tuple(timedelta(seconds=s) for s in (0, 2, 5, 10, 30, 60, 120, 300, 600, 1200))
"""When vCenter is asked, counted from each answer that decides nothing: a copy may go on for long after its first
complaint, and what was never answered within half an hour is left as it is."""

BEFORE: Final = timedelta(hours=24)
"""How long before its first complaint a copy may have begun."""

AT_ONCE: Final = 4
MOST: Final = 200
"""Operations that are asked about at the same time: in a storm the cluster of hosts speaks for itself."""

log = logging.getLogger(__name__)


class Outcomes:
    """Asks about failures; `found` gives those of which vCenter has said something. `close` ends all asking."""

    def __init__(self, scenes: Mapping[VCenterName, Scene], *, asked_after: Sequence[timedelta] = ASKED_AFTER) -> None:
        self._scenes = scenes
        self._asked_after = asked_after
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._answers: dict[str, Failure] = {}
        self._known: dict[str, bool] = {}
        self._room = asyncio.Semaphore(AT_ONCE)
        self.told = asyncio.Event()
        """Set when there is something to be found."""

    def with_known(self, failure: Failure) -> Failure:
        """The failure, with what vCenter said of it before."""
        known = self._known.get(failure.id)
        return failure if failure.failed is not None or known is None else replace(failure, failed=known)

    def ask(self, failure: Failure) -> None:
        """Begin to ask, if that can tell anything and is not under way."""
        wanted = failure.failed is None and failure.client in {Client.MIGRATION, Client.OTHER}
        asked = failure.id in self._known or failure.id in self._asking
        if not wanted or asked or len(self._asking) >= MOST or not (failure.task or failure.vm):
            return
        task = asyncio.create_task(self._ask(failure), name=f"outcome of {failure.id}")
        self._asking[failure.id] = task
        task.add_done_callback(lambda done: self._ended(failure.id, done))

    def found(self) -> list[Failure]:
        """The answers that came since this was asked last."""
        self.told.clear()
        answers, self._answers = list(self._answers.values()), {}
        return answers

    async def close(self) -> None:
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, failure: str, task: asyncio.Task[None]) -> None:
        self._asking.pop(failure, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("To ask for the outcome of %s ended with a defect.", failure, exc_info=error)

    async def _ask(self, failure: Failure) -> None:
        for pause in self._asked_after:
            await asyncio.sleep(pause.total_seconds())
            outcome = await self._outcome(failure)
            if outcome is not None:
                self._remember(failure, outcome)
                return

    def _remember(self, failure: Failure, outcome: bool) -> None:  # noqa: FBT001 - the very thing
        self._known[failure.id] = outcome
        if len(self._known) > 10 * MOST:
            del self._known[next(iter(self._known))]
        self._answers[failure.id] = replace(failure, failed=outcome)
        self.told.set()

    async def _outcome(self, failure: Failure) -> bool | None:
        for name in dict.fromkeys(_vcenter(host) for host in failure.hosts):
            if (scene := self._scenes.get(name)) is None:
                continue
            try:
                async with self._room:
                    outcome = await _said_by(scene, failure)
            except OutsideError as error:
                log.debug("%s cannot say how %s ended: %s", name, failure.id, error)
                continue
            if outcome is not None:
                return outcome
        return None


async def _said_by(scene: Scene, failure: Failure) -> bool | None:
    since = failure.first - BEFORE
    if failure.task and (found := await scene.find_task(failure.task, since=since)) is not None:
        return _ended(found)
    if not failure.vm:
        return None
    vms = await scene.look_for_vms(failure.vm)
    if len(vms) != 1:
        return None
    last = await scene.last_failed_copy(vms[0].ref.uuid, since=failure.first - timedelta(seconds=60))
    return _ended(last) if last is not None and _covers(last, failure) else None


def _ended(record: TaskRecord) -> bool | None:
    match record.snapshot.state:
        case TaskState.ERROR:
            return not record.snapshot.cancelled  # somebody ended it: nobody has to be told
        case TaskState.SUCCESS:
            return False
        case _:
            return None


def _covers(record: TaskRecord, failure: Failure) -> bool:
    """Whether the task was under way while the logs complained."""
    return record.started_at is None or record.started_at <= failure.last


def _vcenter(host: HostKey) -> VCenterName:
    return VCenterName(host.partition("/")[0])
