"""A night in a paragraph for each link, for whoever takes over: what failed and why, what is held and what waits, what
was tried, what is open. Pure: the same records, the same text. Times are UTC and say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bot.errors import BugError
from bot.jobs.port import Hold, Job
from bot.migration.capacity import in_words
from bot.migration.eta import in_words as lasting
from bot.migration.machine import WORDS, Phase
from bot.migration.request import JobId
from bot.operations.aftercare_record import AFTERCARE, IN_WORDS, Act, Aftercare
from bot.operations.holds import planned, uses, vm_name
from bot.operations.record import MIGRATE, copied_of, measured_of, request_of

NAMED: Final = 6
"""VMs that are named in one sentence; the rest is counted."""

FAILED: Final = 8
"""Failures of one link that are told; the rest is counted."""

_UNDONE: Final = (Phase.FAILED, Phase.NEEDS_HUMAN)


@dataclass(frozen=True, slots=True)
class Night:
    """What is known. `jobs` are migrations, `acts` what was done after them, `holds` those that stand."""

    since: datetime
    now: datetime
    jobs: Sequence[Job] = ()
    acts: Sequence[Job] = ()
    holds: Sequence[Hold] = ()
    waiting: Mapping[JobId, Sequence[Job]] = field(default_factory=dict)
    """By the hold's id."""


def summary(night: Night) -> str:
    """The whole of it in one sentence."""
    span = f"Since {_at(night.since, night.now)}"
    jobs = [job for job in night.jobs if _of_night(job, night)]
    counted = [
        _many(len([job for job in jobs if job.state is Phase.FAILED]), "failed"),
        _many(len([job for job in jobs if job.state is Phase.NEEDS_HUMAN]), "need a person", one="needs a person"),
        _many(len([job for job in jobs if job.state is Phase.DONE]), "done"),
        _many(len([job for job in jobs if job.state.started and not job.state.ended]), "under way"),
        _many(len([job for job in jobs if job.state is Phase.QUEUED]), "wait", one="waits"),
        _many(len(night.holds), "holds", one="hold"),
    ]
    told = ", ".join(filter(None, counted))
    return f"{span}: {told}." if told else f"{span}: nothing was migrated, nothing failed, and nothing is held."


def paragraphs(night: Night) -> list[str]:
    """One for each link, those with something undone or held first."""
    lanes = dict.fromkeys(_lane(job) for job in night.jobs if _of_night(job, night))
    told = [(_weight(lane, night), lane) for lane in lanes]
    links = [" ".join(_link(lane, night)) for _, lane in sorted(told)]
    others = [_held(hold, night) for hold in night.holds if not any(_holds(hold, lane, night) for lane in lanes)]
    return [*links, *others]


def _weight(lane: str, night: Night) -> tuple[bool, str]:
    urgent = any(_lane(job) == lane and job.state in _UNDONE for job in night.jobs if _of_night(job, night))
    return not (urgent or any(_holds(hold, lane, night) for hold in night.holds)), lane


def _link(lane: str, night: Night) -> Iterator[str]:
    jobs = [job for job in night.jobs if _lane(job) == lane and _of_night(job, night)]
    yield f"{in_words(lane)[:1].upper()}{in_words(lane)[1:]}:" if "~" in lane else f"{lane or 'No link yet'}:"
    failed = [job for job in jobs if job.state in _UNDONE]
    for job in failed[:FAILED]:
        yield " ".join(_failure(job, night))
    if (more := len(failed) - FAILED) > 0:
        yield f"{more} more failed."
    for hold in night.holds:
        if _holds(hold, lane, night):
            yield _held(hold, night, named=hold.resource != lane)
    yield from _rest(jobs, night)


def _failure(job: Job, night: Night) -> Iterator[str]:
    """One copy that came to nothing: when, how far, why, where the VM is, what was done since, what is open."""
    how = "failed" if job.state is Phase.FAILED else "needs a person"
    at = next((step.at for step in reversed(job.steps) if step.state is job.state), job.updated)
    copied = _copied(job)
    far = f", at {copied} %" if copied is not None else ""
    yield f"{vm_name(job)} (job {job.id}) {how} at {_at(at, night.now)}{far}."
    if why := job.data.get("cause") or job.data.get("outcome", ""):
        yield _ended(why)
    if job.data.get("cause") and "intact at its source" in job.data.get("outcome", ""):
        plan = planned(job)
        yield f"It is intact at its source{f', {plan.source.host}' if plan else ''}."
    if looks := _looks(job):
        yield looks
    done = [_done(act, night) for act in night.acts if _of(act) == job.id]
    yield f"Since then: {'; '.join(done)}." if done else "Nothing was done about it since."
    yield _open(job, night)


