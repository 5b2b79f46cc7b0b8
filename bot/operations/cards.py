"""A job as the one card that people see of it. Pure: the same job, the same card."""

from __future__ import annotations

from collections.abc import Sequence

from bot.jobs.port import Hold, Job
from bot.migration.machine import Phase
from bot.migration.plan import Plan
from bot.migration.request import JobId, MigrationRequest
from bot.migration.size import gib
from bot.operations.holds import held_words
from bot.operations.lifting import asks_for_force
from bot.operations.option_words import options_in_words
from bot.operations.record import (
    ASKS_SHUTDOWN,
    CancelState,
    asks_of,
    cancel_of,
    copied_of,
    doing,
    is_blocked,
    offers_of,
    plan_of,
    power_words,
    request_of,
    starts,
    trouble_of,
    waits_for,
    was_on,
)
from bot.slack.port import Button, ButtonKind, JobCard, Progress

_NOTES = {
    Phase.DRAFTED: "Reading the facts from vCenter.",
    Phase.CHECKING: "Reading the facts from vCenter.",
    Phase.QUEUED: "Waits for a free slot on the link. Nothing was started yet.",
    Phase.INTENT: "Asking vCenter to start.",
    Phase.UNKNOWN: "It is not known whether vCenter started the copy. Looking there; it will not be started twice.",
    Phase.VERIFYING: "The task ended. Reading where the VM really is.",
}

_SAFE = "Nothing moves before somebody approves. The plan expires after an hour."
_FORCE = (
    "It has warnings, and its site lets only those lift them who may force. "
    "Nothing moves before one of them approves. The plan expires after an hour."
)
_BLOCKED = "This cannot start as it is. Mend what blocks it, then ask again: that makes a new plan instead of this one."

_MEANWHILE = {
    Phase.QUEUED: "Nothing was started. It is tried again, at least once a minute.",
    Phase.INTENT: "Whether the copy started is not known; it is looked up as soon as vCenter answers.",
    Phase.UNKNOWN: "Whether the copy started is not known; it is looked up as soon as vCenter answers.",
    Phase.ATTACHED: "What is shown is what was seen last; the copy is followed again as soon as vCenter answers.",
    Phase.VERIFYING: "The task ended; where the VM is will be read as soon as vCenter answers.",
}
"""What goes on, and what does not, while the world is away."""

_CANCELLING = {
    CancelState.ASKING: "Cancelling: vCenter is being asked to stop the copy.",
    CancelState.HEARD: "Cancelling: vCenter was asked to stop, and the VM's place is checked afterwards.",
    CancelState.REFUSED: "vCenter does not cancel this copy any more. Its end is awaited, and the VM's place checked.",
}


def job_card(job: Job, held: Hold | None = None) -> JobCard:
    """The card of a job in its present state. `held`: the hold that it waits behind."""
    request = request_of(job)
    plan = plan_of(job)
    return JobCard(
        job=job.id,
        channel=job.channel,
        phase=job.state,
        title=f"{request.vm.name} to {request.site}" + (" (dry run)" if request.dry_run else ""),
        requester=job.requester,
        facts=[*_facts(plan), *_options(request), *_start(job)],
        start=request.not_before if _start(job) else None,
        concerns=plan.concerns if plan and not job.attempt else (),  # once it was tried, its end is what counts
        progress=_progress(job, plan),
        note=_note(job, plan, held),
        buttons=_buttons(job, plan),
        batch=request.batch,
        blocked=is_blocked(job),
    )


def _facts(plan: Plan | None) -> list[tuple[str, str]]:
    if plan is None:
        return []
    facts = [
        ("From", f"{plan.source.site or plan.source.datacenter}: {plan.source.host}, {plan.source.datastore}"),
        ("To", f"{plan.target.site}: {plan.target.host}, {plan.target.datastore}"),
        ("To copy", f"{gib(plan.size)} in {len(plan.disks)} disk{'s' if len(plan.disks) != 1 else ''}"),
        ("Folder", plan.target.folder),
    ]
    if plan.nics:
        facts.append(("Networks", ", ".join(f"{n.source_network} to {n.target_network}" for n in plan.nics)))
    if plan.path is not None:
        facts.append(("Data path", plan.path.words))
    return facts


def _options(request: MigrationRequest) -> list[tuple[str, str]]:
    """What is done beside the move."""
    words = options_in_words(request)
    return [("Options", words)] if words else []


def _start(job: Job) -> list[tuple[str, str]]:
    """When it may start, as long as that is of interest."""
    start = starts(job) if not (job.state.started or job.state.ended) else ""
    return [("Not before", start)] if start else []


