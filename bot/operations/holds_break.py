"""Break the circuit: after a copy died, hold what the next ones would die of too. The rule is `migration.breaker`.

The hold is written before the failed job gives up its slot, so that nothing slips across in between. A worker that
dies afterwards costs nothing: its successor finds the hold of this job, and whoever runs draws its card.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter, ValidationError

from bot.diagnosis.verdict import Incident
from bot.errors import BugError, OutsideError, UserError
from bot.jobs.port import Claim, Hold, Job, JobQueue
from bot.migration.breaker import DATA, OF_ITSELF, Decision, Failure, Neighbour, Scope, decide, goes_well
from bot.migration.capacity import pair
from bot.migration.machine import Phase
from bot.migration.plan import Plan
from bot.migration.planning import other_hosts
from bot.operations.canary_check import invitation
from bot.operations.holds import BREAKER, LOOKED_AT, LOOKED_BACK, held_words, planned, uses, vm_name
from bot.operations.record import MIGRATE, approved_plan, copied_of
from bot.operations.tools import WorkerTools
from bot.slack.port import Section

_SENT_TO_FAIL: Final = (
    "Nothing is held because a canary failed, and what is held stays so. Its failure is told here; "
    "/coldmigrate hold keeps others from it."
)
_FAILURE: Final = TypeAdapter(Failure)


@dataclass(frozen=True, slots=True)
class Broken:
    """What came of it: what to tell in the thread, and the fields that the failed job keeps."""

    sections: Sequence[Section]
    data: Mapping[str, str]


async def break_circuit(tools: WorkerTools, claim: Claim, incident: Incident | None) -> Broken:
    """Decide, and hold what has to be held. LostLeaseError: a successor decides, from the same facts."""
    job, plan = claim.job, approved_plan(claim.job)
    if plan.request.canary:
        return Broken([Section("The link", _SENT_TO_FAIL)], {})
    failure = _failure(plan, incident, at=await tools.queue.now())
    await claim.cancel_asked()  # refuses to hold anything for a job that another worker has
    data = {"failure": _FAILURE.dump_json(failure).decode()}
    holds = await tools.queue.holds()
    hold = next((one for one in holds if one.job == job.id), None)
    if hold is None:
        decision = await _decision(tools.queue, job, plan, failure)
        if decision.scope is Scope.NOTHING:
            told = _told(decision, failure)
            return Broken([*told, *invitation(tools, plan)] if told else [], data)
        hold = next((one for one in holds if one.resource == plan.link), None) or await tools.queue.hold(
            _resource(decision, plan), by=BREAKER, why=decision.why, job=job.id, channel=job.channel
        )
        tools.reached("after-hold")
    told = [*await _held(tools, hold), *invitation(tools, plan)]
    return Broken(told, {**data, "hold": hold.id, **await _alternatives(tools, plan)})


def other_hosts_of(failed: Job) -> Sequence[str] | None:
    """The hosts that could take what was meant for the failed job's; None when nobody could tell."""
    try:
        found = json.loads(failed.data.get("other_hosts") or "null")
    except ValueError:
        return None
    return [str(host) for host in found] if isinstance(found, list) else None


def _failure(plan: Plan, incident: Incident | None, *, at: datetime) -> Failure:
    return Failure(
        vm=plan.request.vm.name,
        cause=incident.cause.value if incident else "",
        confidence=incident.confidence if incident else 0.0,
        stage=incident.stage.value if incident and incident.stage else "",
        source=plan.source.host,
        target=plan.target.host,
        at=at,
    )


async def _decision(queue: JobQueue, job: Job, plan: Plan, failure: Failure) -> Decision:
    live = await queue.recent(limit=LOOKED_AT, live_only=True)
    recent = await queue.recent(limit=LOOKED_BACK)
    others = [one for one in live if one.kind == MIGRATE and one.id != job.id and uses(one, plan.link)]
    neighbours = [near for one in others if (near := _neighbour(one, at=failure.at)) is not None]
    ended = [one for one in recent if one.state is Phase.FAILED and one.id != job.id and uses(one, plan.link)]
    earlier = [found for one in ended if (found := _earlier(one)) is not None]
    return decide(failure, neighbours=neighbours, earlier=earlier)


def _neighbour(job: Job, *, at: datetime) -> Neighbour | None:
    """A copy that runs; None for a job that waits, or whose record cannot be read."""
    plan = planned(job)
    if plan is None or job.state is not Phase.ATTACHED:
        return None
    return Neighbour(vm_name(job), plan.source.host, plan.target.host, _well(job, plan, at=at))


def _well(job: Job, plan: Plan, *, at: datetime) -> bool | None:
    try:
        copied = copied_of(job)
    except BugError:
        return None
    quiet = at - job.updated
    if copied is None:
        return goes_well(percent=0, rate=None, nfc_errors=0, size=plan.size, quiet=quiet)
    return goes_well(
        percent=copied.percent, rate=copied.rate, nfc_errors=copied.nfc_errors, size=plan.size, quiet=quiet
    )


def _earlier(job: Job) -> Failure | None:
    try:
        return _FAILURE.validate_json(job.data.get("failure", ""))
    except ValidationError:
        return None  # it failed before this was written down, or before anything was started


def _resource(decision: Decision, plan: Plan) -> str:
    return plan.link if decision.scope is Scope.LINK else pair(plan.source.host, plan.target.host)


async def _held(tools: WorkerTools, hold: Hold) -> Sequence[Section]:
    waiting = len(await tools.queue.waiting(hold.resource))
    behind = {0: "Nothing waits behind it yet.", 1: "One migration waits behind it; its VM stays as it is."}.get(
        waiting, f"{waiting} migrations wait behind it; their VMs stay as they are."
    )
    return [Section("What waits", f"{held_words(hold)} {behind} What runs goes on. The card of the hold releases it.")]


def _told(decision: Decision, failure: Failure) -> Sequence[Section]:
    """Nothing is held. That is worth a word only where the link is in question."""
    if not failure.cause or failure.cause in OF_ITSELF or failure.stage != DATA:
        return []
    return [Section("The link", f"It is not held: {decision.why}.")]


async def _alternatives(tools: WorkerTools, plan: Plan) -> Mapping[str, str]:
    """The other hosts of the target site, for whoever clicks Other host hours later. Unknown is no obstacle."""
    try:
        spec = tools.fleet.site(plan.request.site)
        site = await tools.fleet.vcenter(spec.vcenter).read_site(spec)
    except (OutsideError, UserError):
        return {}
    return {"other_hosts": json.dumps(other_hosts(site, than=plan.target.host, datastore=plan.target.datastore))}
