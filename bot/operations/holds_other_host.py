"""Other host: let the link go, keep two hosts apart, and plan anew whatever was to go from the one to the other.

Every step may be repeated, by whoever clicks again after a bot died over it: the narrow hold is made before the wide
one ends, a job that was cancelled for a new plan is known by who cancelled it, and each gets its new draft once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.errors import BugError, UserError
from bot.jobs.port import CancelOutcome, Hold, Job, NewJob
from bot.migration.capacity import in_words, pair
from bot.migration.machine import Phase
from bot.migration.plan import Plan
from bot.migration.request import JobId, MigrationRequest
from bot.operations.counter import Counter
from bot.operations.holds import LOOKED_BACK, Scene, planned, uses, vm_name
from bot.operations.holds_break import other_hosts_of
from bot.operations.holds_verbs import scene_to_change
from bot.operations.lifting import with_strictness
from bot.operations.port import Answer, Person
from bot.operations.record import request_of, start_of, with_request
from bot.operations.show_job import show_job
from bot.slack.port import Reply

MARK: Final = "(other host)"
"""Behind the name of whoever clicked: such a job was cancelled for a new plan, which it still gets if it has none."""


async def other_host(counter: Counter, who: Person, hold_id: JobId) -> Answer:
    """Narrow the hold to the two hosts of the copy that failed, and plan what waits between them with other hosts.

    UserError when the hold was made by hand, so that no hosts are known, or when there is no other host.
    """
    scene = await scene_to_change(counter, who, hold_id)
    plan = _failed_plan(scene)
    host, site = plan.target.host, plan.target.site
    others = other_hosts_of(scene.failed) if scene.failed is not None else None
    if others is not None and not others:
        raise UserError(f"There is no other host at {site}: {host} alone could take it. Nothing was changed.")
    narrow = await _narrow(counter, who, scene, plan)
    replanning = _Replanning(counter, who, narrow, host)
    # All at once, so that each step of all of them shares a round trip: a click has two seconds, however many wait.
    fates = await asyncio.gather(*(replanning.plan_anew(job) for job in await _between(counter, narrow)))
    return _answer(narrow, [fate for fate in fates if fate is not None])


def _failed_plan(scene: Scene) -> Plan:
    if (plan := planned(scene.failed)) is not None:
        return plan
    raise UserError("No copy that failed made this hold, so nobody knows which host to avoid. Release it instead.")


async def _narrow(counter: Counter, who: Person, scene: Scene, plan: Plan) -> Hold:
    hosts = pair(plan.source.host, plan.target.host)
    wide = scene.hold
    if wide.resource == hosts:
        return wide
    narrow = await counter.queue.hold(hosts, by=who.user_id, why=wide.why, job=wide.job, channel=wide.channel)
    await counter.queue.release(wide.id, by=who.user_id, why=f"narrowed to {in_words(hosts)}")
    return narrow


async def _between(counter: Counter, narrow: Hold) -> Sequence[Job]:
    """What waits between the two hosts, and what a click that did not come to its end cancelled already."""
    recent = await counter.queue.recent(limit=LOOKED_BACK)
    begun = [job for job in recent if _was_begun(job) and uses(job, narrow.resource) and job.updated >= narrow.at]
    return [*begun[::-1], *await counter.queue.waiting(narrow.resource)]


def _was_begun(job: Job) -> bool:
    return job.state is Phase.CANCELLED and job.cancel_by.endswith(MARK)


@dataclass(frozen=True, slots=True)
class _Fate:
    """What came of a job that waited, in a line: it is planned anew, or why not."""

    line: str
    anew: bool = False


@dataclass(frozen=True, slots=True)
class _Replanning:
    """New plans without `host`."""

    counter: Counter
    who: Person
    narrow: Hold
    host: str

    async def plan_anew(self, job: Job) -> _Fate | None:
        """Cancel the job and draft it again, once however often it is tried. None: that was done before."""
        try:
            host = self._target(job)
            request = _avoiding(request_of(job), host)
        except BugError as error:
            return _Fate(f"{job.id}  {vm_name(job)}: {error}")
        if await self._is_cancelled(job):
            return await self._draft(job, request, without=host)
        return _Fate(f"{job.id}  {vm_name(job)}: it does not wait any more")

    def _target(self, job: Job) -> str:
        """The one of the two hosts that the job goes to: some cross the link the other way."""
        plan = planned(job)
        return plan.target.host if plan is not None else self.host

    async def _is_cancelled(self, job: Job) -> bool:
        if job.state is Phase.CANCELLED:
            return True
        outcome = await self.counter.queue.cancel(job.id, by=f"{self.who.user_id} {MARK}", waiting_only=True)
        return outcome is CancelOutcome.CANCELLED

    async def _draft(self, job: Job, request: MigrationRequest, *, without: str) -> _Fate | None:
        queue, outbox = self.counter.queue, self.counter.outbox
        drafted = await queue.draft(
            NewJob(
                kind=job.kind,
                vm_key=job.vm_key,
                requester=job.requester,  # and not who clicked: a second person stays a second one
                channel=job.channel,
                data={
                    **with_request(request),
                    **start_of(job),
                    **with_strictness(self.counter.strict, request.site),
                },
                dedupe=f"{self.narrow.id}:{job.id}",
                priority=job.priority,
            )
        )
        if not drafted.own:
            return None  # the VM has got another job meanwhile
        name = request.vm.name
        said = f"{name} is planned anew without {without}: job {drafted.id}, which needs an approval of its own."
        await outbox.reply(job.id, job.channel, Reply("anew", said, final=True))
        await show_job(queue, outbox, job.id)
        if not drafted.fresh:
            return None
        await show_job(queue, outbox, drafted.id)
        return _Fate(f"{drafted.id}  {name}, instead of {job.id}", anew=True)


def _answer(narrow: Hold, fates: Sequence[_Fate]) -> Answer:
    held = f"Held now: {in_words(narrow.resource)} alone; everything else goes on."
    if not fates:
        return Answer(f"{held} Nothing waited between these two hosts.")
    anew = [fate.line for fate in fates if fate.anew]
    left = [f"not planned anew: {fate.line}" for fate in fates if not fate.anew]
    told = f" {len(anew)} planned anew with another host; each needs an approval." if anew else ""
    return Answer(f"{held}{told}", [*anew, *left])


def _avoiding(request: MigrationRequest, host: str) -> MigrationRequest:
    """The same without this host, even where somebody had named it, and by itself: each is approved on its own card."""
    named = None if request.host == host else request.host
    return replace(request, host=named, avoid=tuple(dict.fromkeys((*request.avoid, host))), batch="")
