"""The door to the job queue: a job's record, and every promise the queue makes about it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import TracebackType
from typing import Final, Protocol, Self

from bot.errors import ColdmigrateError
from bot.migration.capacity import EVERYTHING, PAIR
from bot.migration.machine import Phase
from bot.migration.request import JobId

PASSES_HOLDS: Final = "passes_holds"
"""The field of `data` of a job that tries a path: holds of its lane and of its two hosts do not stop it, others do."""


@dataclass(frozen=True, slots=True)
class Step:
    """One transition, for people: what, who (a Slack user, a worker), when, why."""

    state: Phase
    at: datetime
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Job:
    """A job as read at one moment. `data` holds the fields that the queue keeps but does not interpret."""

    id: JobId
    kind: str  # "migrate", "diagnose"
    state: Phase
    vm_key: str
    lane: str  # "check", "diagnose", or the link's name
    requester: str
    channel: str
    fence: int
    owner: str
    attempt: int
    created: datetime
    updated: datetime
    cancel_by: str  # who asked to cancel, or empty
    data: Mapping[str, str]
    steps: Sequence[Step]
    failures: int = 0  # times in a row that its handler failed in the same way, since the last transition
    priority: int = 5  # 0 goes first
    needs: Sequence[str] = ()  # what it holds besides its lane while it runs (`bot.migration.capacity`)
    failing: str = ""  # in which way it failed last (`bot.jobs.retry`)

    def is_kept_by(self, resource: str) -> bool:
        """Whether a hold of this resource keeps it from being started, as long as nothing of it was."""
        if resource == EVERYTHING:
            return True
        of_path = resource == self.lane or resource.startswith(f"{PAIR}:")
        passes = of_path and bool(self.data.get(PASSES_HOLDS))
        return resource in (self.lane, *self.needs) and not passes


@dataclass(frozen=True, slots=True)
class NewJob:
    """What a draft is made of. `vm_key` empty: no VM is taken (a dry run). `dedupe` recognises a repeated delivery.

    `data["part_of"]`, if there is such, is a job that it is a part of: its plan does not expire while that one lives.
    `priority` is 0 to 9, and 0 goes first. `lane` is where it waits, so that neither copies nor checks keep it waiting.
    """

    kind: str
    vm_key: str
    requester: str
    channel: str
    data: Mapping[str, str]
    dedupe: str = ""
    priority: int = 5
    lane: str = "check"


@dataclass(frozen=True, slots=True)
class Drafted:
    """`fresh` False: this VM has a live job already (or the same delivery came twice), and this is that job's id.

    `own`: this very delivery made it, now or when it came before.
    """

    id: JobId
    fresh: bool
    own: bool = field(default=False, compare=False)


class CancelOutcome(StrEnum):
    CANCELLED = "cancelled"  # nothing had started; it is over
    REQUESTED = "requested"  # the worker that holds it will cancel the task
    STARTED = "started"  # it was to be cancelled only if nothing had started
    ENDED = "ended"  # too late: it has ended
    UNKNOWN_JOB = "unknown job"


class ApproveOutcome(StrEnum):
    QUEUED = "queued"
    OUTDATED = "outdated"  # the plan is not the one that was shown
    WRONG_STATE = "wrong state"  # approved already, expired, ended
    UNKNOWN_JOB = "unknown job"


class AnswerOutcome(StrEnum):
    HEARD = "heard"
    WRONG_STATE = "wrong state"  # it asks nothing any more
    UNKNOWN_JOB = "unknown job"


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing that needs `resource` is started until somebody releases it. What runs already runs on.

    `resource` is a link, a host pair, a host, a datastore or everything (`bot.migration.capacity`). `job`: the failed
    job that made it, or empty when a person did. `id` names it on buttons, in the form of a job's id.
    """

    id: JobId
    resource: str
    by: str
    why: str
    at: datetime
    job: str = ""
    channel: str = ""  # where its card is, or empty
    released: datetime | None = None
    released_by: str = ""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act of a person, or an end: who did what to what, when, and what was said about it."""

    id: str  # of the stream; what comes after it is newer
    at: datetime
    by: str
    verb: str  # "draft", "approve", "cancel", "hold", "release", "adopt", "refused", an end's state ...
    on: str  # a job, a resource
    why: str


class LostLeaseError(ColdmigrateError):
    """Somebody else owns the job now: stop at once and write nothing."""


class Claim(Protocol):
    """The right to work on one job, proven by a fence. Every write is refused once somebody else has it.

    The lease is renewed in the background while the claim is entered (`async with`; the worker loop does that, not the
    handler). All methods raise LostLeaseError, and UnreachableError when Redis does not answer: then the write may or
    may not have happened, and the job's next owner will see.
    """

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop renewing. A job that was not given up is taken over when its lease ends."""
        ...

    @property
    def job(self) -> Job:
        """The job as last written or read by this claim."""
        ...

    @property
    def taken_over(self) -> bool:
        """Another worker held this job before and did not finish with it."""
        ...

    @property
    def suspect(self) -> bool:
        """The workers that had this job died one after the other: take nothing else up until it is `proven`."""
        ...

    async def proven(self) -> None:
        """Wait until the job has come on, or its lease was renewed, or the claim is over."""
        ...

    @property
    def closed(self) -> bool:
        """This claim writes nothing any more: the job ended, is planned, was given back or was lost."""
        ...

    async def move(
        self, to: Phase, *, why: str, data: Mapping[str, str] | None = None, attempt: int | None = None
    ) -> Job:
        """One fenced transition with its fields, in one script.

        Ends and `planned` give up lease, slot and (at ends) the VM's key in the same step. Look at the answer of a
        move to `planned` or `intent`: if somebody had asked to cancel, the job is `cancelled` instead; and if what it
        needs is held by now, it is `queued` still, given back, and the claim is closed. UnconfirmedError from a move to
        `intent`: it was made, `job` says so, and it may not survive; nothing must be called on the strength of it.
        """
        ...

    async def note(self, data: Mapping[str, str]) -> bool:
        """Write fields without a transition (progress). True: somebody asked to cancel."""
        ...

    async def cancel_asked(self) -> str:
        """Who asked to cancel, or empty."""
        ...

    async def later(self, delay: timedelta, *, why: str, failed: str = "") -> None:
        """Give the job back in its present phase; it is claimable again after `delay`.

        It keeps its slot only if it has started. `failed` names a way of failing and counts one more in `Job.failures`,
        or the first when it failed in another way before: an outage is no reason to bear a bug less often.
        """
        ...

    async def give_up(self, *, why: str) -> Job:
        """End a job that its handler cannot deal with: `needs_human` if it has started, else `failed`."""
        ...

    async def hand_over(self) -> None:
        """Let the lease expire now, so that any worker takes over at once in the same phase."""
        ...


