"""What people ask to be done about a migration that was tried: who may, whether the config allows it, and when.

A worker does it, and looks once more before it touches anything: what is checked here may have changed by then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bot.errors import UserError
from bot.jobs.port import Job
from bot.migration.machine import WORDS, Phase
from bot.migration.request import JobId
from bot.operations.aftercare_record import Act
from bot.operations.counter import Counter, site_of
from bot.operations.options import require_allowed, source_of
from bot.operations.port import Answer, Person
from bot.operations.record import plan_of
from bot.operations.request_aftercare import request_aftercare
from bot.operations.rights import Verb

_NOT_ARRIVED: Final = frozenset({Phase.FAILED, Phase.CANCELLED})


@dataclass(frozen=True, slots=True)
class _Policy:
    """`at_source`: the right counts where the VM was, else where it was to go. `fits`: jobs it can be done for."""

    right: Verb
    fits: Callable[[Job], bool]
    at_source: bool = False


_POLICIES: Final[Mapping[Act, _Policy]] = {
    Act.POWER_ON_SOURCE: _Policy(
        Verb.POWER, lambda job: job.state in _NOT_ARRIVED or job.state is Phase.NEEDS_HUMAN, at_source=True
    ),
    # Where it is not known what became of the copy, its files may be the VM itself; where there was none, somebody's.
    Act.DELETE_LEFTOVERS: _Policy(Verb.CLEAN, lambda job: job.state in _NOT_ARRIVED and _was_copied(job)),
    Act.EVIDENCE: _Policy(Verb.DIAGNOSE, lambda job: job.state.ended),
    Act.MEASURE: _Policy(Verb.DIAGNOSE, lambda _: True),
}


def _was_copied(job: Job) -> bool:
    """Whether vCenter was seen to copy anything for it."""
    return any(step.state in (Phase.ATTACHED, Phase.VERIFYING) for step in job.steps)


async def aftercare(
    counter: Counter, who: Person, job_id: JobId, act: Act, *, fingerprint: str = "", dedupe: str
) -> Answer:
    """Ask a worker for it. RefusedError without the right or the config's leave; UserError where it makes no sense."""
    job = await counter.job(job_id)
    policy = _POLICIES[act]
    site = (source_of(job) if policy.at_source else None) or site_of(job)
    await counter.rights.require(who, policy.right, site)
    _require_leave(counter, act)
    if plan_of(job) is None or not policy.fits(job):
        raise UserError(f"Job {job_id} is {WORDS[job.state]}: there is nothing to do of that kind.")
    answer = await request_aftercare(counter, who, job, act, detail=fingerprint, dedupe=dedupe)
    why = f"the list {fingerprint} was confirmed" if fingerprint else "asked for"
    await counter.queue.note_act(by=who.user_id, verb=act, on=job.id, why=why)
    return answer


def _require_leave(counter: Counter, act: Act) -> None:
    """By [allow]. Leftovers that may not be deleted are not listed either: the list is the question."""
    if act is Act.POWER_ON_SOURCE:
        require_allowed(counter.allow.power_on, "Powering on a VM", key="power_on")
    if act is Act.DELETE_LEFTOVERS:
        allowed = counter.allow.delete_leftovers
        require_allowed(allowed, "Deleting what a failed copy left behind", key="delete_leftovers")
