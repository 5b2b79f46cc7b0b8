"""Warnings of a plan, and whoever lifts them: an approval counts for them too, unless their site is strict.

At a strict site (`warnings = "force"`) they are lifted by those who may `force`, and by nobody else. Either way the
approval says in ledger and audit log which warnings there were; so nobody can say later that they were not told.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from bot.jobs.port import Job
from bot.migration.plan import Plan
from bot.migration.request import SiteName

_FIELD: Final = "warnings"
_FORCE: Final = "force"


def with_strictness(strict: Collection[SiteName], site: SiteName) -> dict[str, str]:
    """The field that lets a card ask for force, without knowing the config."""
    return {_FIELD: _FORCE} if site in strict else {}


def strictness_of(job: Job) -> dict[str, str]:
    """The same field of another job, for one that asks for the same anew."""
    return {_FIELD: job.data[_FIELD]} if _FIELD in job.data else {}


def is_strict(job: Job) -> bool:
    """Whether warnings of this job, or batch, take the right to force."""
    return job.data.get(_FIELD) == _FORCE


def asks_for_force(job: Job, plan: Plan) -> bool:
    """Whether the card of this job offers to lift warnings, instead of a plain approval."""
    return plan.needs_force and is_strict(job)


def approval_in_words(plan: Plan | None, *, strict: bool) -> str:
    """What the ledger and the audit log say of an approval of this plan."""
    if plan is None or not plan.warnings:
        return "approved"
    ids = ", ".join(dict.fromkeys(concern.id for concern in plan.warnings))
    if not plan.needs_force:
        return f"approved; --force had lifted its warnings: {ids}"
    return f"approved with force; warnings lifted: {ids}" if strict else f"approved, with its warnings seen: {ids}"