def _progress(job: Job, plan: Plan | None) -> Progress | None:
    copied = copied_of(job)
    if plan is None or copied is None or not (job.state.started or job.state is Phase.FAILED):
        return None
    running = job.state is Phase.ATTACHED and not trouble_of(job)
    return Progress(
        percent=copied.percent,
        done=plan.size * copied.percent // 100,
        total=plan.size,
        rate=copied.rate if running else None,
        eta=copied.eta if running else None,
        nfc_errors=copied.nfc_errors,
        usual_rate=copied.usual if running else None,
        stalled=copied.stalled if running else None,
    )


def _note(job: Job, plan: Plan | None, held: Hold | None) -> str:
    if job.state.ended:
        outcome = job.data.get("outcome") or (job.steps[-1].why if job.steps else "")
        cause = job.data.get("cause", "") if job.state is Phase.FAILED else ""
        power = power_words(job) if job.state is not Phase.DONE else ""
        return " ".join([outcome, *(more for more in (cause, power) if more not in outcome)])
    trouble = f"{trouble_of(job)} {_MEANWHILE.get(job.state, '')}".strip() if trouble_of(job) else ""
    if job.cancel_by:
        return f"{_cancelling(job)} {trouble}".strip()
    if job.state is Phase.QUEUED:
        return _queued(job, held, trouble)
    if trouble:
        return trouble
    if job.state is Phase.PLANNED and plan is not None:
        return (_FORCE if asks_for_force(job, plan) else _SAFE) if plan.safe else _BLOCKED
    return _NOTES.get(job.state, "")


def _queued(job: Job, held: Hold | None, trouble: str) -> str:
    """What is asked or done before the move, else what it waits for."""
    if held is None and (now := _asked(job) or (doing(job) if not trouble else "")):
        return now
    behind = f"{held_words(held)} Nothing was started." if held is not None else ""
    return f"{behind or trouble or _waiting(job)} {_outage(job)}".strip()


def _outage(job: Job) -> str:
    """That a VM may be off while its move waits, and how to end that."""
    return f"{power_words(job)} Cancel the move, and it can be powered on again." if was_on(job) else ""


def _asked(job: Job) -> str:
    """What a person has to decide before it goes on."""
    if asks_of(job) != ASKS_SHUTDOWN:
        return ""
    return f"{request_of(job).vm.name} has not shut down. Nothing was moved; the thread asks what to do."


def _waiting(job: Job) -> str:
    """What an approved job waits for when nothing is wrong."""
    wait, start = waits_for(job), starts(job)
    if start and (not wait or start in wait):
        return "Waits for its time, and then for a free slot on the link. Nothing was started yet."
    if wait:
        return f"Waits. {wait} From then on it waits for a free slot on the link. Nothing was started yet."
    return _NOTES[Phase.QUEUED]


def _cancelling(job: Job) -> str:
    match job.state:
        case Phase.ATTACHED:
            return _CANCELLING[cancel_of(job)]
        case Phase.VERIFYING:
            return "The task ended. Reading where the VM really is."
        case Phase.INTENT | Phase.UNKNOWN:
            return "Cancelling: once it is known whether the copy started, it is stopped or not started."
        case _:
            return "Cancelling: nothing was started yet."


def _approve(job: Job, plan: Plan | None) -> list[Button]:
    if plan is None or not plan.safe:
        return []
    kind = ButtonKind.FORCE if asks_for_force(job, plan) else ButtonKind.APPROVE
    return [Button(kind, f"{job.id} {plan.fingerprint}")]


def _buttons(job: Job, plan: Plan | None) -> list[Button]:
    cancel = Button(ButtonKind.CANCEL, job.id)
    if job.state is Phase.PLANNED:
        return [*_approve(job, plan), cancel]
    if job.state in (Phase.FAILED, Phase.CANCELLED):
        return buttons_after(job.id, offers_of(job))
    if job.state.ended or job.cancel_by or job.state is Phase.VERIFYING:
        return []
    return [cancel]


def buttons_after(job: JobId, offers: Sequence[ButtonKind]) -> list[Button]:
    """What is offered of a job that came to nothing: to end the outage comes first, to try again next."""
    first = [kind for kind in offers if kind is ButtonKind.POWER_ON_SOURCE]
    others = [kind for kind in offers if kind is not ButtonKind.POWER_ON_SOURCE]
    return [Button(kind, job) for kind in (*first, ButtonKind.RETRY, *others)]
