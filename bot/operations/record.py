"""What a migration job keeps in its `data`: typed going in, typed coming out. The queue never looks inside."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.errors import BugError
from bot.jobs.port import Job
from bot.migration.calendar import in_words
from bot.migration.capacity import needs_of
from bot.migration.machine import Phase
from bot.migration.measured import PathMeasurement
from bot.migration.plan import Plan
from bot.migration.request import JobId, MigrationRequest
from bot.operations.shutdown_answer import ShutdownAnswer
from bot.slack.port import ButtonKind

MIGRATE: Final = "migrate"
"""The kind of a migration job."""


def op_base(job: JobId) -> str:
    """What all operation ids of a job begin with: `cm-<job>`; attempts append `-a<n>`, vCenter and hosts their own."""
    return f"cm-{job}"


@dataclass(frozen=True, slots=True)
class Intent:
    """What was written down before RelocateVM_Task was called: enough for a stranger to find out what came of it.

    `vcenter_time` is vCenter's own clock before the first call of this job, so that a late effect of an earlier one is
    seen too; `at` is the queue's before this call. `ended` is when the session was ended, by the queue's clock: what
    it had sent by then may still arrive for a while, and nothing is sent through it any more; `ended_by`: whose clock.
    """

    op_id: str
    session: str
    vcenter_time: datetime
    at: datetime
    ended: datetime | None = None
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """How the task ended, kept because vCenter forgets tasks after some minutes. `fault` None: it succeeded."""

    fault: str | None
    message: str
    cancelled: bool


class CancelState(StrEnum):
    """How far the wish to cancel a copy has come: on its way to vCenter, heard there, or refused there."""

    ASKING = "asking"
    HEARD = "heard"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Copied:
    """Progress as last seen. `since`: when the percentage last changed; `stalled`: for how many seconds it had stood
    still, if that was too long. `usual` is what copies across the link have, `good` the best rate that this one had.
    """

    percent: int
    rate: float | None
    eta: float | None
    nfc_errors: int
    since: datetime | None = None
    usual: float | None = None
    good: float | None = None
    stalled: float | None = None


ADOPTED: Final = {"adopted": "yes"}
"""The field of a job that Redis had forgotten: it is followed to its end, and never started once more."""

NO_INTENT: Final = {"intent": ""}
"""The field that says that the last call was refused for certain: nothing of it is looked for any more."""

ASKS_SHUTDOWN: Final = "shutdown"
"""What is asked when a guest does not shut down in its time."""

NO_TROUBLE: Final = {"trouble": "", "waits": ""}
"""The field that says that nothing is in the way (any more)."""

Part = TypeVar("Part")

_REQUEST: Final = TypeAdapter(MigrationRequest)
_PLAN: Final = TypeAdapter(Plan)
_INTENT: Final = TypeAdapter(Intent)
_TASK_END: Final = TypeAdapter(TaskEnd)
_COPIED: Final = TypeAdapter(Copied)
_MEASURED: Final = TypeAdapter(tuple[PathMeasurement, ...])

MOST_MEASURED: Final = 12
"""Looks at its path that a job keeps: the first ones, and the newest."""

FIRST_MEASURED: Final = 2
"""Before its start, and the counters of the uplinks at its beginning."""


def with_request(request: MigrationRequest) -> dict[str, str]:
    """The field that holds the request."""
    return {"request": _REQUEST.dump_json(request).decode()}


def with_plan(plan: Plan) -> dict[str, str]:
    """The fields that hold a plan and what the queue needs to know of it: fingerprint, link, what it takes up."""
    return {
        "plan": _PLAN.dump_json(plan).decode(),
        "fingerprint": plan.fingerprint,
        "link": plan.link,
        "needs": json.dumps(needs_of(plan)),
    }


def with_intent(intent: Intent) -> dict[str, str]:
    """The field that holds the intent."""
    return {"intent": _INTENT.dump_json(intent).decode()}


def with_task_end(end: TaskEnd) -> dict[str, str]:
    """The field that holds how the task ended."""
    return {"task_end": _TASK_END.dump_json(end).decode()}


def with_copied(copied: Copied) -> dict[str, str]:
    """The field that holds the progress."""
    return {"copied": _COPIED.dump_json(copied).decode()}


def with_shutdown(*, until: datetime | None = None, asked: bool = False) -> dict[str, str]:
    """The fields that say that this migration shuts the guest down: how long it is given, and whether a person was
    asked what to do with one that does not. Written before it is asked to, so that nobody forgets whose doing it was.
    """
    said = {"was_on": "yes", "asks": ASKS_SHUTDOWN if asked else "", "answer": ""}
    return said | ({"shutdown_by": until.isoformat(), **NOT_OFF} if until else {})


WENT_OFF: Final = {"went_off": "yes"}
"""The field that says that the guest was seen to be down: if the VM is on after that, somebody wants it to be."""
NOT_OFF: Final = {"went_off": ""}


def went_off(job: Job) -> bool:
    """The guest was down already, for this migration."""
    return bool(job.data.get("went_off"))


def was_on(job: Job) -> bool:
    """This migration found the VM running and set out to shut it down."""
    return bool(job.data.get("was_on"))


def power_words(job: Job) -> str:
    """What this migration did to the VM's power before it ended without a move, or empty."""
    return "This migration asked its guest to shut down, so it may be off." if was_on(job) else ""


def shutdown_by(job: Job) -> datetime | None:
    """How long the guest is given, once it was asked to shut down."""
    text = job.data.get("shutdown_by", "")
    return datetime.fromisoformat(text) if text else None


