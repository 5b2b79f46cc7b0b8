"""The trace of a migration on its VM: enough to take it up again when Redis knows nothing of it any more.

Written through the session that is about to call, between the intent and the call, and taken away after the end. It
has to fit into a custom attribute, so what can be read again from vCenter is not in it.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, unquote

from bot.jobs.port import Job
from bot.migration.plan import Plan
from bot.migration.request import JobId, SiteName
from bot.operations.record import Intent

FORM: Final = "1"
FAR_FORM: Final = "2"
"""The same, with the name of the vCenter that the VM leaves before it all: the trace may travel along, and be found in
the one where it arrives.
"""
LONGEST: Final = 250
"""Characters, as `VCenter.write_trace` takes them."""

BEFORE_CALL: Final = 0
"""The attempt of a trace that was written before the guest was shut down, when there was no call yet: if Redis then
forgets the job, somebody still knows whose doing it is that the VM is off.
"""

_DISPENSABLE: Final = 3
"""The last so many fields may be left out where names are long: they are read again, as far as they still matter."""


@dataclass(frozen=True, slots=True)
class JobTrace:
    """Which job and attempt, through which session, since when by vCenter's clock, where to, and for whom.

    `vcenter`: the one that the VM leaves, if it goes to another one.
    """

    job: JobId
    attempt: int
    session: str
    since: datetime
    site: SiteName
    requester: str
    channel: str
    batch: str
    host: str
    datastore: str = ""
    source_host: str = ""
    source_datastore: str = ""
    vcenter: str = ""


def trace_of(job: Job, plan: Plan, intent: Intent, *, attempt: int) -> JobTrace:
    """The trace of a job that is about to call."""
    return JobTrace(
        job=job.id,
        attempt=attempt,
        session=intent.session,
        since=intent.vcenter_time,
        site=plan.request.site,
        requester=job.requester,
        channel=job.channel,
        batch=plan.request.batch,
        host=plan.target.host,
        datastore=plan.target.datastore,
        source_host=plan.source.host,
        source_datastore=plan.source.datastore,
        vcenter=plan.request.vm.vcenter if plan.far else "",
    )


def write(trace: JobTrace) -> str:
    """The trace as text, `LONGEST` characters at most."""
    *fields, vcenter = (_text(value) for value in astuple(trace))
    begins = [FAR_FORM, vcenter] if vcenter else [FORM]
    for left_out in range(_DISPENSABLE + 1):
        text = " ".join([*begins, *fields[: len(fields) - left_out]])
        if len(text) <= LONGEST:
            return text
    return text[:LONGEST]  # names of a length that vCenter does not take


def read(text: str) -> JobTrace | None:
    """The trace in a text; None for one that this version did not write."""
    form, *fields = text.split(" ")
    vcenter = unquote(fields.pop(0)) if form == FAR_FORM and fields else ""
    try:
        job, attempt, session, since, *names = (unquote(field) for field in fields)
        moment = datetime.fromtimestamp(int(since) / 1000, UTC)
        site, requester, channel, batch, host, *rest = names
        if form not in {FORM, FAR_FORM} or len(rest) > _DISPENSABLE:
            return None
        found = JobTrace(
            JobId(job), int(attempt), session, moment, SiteName(site), requester, channel, batch, host, *rest
        )
        return replace(found, vcenter=vcenter)
    except (ValueError, TypeError, OverflowError):
        return None


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return str(int(value.timestamp() * 1000))
    return quote(str(value), safe="/:@[]()+,~") if value != "" else ""