def _open(job: Job, night: Night) -> str:
    again = [one for one in night.jobs if one.id != job.id and one.vm_key == job.vm_key and one.created > job.created]
    if not again:
        return "Open: nobody has asked for it again."
    newest = max(again, key=lambda one: one.created)
    return f"It was asked for again as job {newest.id}, which is {WORDS[newest.state]}."


def _looks(job: Job) -> str:
    """The newest count of small packets on its path."""
    try:
        found = [look for look in measured_of(job) if look.small is not None and look.small.sent]
    except BugError:
        return ""
    if not found or (small := found[-1].small) is None:
        return ""
    return f"Measured on its path at {found[-1].at:%H:%M} UTC: {small.lost} of {small.sent} packets lost."


def _done(act: Job, night: Night) -> str:
    """`Power on at source (U1, 01:50 UTC): db01 is on`. Of a pack, that it was made: what it says is in the thread."""
    asked = Aftercare.from_data(act.data)
    said = (act.data.get("outcome") or WORDS[act.state]).split(". ")[0].rstrip(".")
    told = "made" if asked.act is Act.EVIDENCE and act.state is Phase.DONE else said
    return f"{IN_WORDS[asked.act]} ({act.requester}, {_at(act.created, night.now)}): {told}"


def _held(hold: Hold, night: Night, *, named: bool = True) -> str:
    """`named` False: it is clear from what stands before which link it is."""
    waiting = night.waiting.get(hold.id, ())
    what = in_words(hold.resource)
    since = f"{_at(hold.at, night.now)} ({lasting(night.now - hold.at)})"
    whose = f"{what[:1].upper()}{what[1:]}: held" if named else "Held"
    said = f"{whose} since {since}: {hold.why.rstrip('.')}."
    if not waiting:
        return f"{said} Nothing waits behind it. Open: release it when the cause is mended."
    names = _names(waiting)
    behind = f"{len(waiting)} wait behind it, untouched: {names}" if len(waiting) > 1 else f"{names} waits behind it"
    return f"{said} {behind}. Open: mend the cause, then release it."


def _rest(jobs: Sequence[Job], night: Night) -> Iterator[str]:
    held = {job.id for waiting in night.waiting.values() for job in waiting}
    groups = {
        "Under way": [job for job in jobs if job.state.started and not job.state.ended],
        "Waiting": [job for job in jobs if job.state is Phase.QUEUED and job.id not in held],
        "For approval": [job for job in jobs if job.state is Phase.PLANNED],
        "Done": [job for job in jobs if job.state is Phase.DONE],
        "Cancelled": [job for job in jobs if job.state is Phase.CANCELLED],
    }
    for heading, found in groups.items():
        if found:
            yield f"{heading}: {_names(found)}."


def _names(jobs: Sequence[Job]) -> str:
    names = [_with_percent(job) for job in jobs[:NAMED]]
    more = len(jobs) - NAMED
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _with_percent(job: Job) -> str:
    copied = _copied(job) if job.state is Phase.ATTACHED else None
    return vm_name(job) + (f" at {copied} %" if copied is not None else "")


def _copied(job: Job) -> int | None:
    try:
        copied = copied_of(job)
    except BugError:
        return None
    return copied.percent if copied is not None else None


def _of(act: Job) -> str:
    try:
        return Aftercare.from_data(act.data).of if act.kind == AFTERCARE else ""
    except BugError:
        return ""


def _of_night(job: Job, night: Night) -> bool:
    """What ended since then, and whatever lives."""
    return job.kind == MIGRATE and not _is_dry(job) and (not job.state.ended or job.updated >= night.since)


def _is_dry(job: Job) -> bool:
    try:
        return request_of(job).dry_run
    except BugError:
        return False


def _lane(job: Job) -> str:
    plan = planned(job)
    return plan.link if plan is not None else ""


def _holds(hold: Hold, lane: str, night: Night) -> bool:
    return hold.resource == lane or any(_lane(job) == lane and uses(job, hold.resource) for job in night.jobs)


def _many(count: int, words: str, *, one: str = "") -> str:
    return f"{count} {one if one and count == 1 else words}" if count else ""


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _at(at: datetime, now: datetime) -> str:
    """With the day where that is another one."""
    return f"{at:%H:%M} UTC" if now - at < timedelta(hours=12) else f"{at:%Y-%m-%d %H:%M} UTC"