def asks_of(job: Job) -> str:
    """What a person is asked before it starts, or empty."""
    return job.data.get("asks", "")


def answer_of(job: Job) -> ShutdownAnswer | None:
    """What a person answered about a guest that does not shut down; None: nothing yet."""
    return next((answer for answer in ShutdownAnswer if answer == job.data.get("answer")), None)


def with_doing(what: str) -> dict[str, str]:
    """The field that says what is being done to the VM before its move."""
    return {"doing": what}


def doing(job: Job) -> str:
    """What is being done to the VM before its move, or empty."""
    return job.data.get("doing", "")


def with_offers(offers: Iterable[ButtonKind]) -> dict[str, str]:
    """The field that says what the card of an ended job offers besides a retry."""
    return {"offers": ",".join(offers)}


def offers_of(job: Job) -> list[ButtonKind]:
    """What the card of an ended job offers; what this version does not know is left out."""
    known = {kind.value: kind for kind in ButtonKind}
    return [known[name] for name in job.data.get("offers", "").split(",") if name in known]


def with_measured(job: Job, measured: PathMeasurement) -> dict[str, str]:
    """The field that holds what was measured on the way of this copy, with one look more."""
    every = (*measured_of(job), measured)
    kept = (*every[:FIRST_MEASURED], *every[FIRST_MEASURED:][FIRST_MEASURED - MOST_MEASURED :])
    return {"measured": _MEASURED.dump_json(kept).decode()}


def with_trouble(why: str) -> dict[str, str]:
    """The field that says what a job waits for while the world is away."""
    return {"trouble": why}


def with_start(words: str) -> dict[str, str]:
    """The field that says when it may start, in the words of the zone that people mean."""
    return {"starts": words}


def start_of(job: Job) -> dict[str, str]:
    """The same field of another job, for one that asks for the same anew."""
    return with_start(job.data["starts"]) if job.data.get("starts") else {}


def with_wait(why: str) -> dict[str, str]:
    """The field that says why an approved job is not started yet."""
    return {"waits": why}


def with_fruitless(count: int) -> dict[str, str]:
    """The field that says of how many calls nothing came."""
    return {"fruitless": str(count)}


def fruitless(job: Job) -> int:
    """Of how many calls nothing came, although nobody refused them."""
    return int(job.data.get("fruitless") or 0)


def with_busy(since: datetime) -> dict[str, str]:
    """The field that says since when something passing is in the way of the start."""
    return {"busy_since": since.isoformat()}


NOT_BUSY: Final = {"busy_since": ""}
"""The field that says that nothing passing is in the way."""


def busy_since(job: Job) -> datetime | None:
    """Since when something passing is in the way of the start, if it is."""
    text = job.data.get("busy_since", "")
    return datetime.fromisoformat(text) if text else None


def with_cancel(state: CancelState) -> dict[str, str]:
    """The field that says how far a cancel has come."""
    return {"cancel": state}


def cancel_of(job: Job) -> CancelState:
    """How far the cancel that somebody asked for has come."""
    return CancelState(job.data.get("cancel", CancelState.ASKING))


def request_of(job: Job) -> MigrationRequest:
    """The request of a job. Every migration job has one; BugError when this version cannot read it."""
    if (request := _part(job, "request", _REQUEST)) is not None:
        return request
    raise BugError(f"job {job.id} has no request")


def plan_of(job: Job) -> Plan | None:
    """The plan of a job, once there is one."""
    return _part(job, "plan", _PLAN)


def is_blocked(job: Job) -> bool:
    """Its plan waits for nobody's approval: something blocks it."""
    plan = plan_of(job) if job.state is Phase.PLANNED else None
    return plan is not None and not plan.safe


def is_adopted(job: Job) -> bool:
    """Redis had forgotten this job."""
    return bool(job.data.get("adopted"))


def trouble_of(job: Job) -> str:
    """What the job waits for while the world is away, or empty."""
    return job.data.get("trouble", "")


def starts(job: Job) -> str:
    """When it may start at the earliest, in words, or empty: nobody said."""
    if (at := request_of(job).not_before) is None:
        return ""
    return job.data.get("starts") or in_words(at, UTC)


def waits_for(job: Job) -> str:
    """What keeps an approved job from being started, as last seen, or empty: its time, a window, a freeze."""
    return job.data.get("waits", "")


def approved_plan(job: Job) -> Plan:
    """The plan of a job that is past its approval."""
    if plan := plan_of(job):
        return plan
    raise BugError(f"job {job.id} is {job.state} without a plan")


def intent_of(job: Job) -> Intent:
    """The intent of a job that is past it."""
    if (intent := _part(job, "intent", _INTENT)) is not None:
        return intent
    raise BugError(f"job {job.id} is {job.state} without an intent")


def task_end_of(job: Job) -> TaskEnd | None:
    """How the job's task ended, if that is known."""
    return _part(job, "task_end", _TASK_END)


def copied_of(job: Job) -> Copied | None:
    """The progress as last written."""
    return _part(job, "copied", _COPIED)


def measured_of(job: Job) -> tuple[PathMeasurement, ...]:
    """What was measured on the way of this copy, oldest first."""
    return _part(job, "measured", _MEASURED) or ()


def _part(job: Job, field: str, form: TypeAdapter[Part]) -> Part | None:
    """A field of the job, or None without it. BugError for one that another version wrote in another form."""
    if not (text := job.data.get(field)):
        return None
    try:
        return form.validate_json(text)
    except ValidationError as error:
        raise BugError(
            f"The {field} of job {job.id} cannot be read by this version of coldmigrate ({error.error_count()} errors)."
        ) from error