class JobQueue(Protocol):
    """Redis behind one door. UnreachableError when Redis does not answer, on every method."""

    async def draft(self, new: NewJob) -> Drafted:
        """Persist a draft and take the VM's key, in one step; it is in its lane at once."""
        ...

    async def approve(
        self,
        job: JobId,
        *,
        fingerprint: str,
        by: str,
        not_before: datetime | None = None,
        data: Mapping[str, str] | None = None,
        why: str = "approved",
    ) -> ApproveOutcome:
        """planned -> queued in the lane `data["link"]`, if `data["fingerprint"]` still is `fingerprint`.

        From then on it waits for a slot of its lane and of everything in `data["needs"]` (a JSON list), and until
        `not_before` if that is given. `data`: fields that are written in the same step. `why`: what the ledger and the
        audit log say of it.
        """
        ...

    async def cancel(self, job: JobId, *, by: str, waiting_only: bool = False) -> CancelOutcome:
        """At once while nothing has started, else by asking its worker. `waiting_only`: what has started goes on."""
        ...

    async def answer(self, job: JobId, text: str, *, by: str, why: str) -> AnswerOutcome:
        """Write `data["answer"]` of an approved job that was not started, which is then looked at at once.

        It asked a person before it starts; `text` is a word that its handler knows, and is audited as the verb.
        """
        ...

    async def get(self, job: JobId) -> Job | None: ...

    async def get_many(self, jobs: Sequence[JobId]) -> Sequence[Job]:
        """Those that are there, in this order, in one round trip. BugError for a record as `get` has it."""
        ...

    async def recent(self, *, limit: int = 20, live_only: bool = False) -> Sequence[Job]:
        """Newest first."""
        ...

    async def claim(self, worker: str) -> Claim | None:
        """The next job for this worker: expired leases first (fence + 1, same phase), then due ones, then ready ones
        whose lane has a free slot. The slot is held by the job until it ends, whoever works on it.
        """
        ...

    async def claim_several(self, worker: str, most: int, *, alone: bool = True) -> Sequence[Claim]:
        """Up to `most` of them at once, as `claim`. `alone`: this worker has no job, so it may get a suspect one."""
        ...

    async def claim_next(self, worker: str, most: int, *, alone: bool, at_most: timedelta) -> Sequence[Claim]:
        """After a claim that answered none: wait for news, or this long, and claim in the same breath.

        Whoever stops waiting for the answer may leave jobs claimed until their lease ends; so `wake` it instead.
        """
        ...

    async def wake(self) -> None:
        """Have all who wait look at once."""
        ...

    async def hold(self, resource: str, *, by: str, why: str, job: str = "", channel: str = "") -> Hold:
        """Start nothing that needs `resource` from now on. What holds it already stays and is returned."""
        ...

    async def release(self, hold: JobId, *, by: str, why: str) -> Hold | None:
        """End a hold by its id; what waited behind it is claimable at once. None: it was released before."""
        ...

    async def holds(self) -> Sequence[Hold]:
        """All holds, oldest first."""
        ...

    async def find_hold(self, hold: JobId) -> Hold | None:
        """The hold of this id, for 90 days after its release too."""
        ...

    async def waiting(self, resource: str) -> Sequence[Job]:
        """Queued jobs that a hold of `resource` keeps from being started, in the order in which they would be."""
        ...

    async def adopt(self, job: JobId, new: NewJob, *, state: Phase, attempt: int, why: str) -> bool:
        """Put back a job that Redis forgot, under its old id and in a started state; a worker takes it up at once.

        A job that has the VM and started nothing is cancelled. False: the id is known, or another job has started with
        the VM.
        """
        ...

    async def chore(self, name: str, *, worker: str, every: timedelta) -> bool:
        """Whether it is this worker's turn to do what only one should do, and only so often. Others hear False."""
        ...

    async def note_act(self, *, by: str, verb: str, on: str, why: str) -> None:
        """Write an act into the audit log that no script of the queue writes by itself: a refusal, an export."""
        ...

    async def acts(self, *, since: str = "0-0", limit: int = 1000) -> Sequence[AuditEntry]:
        """The audit log after the entry `since`, oldest first."""
        ...

    async def dead(self, *, limit: int = 100) -> Sequence[Job]:
        """Jobs that were given up because their workers died or failed again and again, newest first."""
        ...

    async def counts(self) -> Mapping[str, int]:
        """How many live jobs there are in each state; states with none are missing."""
        ...

    async def expire_drafts(self) -> int:
        """Cancel plans that nobody approved within an hour, and drafts that nobody took up for as long; how many."""
        ...

    async def now(self) -> datetime:
        """The queue's clock (Redis TIME plus `clock-skew`), UTC: the only clock that decides anything."""
        ...

    async def last_event(self) -> str:
        """The id of the newest event there is; what happens from now on comes after it."""
        ...

    def events(self, *, since: str = "$") -> AsyncIterator[tuple[str, Mapping[str, str]]]:
        """The event stream: (id, fields: job, state, by, why), from after `since`; `$` is from now."""
        ...
