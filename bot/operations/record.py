"""What a migration job keeps in its `data`: typed going in, typed coming out. The queue never looks inside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter

from bot.errors import BugError
from bot.jobs.port import Job
from bot.migration.plan import Plan
from bot.migration.request import MigrationRequest

MIGRATE: Final = "migrate"
"""The kind of a migration job."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What was written down before RelocateVM_Task was called: enough for a stranger to find out what came of it.

    `vcenter_time` is vCenter's own clock just before; `at` is the queue's.
    """

    op_id: str
    session: str
    vcenter_time: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """How the task ended, kept because vCenter forgets tasks after some minutes. `fault` None: it succeeded."""

    fault: str | None
    message: str
    cancelled: bool


@dataclass(frozen=True, slots=True)
class Copied:
    """Progress as last seen."""

    percent: int
    rate: float | None
    eta: float | None
    nfc_errors: int


_REQUEST: Final = TypeAdapter(MigrationRequest)
_PLAN: Final = TypeAdapter(Plan)
_INTENT: Final = TypeAdapter(Intent)
_TASK_END: Final = TypeAdapter(TaskEnd)
_COPIED: Final = TypeAdapter(Copied)


def with_request(request: MigrationRequest) -> dict[str, str]:
    """The field that holds the request."""
    return {"request": _REQUEST.dump_json(request).decode()}


def with_plan(plan: Plan) -> dict[str, str]:
    """The fields that hold a plan and what the queue needs to know of it: its fingerprint and its link."""
    return {"plan": _PLAN.dump_json(plan).decode(), "fingerprint": plan.fingerprint, "link": plan.link}


def with_intent(intent: Intent) -> dict[str, str]:
    """The field that holds the intent."""
    return {"intent": _INTENT.dump_json(intent).decode()}


def with_task_end(end: TaskEnd) -> dict[str, str]:
    """The field that holds how the task ended."""
    return {"task_end": _TASK_END.dump_json(end).decode()}


def with_copied(copied: Copied) -> dict[str, str]:
    """The field that holds the progress."""
    return {"copied": _COPIED.dump_json(copied).decode()}


def request_of(job: Job) -> MigrationRequest:
    """The request of a job. Every migration job has one."""
    if text := job.data.get("request"):
        return _REQUEST.validate_json(text)
    raise BugError(f"job {job.id} has no request")


def plan_of(job: Job) -> Plan | None:
    """The plan of a job, once there is one."""
    text = job.data.get("plan")
    return _PLAN.validate_json(text) if text else None


def approved_plan(job: Job) -> Plan:
    """The plan of a job that is past its approval."""
    if plan := plan_of(job):
        return plan
    raise BugError(f"job {job.id} is {job.state} without a plan")


def intent_of(job: Job) -> Intent:
    """The intent of a job that is past it."""
    if text := job.data.get("intent"):
        return _INTENT.validate_json(text)
    raise BugError(f"job {job.id} is {job.state} without an intent")


def task_end_of(job: Job) -> TaskEnd | None:
    """How the job's task ended, if that is known."""
    text = job.data.get("task_end")
    return _TASK_END.validate_json(text) if text else None


def copied_of(job: Job) -> Copied | None:
    """The progress as last written."""
    text = job.data.get("copied")
    return _COPIED.validate_json(text) if text else None
