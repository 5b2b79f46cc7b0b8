"""One run of a migration on a worker: the claim, what is known of it, and the two ways to write it down."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from bot.jobs.port import Claim
from bot.migration.machine import Cancelled, CancelledAtSource, Event, advance
from bot.migration.plan import Plan
from bot.operations.cards import job_card
from bot.operations.finish import finish
from bot.operations.record import NO_TROUBLE, approved_plan, intent_of, offers_of, power_words
from bot.operations.tools import WorkerTools
from bot.operations.watch_logs import LogWatch, watching
from bot.slack.port import Button, Reply
from bot.vsphere.port import VCenter

TASK_IN_PROGRESS: Final = "vim.fault.TaskInProgress"


@dataclass(slots=True)
class Run:
    """What every step of a run needs. `stack` closes what the run has opened."""

    tools: WorkerTools
    claim: Claim
    stack: AsyncExitStack
    watch: LogWatch | None = None
    sessions_lost: int = 0
    """Sessions that ended between the intent and the call."""

    @property
    def plan(self) -> Plan:
        return approved_plan(self.claim.job)

    @property
    def vcenter(self) -> VCenter:
        return self.tools.fleet.vcenter(self.plan.request.vm.vcenter)

    async def watching(self, op_id: str | None = None) -> LogWatch:
        """The logs of both hosts, opened once per run; after a take-over from the intent on."""
        if self.watch is None:
            intent = None if op_id else intent_of(self.claim.job)
            self.watch = await self.stack.enter_async_context(
                watching(
                    self.tools.feed,
                    self.plan,
                    op_id=intent.op_id if intent else op_id or "",
                    logs=self.tools.logs,
                    since=intent.at if intent else None,
                )
            )
        if op_id:
            self.watch.op_id = op_id
        return self.watch

    async def move(
        self, event: Event, *, why: str, data: dict[str, str] | None = None, attempt: int | None = None
    ) -> None:
        """One transition, shown on the card. It may have become another one: see `Claim.move`."""
        fields = {**NO_TROUBLE, **(data or {})}
        await self.claim.move(advance(self.claim.job.state, event), why=why, data=fields, attempt=attempt)
        # A job that was held in this very moment is queued again, and anybody's to show.
        await self.tools.outbox.show(job_card(self.claim.job))

    async def end(self, event: Event, outcome: str) -> None:
        """The last transition, with one sentence about it; with a second one, and a way to mend it, if the VM was shut
        down for a move that is not to be.
        """
        job = self.claim.job
        power = power_words(job)
        said = outcome if power in outcome else f"{outcome} {power}"
        cancelled = isinstance(event, Cancelled | CancelledAtSource)
        buttons = [Button(kind, job.id) for kind in offers_of(job)]
        reply = Reply("end", said, buttons=buttons, final=True, quiet=cancelled and not power)
        await finish(self.tools, self.claim, event, reply)
