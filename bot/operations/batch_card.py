"""A batch as the one card that people see of it: a row for each VM. Pure: the same jobs, the same card."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from bot.jobs.port import Hold, Job
from bot.migration.capacity import in_words as place_in_words
from bot.migration.eta import in_words
from bot.migration.machine import WORDS, Phase
from bot.migration.plan import Plan, Severity, heaviest_first
from bot.migration.size import gib
from bot.operations.batch_record import Row, batch_of, startable, stops
from bot.operations.holds import held_words
from bot.operations.option_words import options_in_words
from bot.operations.record import copied_of, plan_of, trouble_of, waits_for
from bot.slack.port import Button, ButtonKind, TableCard

COLUMNS: Final = ("VM", "State", "Concerns", "Progress", "Size", "From", "To")
"""What somebody should read first: the last ones are cut off where a window is narrow."""
ALL_SHOWN: Final = 30
"""Rows that surely fit: of more, those come first that somebody should look at."""

READY: Final = "ready"
BLOCKED: Final = "blocked"
LEFT_OUT: Final = "left out"
UNPLANNED: Final = "no plan"
_STATES: Final = {Phase.DRAFTED: "checking", Phase.QUEUED: "starting", Phase.ATTACHED: "under way"}
_ATTENTION: Final = (
    WORDS[Phase.NEEDS_HUMAN],
    WORDS[Phase.FAILED],
    UNPLANNED,
    BLOCKED,
    WORDS[Phase.VERIFYING],
    WORDS[Phase.ATTACHED],
    WORDS[Phase.UNKNOWN],
    WORDS[Phase.INTENT],
    LEFT_OUT,
    WORDS[Phase.CHECKING],
    READY,
    WORDS[Phase.QUEUED],
    WORDS[Phase.CANCELLED],
    WORDS[Phase.DONE],
)


def batch_card(job: Job, rows: Sequence[Row], held: Hold | None = None) -> TableCard:
    """The card of a batch in its present state. `held`: the hold that the batch itself waits behind."""
    batch = batch_of(job)
    many = len(batch.requests)
    return TableCard(
        subject=job.id,
        channel=job.channel,
        title=f"{batch.title}: {many} VM{'s' if many != 1 else ''}" + (" (dry run)" if batch.dry_run else ""),
        state=state_in_words(job.state),
        phase=job.state,
        requester=job.requester,
        columns=COLUMNS,
        rows=[_cells(row) for row in in_order(rows)],
        facts=_facts(job, rows),
        note=_note(job, rows, held),
        buttons=_buttons(job, rows),
        ended=job.state.ended,
    )


def in_order(rows: Sequence[Row]) -> Sequence[Row]:
    """As they were asked for; of many, those first that somebody should look at, for the last may not be shown."""
    return rows if len(rows) <= ALL_SHOWN else sorted(rows, key=lambda row: _ATTENTION.index(word(row)))


def state_in_words(phase: Phase) -> str:
    """How it is with a batch; what a migration does in the same phase is another thing."""
    return _STATES.get(phase, WORDS[phase])


def word(row: Row) -> str:
    """How it is with one VM, in a word or two."""
    if row.part is not None and not row.part.own:
        return LEFT_OUT
    job = row.own
    if job is None:
        return WORDS[Phase.CHECKING]
    plan = plan_of(job)
    if plan is None and job.state is Phase.FAILED:
        return UNPLANNED
    ready = job.state is Phase.PLANNED or (row.request.dry_run and job.state is Phase.DONE)
    if plan is not None and not plan.safe and job.state is Phase.CANCELLED:
        return LEFT_OUT
    return WORDS[job.state] if not ready else READY if plan is None or plan.safe else BLOCKED


def tally(rows: Sequence[Row]) -> str:
    """How many there are of each, as in 1 failed, 3 copying: those first that somebody should look at."""
    counted = Tally(word(row) for row in rows)
    return ", ".join(f"{counted[state]} {state}" for state in _ATTENTION if counted[state])


def why(row: Row) -> str:
    """Why it is not, or will not be, where it should; empty if nothing speaks against it."""
    if row.part is not None and not row.part.own:
        return f"job {row.part.job} has this VM already"
    job = row.own
    if job is None:
        return ""
    if job.state in (Phase.FAILED, Phase.NEEDS_HUMAN):
        return job.data.get("cause") or job.data.get("outcome") or (job.steps[-1].why if job.steps else "")
    if not job.state.ended and (wait := _waits(row, job)):
        return wait
    plan = plan_of(job)
    over = job.state.started or (job.state is Phase.DONE and not row.request.dry_run)
    return _concerns(plan) if plan is not None and not over else ""


def _waits(row: Row, job: Job) -> str:
    """What it waits for beside a free slot."""
    if row.held is not None:
        return f"waits behind the hold of {place_in_words(row.held.resource)}"
    return trouble_of(job) or (waits_for(job) if job.state is Phase.QUEUED else "")


def _concerns(plan: Plan) -> str:
    """The heaviest in its own words, the others counted; notes are for the card of one VM."""
    weighed = [one for one in heaviest_first(plan.concerns) if one.severity is not Severity.NOTE]
    if not weighed:
        return ""
    others = len(weighed) - 1
    return weighed[0].text + (f" (and {others} more)" if others else "")


def _cells(row: Row) -> list[str]:
    job = row.own
    plan = plan_of(job) if job is not None else None
    source = f"{plan.source.site or plan.source.datacenter}: {_short(plan.source.host)}" if plan else ""
    target = f"{plan.target.site}: {_short(plan.target.host)}" if plan else row.request.site
    size = gib(plan.size) if plan else ""
    return [row.request.vm.name, word(row), why(row), _progress(job), size, source, target]


def _short(host: str) -> str:
    """A host without its domain, as people call it; an address stays whole."""
    name, _, _ = host.partition(".")
    return host if name.isdigit() or ":" in host else name


def _progress(job: Job | None) -> str:
    copied = copied_of(job) if job is not None else None
    if job is None or copied is None or not (job.state.started or job.state is Phase.FAILED):
        return ""
    left = job.state is Phase.ATTACHED and copied.eta is not None and not trouble_of(job)
    return f"{copied.percent} %" + (f", {in_words(timedelta(seconds=copied.eta or 0))} left" if left else "")


def _facts(job: Job, rows: Sequence[Row]) -> list[tuple[str, str]]:
    plans = [plan for row in rows if row.own is not None and (plan := plan_of(row.own)) is not None and plan.safe]
    facts = [("VMs", tally(rows))]
    if plans:
        facts.append(("To copy", gib(sum(plan.size for plan in plans))))
    facts += _options(rows)
    if job.data.get("approver"):
        rest = "What has not started is cancelled" if stops(job) else "The others go on"
        facts.append(("If one fails", rest))
    if not job.state.ended and (start := job.data.get("starts")):
        facts.append(("Not before", start))
    return facts


def _options(rows: Sequence[Row]) -> list[tuple[str, str]]:
    """What is done beside the moves: of all of them, or of how many."""
    counted = Tally(words for row in rows if (words := options_in_words(row.request)))
    told = (words if many == len(rows) else f"{words}: {many} of {len(rows)} VMs" for words, many in counted.items())
    return [("Options", "; ".join(told))] if counted else []


def _note(job: Job, rows: Sequence[Row], held: Hold | None) -> str:
    if job.state.ended:
        return job.data.get("outcome") or (job.steps[-1].why if job.steps else "")
    if job.cancel_by:
        return "Cancelling: what has not started is not started, and what is being copied is stopped."
    match job.state:
        case Phase.DRAFTED | Phase.CHECKING:
            return "Reading the facts of all VMs from vCenter."
        case Phase.PLANNED:
            return _question(rows)
        case Phase.QUEUED:
            waits = f"{held_words(held)} Nothing was started." if held else "Each VM waits for a free slot on its link."
            return f"Approved. {waits}"
        case _:
            return " ".join([*_held(rows), "What fails is said in the thread, with its diagnosis."])


def _held(rows: Sequence[Row]) -> list[str]:
    """A sentence on each hold that some of them wait behind."""
    held = Tally(row.held for row in rows if row.held is not None)
    return [f"{held_words(hold)} Waiting behind it: {many}." for hold, many in held.items()]


def _question(rows: Sequence[Row]) -> str:
    can = len(startable(rows))
    cannot = len(rows) - can
    left = f" {cannot} cannot start and {'is' if cannot == 1 else 'are'} left out." if cannot else ""
    return (
        f"{can} of {len(rows)} can start.{left} Nothing moves before somebody approves. The plans expire after an hour."
    )


def _buttons(job: Job, rows: Sequence[Row]) -> list[Button]:
    cancel = Button(ButtonKind.CANCEL, job.id)
    if job.state is Phase.PLANNED:
        value = f"{job.id} {job.data.get('fingerprint', '')}"
        return [Button(ButtonKind.APPROVE, value), Button(ButtonKind.APPROVE_STOP, value), cancel]
    if job.state.ended:
        return [Button(ButtonKind.RETRY, job.id)] if again(rows) and not batch_of(job).dry_run else []
    return [] if job.cancel_by else [cancel]


def again(rows: Sequence[Row]) -> list[Row]:
    """What a retry would try: all that did not arrive, but for what a person must look at first."""
    return [
        row
        for row in rows
        if row.part is None or not row.part.own or row.job is None or row.job.state in (Phase.FAILED, Phase.CANCELLED)
    ]
