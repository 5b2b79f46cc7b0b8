"""Run a batch on a worker: draft a job for each VM, show all plans on one card, start what was approved, tell the end.

The migrations are jobs like any others, and whatever they promise holds for them here too. A batch only asks for them,
approves, cancels and counts; each of these may be done twice without harm, so a successor simply begins its phase anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final, assert_never

from bot.errors import BugError
from bot.jobs.port import Claim, NewJob
from bot.migration.machine import (
    Cancelled,
    CheckStarted,
    DryRunMade,
    Event,
    PartsCancelled,
    PartsDone,
    PartsFailed,
    PartsStarted,
    Phase,
    PlanMade,
    PlanRefused,
    advance,
)
from bot.migration.request import JobId, MigrationRequest
from bot.operations.batch_card import batch_card
from bot.operations.batch_parts import Parts
from bot.operations.batch_record import (
    Part,
    Row,
    batch_of,
    parts_of,
    plans_of,
    startable,
    stops,
    with_parts,
    with_plans,
    with_whole,
)
from bot.operations.batch_words import batch_end, none_can_start, stopped
from bot.operations.lifting import approval_in_words, is_strict
from bot.operations.record import MIGRATE, plan_of, with_request
from bot.operations.tools import WorkerTools
from bot.slack.port import Reply

LOOK: Final = timedelta(seconds=1)
"""Between two looks at what happened: rows of a table are edited no more often than every three seconds."""

_CHECKED_LATER: Final = frozenset({Phase.DRAFTED, Phase.CHECKING})
_BROKEN: Final = frozenset({Phase.FAILED, Phase.NEEDS_HUMAN})


async def run_batch(tools: WorkerTools, claim: Claim) -> None:
    """Carry a claimed batch as far as it goes without a person. LostLeaseError when another worker has it."""
    tools.reached("batch-claimed")
    run = _Run(tools, claim)
    while not (claim.closed or claim.job.state.ended or claim.job.state is Phase.PLANNED):
        await run.step()


class _Run:
    def __init__(self, tools: WorkerTools, claim: Claim) -> None:
        self._tools = tools
        self._claim = claim
        self._batch = batch_of(claim.job)

    async def step(self) -> None:
        match self._claim.job.state:
            case Phase.DRAFTED:
                await self._move(CheckStarted(), why="reading the facts")
            case Phase.CHECKING:
                await self._plan()
            case Phase.QUEUED:
                await self._begin()
            case Phase.ATTACHED:
                await self._follow()
            case Phase.INTENT | Phase.UNKNOWN | Phase.VERIFYING:
                raise BugError(f"a batch has nothing to do in the phase '{self._claim.job.state}'")
            case Phase.PLANNED | Phase.DONE | Phase.FAILED | Phase.CANCELLED | Phase.NEEDS_HUMAN:
                raise BugError(f"nothing is to be done in the phase '{self._claim.job.state}'")
            case state:
                assert_never(state)

    # ---- until it is planned

    async def _plan(self) -> None:
        since = await self._tools.queue.last_event()
        await self._draft()
        parts = Parts(self._tools.queue, self._batch.requests, parts_of(self._claim.job), since=since)
        while True:
            rows = await parts.look()
            if await self._claim.cancel_asked():
                await self._cancel(rows)
                await self._end(Cancelled(), rows, Reply("end", "Cancelled before anything was started.", final=True))
                return
            await self._show(rows)
            if not any(row.own and row.own.state in _CHECKED_LATER for row in rows):
                break
            await asyncio.sleep(LOOK.total_seconds())
        await self._planned(rows)

    async def _draft(self) -> None:
        """A job for each VM, recognised by its place in the batch: a successor drafts none of them again."""
        job = self._claim.job
        if parts_of(job):
            return
        parts = [await self._part(number, request) for number, request in enumerate(self._batch.requests)]
        await self._claim.note(with_parts(parts))
        self._tools.reached("batch-drafted")

    async def _part(self, number: int, request: MigrationRequest) -> Part:
        job = self._claim.job
        drafted = await self._tools.queue.draft(
            NewJob(
                kind=MIGRATE,
                vm_key="" if request.dry_run else request.vm.key,
                requester=job.requester,
                channel=job.channel,
                data={**with_request(replace(request, batch=job.id)), **with_whole(job.id)},
                dedupe=f"{job.id}:{number}",
                priority=job.priority,
            )
        )
        if drafted.own:
            await self._tools.outbox.join(drafted.id, job.id)
        self._tools.reached("batch-part-drafted")
        return Part(drafted.id, drafted.own)

    async def _planned(self, rows: Sequence[Row]) -> None:
        if self._batch.dry_run:
            said = "Dry run: these are the plans. Nothing was moved or queued."
            await self._end(DryRunMade(), rows, Reply("end", said, final=True))
            return
        plans = startable(rows)
        if not plans:
            await self._cancel(rows)
            await self._end(PlanRefused(), rows, none_can_start(rows))
            return
        why = f"{len(plans)} of {len(rows)} can start"
        await self._move(PlanMade(), why=why, data=with_plans(plans), rows=rows)
        self._tools.reached("batch-planned")

    # ---- once it is approved

    async def _begin(self) -> None:
        if await self._claim.cancel_asked():
            rows = await self._rows()
            await self._cancel(rows)
            await self._end(Cancelled(), rows, Reply("end", "Cancelled before anything was started.", final=True))
            return
        await self._move(PartsStarted(), why="its VMs are queued")
        self._tools.reached("batch-started")

    async def _follow(self) -> None:
        since = await self._tools.queue.last_event()
        await self._approve(await self._rows())
        self._tools.reached("batch-approved")
        parts = Parts(self._tools.queue, self._batch.requests, parts_of(self._claim.job), since=since)
        while True:
            rows = await parts.look()
            if by := await self._claim.cancel_asked():
                await self._cancel(rows, by=by)
            elif stops(self._claim.job):
                await self._stop(rows)
            await self._show(rows)
            if all(row.own is None or row.own.state.ended for row in rows):
                break
            await asyncio.sleep(LOOK.total_seconds())
        end = batch_end(self._claim.job, rows)
        await self._end(self._event(rows), rows, end)

    def _event(self, rows: Sequence[Row]) -> Event:
        """What the ends of all that was approved are for the batch."""
        ends = {row.own.state for row in self._approved(rows) if row.own}
        if ends & _BROKEN:
            return PartsFailed()
        return PartsCancelled() if self._claim.job.cancel_by or Phase.DONE not in ends else PartsDone()

    async def _approve(self, rows: Sequence[Row]) -> None:
        """Queue what was approved, the very plan of it, and put away what could not be."""
        job = self._claim.job
        plans, by = plans_of(job), job.data.get("approver", "")
        over = job.cancel_by or (stops(job) and self._broken(rows))
        planned = [(row, row.own.id) for row in rows if row.own and row.own.state is Phase.PLANNED]
        start = [(row, part) for row, part in planned if part in plans and not over]
        leave = [part for _, part in planned if part not in plans or over]

        async def one(row: Row, part: JobId) -> None:
            start = row.request.not_before
            why = approval_in_words(plan_of(row.own) if row.own else None, strict=is_strict(job))
            await self._tools.queue.approve(part, fingerprint=plans[part], by=by, not_before=start, why=why)
            self._tools.reached("batch-part-approved")

        await asyncio.gather(*(one(row, part) for row, part in start), self._put_away(leave))

    async def _stop(self, rows: Sequence[Row]) -> None:
        """One has failed, and whoever approved wanted the rest to stop: what runs goes on."""
        broken = self._broken(rows)
        waiting = [row.own.id for row in rows if row.own and row.own.state is Phase.QUEUED and not row.own.cancel_by]
        if not broken or not waiting:
            return
        await self._put_away(waiting, waiting_only=True)
        self._tools.reached("batch-stopped")
        await self._say(stopped(broken[0], len(waiting)))

    def _broken(self, rows: Sequence[Row]) -> list[Row]:
        """What was approved and did not arrive."""
        return [row for row in self._approved(rows) if row.own and row.own.state in _BROKEN]

    def _approved(self, rows: Sequence[Row]) -> list[Row]:
        plans = plans_of(self._claim.job)
        return [row for row in rows if row.own and row.own.id in plans]

    # ---- at any time

    async def _cancel(self, rows: Sequence[Row], *, by: str = "coldmigrate") -> None:
        live = [row.own.id for row in rows if row.own and not row.own.state.ended and not row.own.cancel_by]
        await self._put_away(live, by=self._claim.job.cancel_by or by)

    async def _put_away(self, parts: Sequence[JobId], *, by: str = "coldmigrate", waiting_only: bool = False) -> None:
        """All at once: what is asked in one turn of the loop shares a round trip."""
        cancel = self._tools.queue.cancel
        await asyncio.gather(*(cancel(part, by=by, waiting_only=waiting_only) for part in parts))

    async def _rows(self) -> list[Row]:
        """All of them, read anew."""
        since = await self._tools.queue.last_event()
        return await Parts(self._tools.queue, self._batch.requests, parts_of(self._claim.job), since=since).look()

    async def _move(
        self, event: Event, *, why: str, data: dict[str, str] | None = None, rows: Sequence[Row] | None = None
    ) -> None:
        await self._claim.move(advance(self._claim.job.state, event), why=why, data=data)
        await self._show(rows)

    async def _show(self, rows: Sequence[Row] | None) -> None:
        job = self._claim.job
        known = rows if rows is not None else await self._known()
        await self._tools.outbox.show_table(batch_card(job, known))

    async def _known(self) -> Sequence[Row]:
        if parts_of(self._claim.job):
            return await self._rows()
        return [Row(request) for request in self._batch.requests]

    async def _say(self, reply: Reply) -> None:
        await self._tools.outbox.reply(self._claim.job.id, self._claim.job.channel, reply)

    async def _end(self, event: Event, rows: Sequence[Row], reply: Reply) -> None:
        """Say so to the people, then write it down, as `finish` does."""
        state = advance(self._claim.job.state, event)
        fields = {"outcome": reply.text}
        await self._claim.cancel_asked()  # refuses to speak for a batch that another worker has
        ended = replace(self._claim.job, state=state, data={**self._claim.job.data, **fields})
        seen = await self._rows() if parts_of(ended) else rows
        await self._tools.outbox.show_table(batch_card(ended, seen))
        await self._say(reply)
        self._tools.reached("batch-before-end")
        await self._claim.move(state, why=reply.text, data=fields)
        self._tools.reached("batch-after-end")
