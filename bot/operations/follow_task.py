"""Follow vCenter's task to its end: progress to ledger and card, a cancel when somebody asks for one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, Final

from bot.errors import MaybeSentError, OutsideError, UnreachableError
from bot.jobs.port import Claim
from bot.migration.plan import Plan
from bot.operations.cards import job_card
from bot.operations.copy_pace import CopyPace, pace_of
from bot.operations.flow_watch import FlowWatch
from bot.operations.record import (
    NO_TROUBLE,
    CancelState,
    Intent,
    TaskEnd,
    intent_of,
    with_cancel,
    with_copied,
)
from bot.operations.since import in_its_time
from bot.operations.tools import WorkerTools
from bot.operations.trouble import tell_trouble, trouble_is_over
from bot.operations.watch_logs import LogWatch
from bot.vsphere.port import FaultError, TaskGoneError, TaskSnapshot, TaskState, VCenter

LOOK_FOR_CANCEL_EVERY: Final = 1.0
"""Seconds between two looks whether somebody asked to cancel, while vCenter reports nothing new."""

LOOKS_PER_SECOND: Final = 200
"""Of all followers of a process together: with a thousand of them each looks every five seconds."""

log = logging.getLogger(__name__)


async def follow_task(
    tools: WorkerTools, claim: Claim, vcenter: VCenter, plan: Plan, watch: LogWatch
) -> TaskEnd | None:
    """How the task ended; None when vCenter has forgotten it (then the VM's place and the history decide)."""
    task = claim.job.data["task"]
    pace = await pace_of(tools, claim.job, plan)
    follower = _Follower(tools, claim, vcenter, task, watch, pace, FlowWatch(tools, claim, plan, watch, pace))
    while True:
        try:
            with follower.counted():
                return _end_of(await follower.run(vcenter.follow(task)))
        except TaskGoneError:
            remembered = await _remembered(await in_its_time(tools, vcenter, intent_of(claim.job)), vcenter, plan, task)
        if remembered is None or remembered.ended:
            return _end_of(remembered) if remembered else None
        await asyncio.sleep(tools.look_again.total_seconds())  # it runs: whoever said that it is gone was mistaken


def _end_of(task: TaskSnapshot) -> TaskEnd:
    if task.state is TaskState.SUCCESS:
        return TaskEnd(None, "", cancelled=False)
    return TaskEnd(task.fault or "unknown fault", task.message, task.cancelled)


async def _remembered(intent: Intent, vcenter: VCenter, plan: Plan, task: str) -> TaskSnapshot | None:
    """The task from vCenter's task history, which remembers longer than the task manager, and has none of a VM that is
    no more.
    """
    log.info("vCenter no longer has %s, looking in its task history", task)
    if await vcenter.place(plan.request.vm.uuid) is None:
        return None
    found = await vcenter.find_relocations(plan.request.vm.uuid, since=intent.vcenter_time)
    return next((t for t in found if t.task == task), None)


@dataclass(slots=True)
class _Follower:
    at_work: ClassVar[int] = 0
    tools: WorkerTools
    claim: Claim
    vcenter: VCenter
    task: str
    watch: LogWatch
    pace: CopyPace
    flow: FlowWatch
    cancel_sent: bool = False
    heard_at: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count as one of the process's followers while the block runs."""
        _Follower.at_work += 1
        try:
            yield
        finally:
            _Follower.at_work -= 1

    def _look_every(self) -> float:
        return max(LOOK_FOR_CANCEL_EVERY, _Follower.at_work / LOOKS_PER_SECOND)

    async def run(self, changes: AsyncIterator[TaskSnapshot]) -> TaskSnapshot:
        """Read every change; between two of them, look every second whether somebody wants to cancel.

        vCenter's silence is not taken for a slow copy: it is asked beside that, and the card says if it is away. Beside
        it, too, the flow is watched: whatever that takes delays nothing here.
        """
        beside = {asyncio.create_task(self._notice_outages()), asyncio.create_task(self.flow.run())}
        pending = asyncio.ensure_future(anext(changes))
        try:
            while True:
                done, _ = await asyncio.wait(
                    {pending, *beside}, timeout=self._look_every(), return_when=asyncio.FIRST_COMPLETED
                )
                for ended in done & beside:
                    ended.result()  # a lost lease, or Redis is away
                if pending in done:
                    last = pending.result()
                    self.heard_at = asyncio.get_running_loop().time()
                    await self._progressed(last)
                    if last.ended:
                        return last
                    pending = asyncio.ensure_future(anext(changes))
                if not self.cancel_sent and await self.claim.cancel_asked():
                    await self._cancel()
        finally:
            for task in (*beside, pending):
                task.cancel()
            await asyncio.gather(*beside, pending, return_exceptions=True)

    async def _notice_outages(self) -> None:
        clock, silence = asyncio.get_running_loop().time, self.tools.silence.total_seconds()
        while True:
            await asyncio.sleep(max(self.heard_at + silence - clock(), silence / 4))
            if clock() - self.heard_at < silence:
                continue
            try:
                await self.vcenter.alive()
            except OutsideError as error:
                await tell_trouble(self.tools, self.claim, str(error))
            else:
                await trouble_is_over(self.tools, self.claim)
                self.heard_at = clock()

    async def _progressed(self, task: TaskSnapshot) -> None:
        if task.progress is None:
            return
        now = await self.tools.queue.now()
        self.pace.seen(task.progress, now)
        copied = self.pace.copied(now, nfc_errors=self.watch.nfc_errors)
        await self.claim.note({**with_copied(copied), **NO_TROUBLE})
        await self.tools.outbox.show(job_card(self.claim.job))

    async def _cancel(self) -> None:
        """Ask vCenter until it has heard. A refusal is no error: the task may be past that point, and is awaited."""
        try:
            await self.vcenter.cancel(self.task)
            self.cancel_sent = True
            await self.claim.note(with_cancel(CancelState.HEARD))
        except (FaultError, TaskGoneError) as error:
            self.cancel_sent = not error.transient
            log.info("vCenter does not cancel %s: %s", self.task, error)
            await self.claim.note(with_cancel(CancelState.REFUSED if self.cancel_sent else CancelState.ASKING))
        except (UnreachableError, MaybeSentError) as error:
            log.warning("vCenter may not have heard that %s is to be cancelled, it is told again: %s", self.task, error)
        await self.tools.outbox.show(job_card(self.claim.job))
