"""What a batch keeps in its job's `data`: the migrations that were asked for, and the jobs that they became."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.errors import BugError
from bot.jobs.port import Hold, Job, JobQueue
from bot.migration.machine import Phase
from bot.migration.request import JobId, MigrationRequest, SiteName
from bot.operations.holds import behind
from bot.operations.record import plan_of

BATCH: Final = "batch"
"""The kind of a job that is many migrations, and the lane that such jobs wait in. None of them takes a VM itself."""

MOST: Final = 200
"""Migrations in one batch: more than a night can hold, and few enough to be looked through before they are approved."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Many migrations that were asked for at once. `title` is what people call it: "web-tier to site2"."""

    title: str
    requests: tuple[MigrationRequest, ...]

    @property
    def sites(self) -> tuple[SiteName, ...]:
        """Where they go: the rights of a batch are those at all of these."""
        return tuple(sorted({request.site for request in self.requests}))

    @property
    def dry_run(self) -> bool:
        return all(request.dry_run for request in self.requests)


@dataclass(frozen=True, slots=True)
class Part:
    """The job of one of them. `own` False: another job had the VM already, and this is that one's id."""

    job: JobId
    own: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One migration of a batch as it is now: asked for, drafted as `part`, known as `job`, waiting behind `held`."""

    request: MigrationRequest
    part: Part | None = None
    job: Job | None = None
    held: Hold | None = None

    @property
    def own(self) -> Job | None:
        """Its job, if that belongs to this batch and to nobody else."""
        return self.job if self.part is not None and self.part.own else None


Kept = TypeVar("Kept")

_BATCH: Final = TypeAdapter(Batch)
_PARTS: Final = TypeAdapter(tuple[Part, ...])
_PLANS: Final = TypeAdapter(dict[str, str])


def with_batch(batch: Batch) -> dict[str, str]:
    """The field that holds what was asked for."""
    return {"batch": _BATCH.dump_json(batch).decode(), "title": batch.title}


def with_whole(batch: JobId) -> dict[str, str]:
    """The field of a part that lets its plan live as long as its batch does."""
    return {"part_of": batch}


def with_parts(parts: Iterable[Part]) -> dict[str, str]:
    """The field that holds the jobs, in the order of the requests."""
    return {"parts": _PARTS.dump_json(tuple(parts)).decode()}


def with_plans(plans: Mapping[str, str]) -> dict[str, str]:
    """The fields that an approval goes by: the plan of each job that can start, and one fingerprint over them all."""
    over_all = "\n".join(f"{job} {plan}" for job, plan in sorted(plans.items()))
    return {
        "plans": _PLANS.dump_json(dict(plans)).decode(),
        "fingerprint": hashlib.sha256(over_all.encode()).hexdigest()[:16],
        "link": BATCH,
    }


def with_approval(by: str, *, stop: bool) -> dict[str, str]:
    """The fields that say who approved it, and whether one failure stops what has not started."""
    return {"approver": by, "stop": "1" if stop else ""}


def batch_of(job: Job) -> Batch:
    """What was asked for. BugError when this version cannot read it."""
    if (batch := _field(job, "batch", _BATCH)) is None:
        raise BugError(f"job {job.id} has no batch")
    return batch


def parts_of(job: Job) -> tuple[Part, ...]:
    """The jobs that were drafted so far."""
    return _field(job, "parts", _PARTS) or ()


def plans_of(job: Job) -> Mapping[str, str]:
    """The plan of each job that can start, by the job's id; empty until all are made."""
    return _field(job, "plans", _PLANS) or {}


def stops(job: Job) -> bool:
    """Whether whoever approved it wants one failure to stop what has not started."""
    return job.data.get("stop") == "1"


def startable(rows: Iterable[Row]) -> dict[str, str]:
    """The plans that can be approved, by their jobs."""
    found = ((job, plan_of(job)) for row in rows if (job := row.own) is not None and not job.state.ended)
    return {job.id: plan.fingerprint for job, plan in found if plan is not None and plan.safe}


async def read_rows(queue: JobQueue, job: Job) -> list[Row]:
    """All migrations of a batch as they are now."""
    parts = parts_of(job)
    jobs = {found.id: found for found in await queue.get_many([part.job for part in parts])}
    rows = [
        Row(request, part, jobs.get(part.job) if part else None)
        for request, part in zip_longest(batch_of(job).requests, parts)
    ]
    return await with_holds(queue, rows)


async def with_holds(queue: JobQueue, rows: list[Row]) -> list[Row]:
    """The same, with the hold that each of them waits behind."""
    if not any(row.own is not None and row.own.state is Phase.QUEUED for row in rows):
        return rows
    holds = await queue.holds()
    return [replace(row, held=behind(row.own, holds)) if row.own is not None else row for row in rows]


def _field(job: Job, name: str, form: TypeAdapter[Kept]) -> Kept | None:
    if not (text := job.data.get(name)):
        return None
    try:
        return form.validate_json(text)
    except ValidationError as error:
        told = f"{error.error_count()} errors"
        raise BugError(
            f"The {name} of batch {job.id} cannot be read by this version of coldmigrate ({told})."
        ) from error
