"""Do what was asked for about a migration that ended: power the VM on where it is, look at what is left and delete it,
measure its path, put the evidence together. What comes of it is said in the migration's thread, whatever it is.

Each act looks before it acts and may be repeated: a worker that dies over one costs nothing but time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.errors import BugError, LoginError, OutsideError, UserError
from bot.jobs.port import Claim, Job, LostLeaseError
from bot.migration.eta import in_words
from bot.migration.machine import Answered, CheckStarted, NoAnswer, Phase, advance
from bot.migration.size import gib
from bot.operations.aftercare_record import IN_WORDS, Act, Aftercare
from bot.operations.evidence import evidence_of, said_of
from bot.operations.link_chart import chart_of
from bot.operations.measure import measure_and_tell
from bot.operations.on_call_files import Attachment
from bot.operations.record import approved_plan
from bot.operations.tools import WorkerTools
from bot.operations.verify import Whereabouts, sight
from bot.slack.port import Button, ButtonKind, Reply, Section
from bot.vsphere.port import FaultError, Leftover

HISTORY: Final = timedelta(days=1)

LISTED: Final = 30
"""Files of a list that somebody reads before deleting them; there are rarely more, and the rest is counted."""


STALE: Final = timedelta(hours=1)
"""An act that waited so long for a vCenter that was away is not done: by then its VM may have been brought up from a
backup, and its files be somebody's.
"""

WRITES_ON: Final = timedelta(minutes=10)
"""After its end a copy writes nothing any more; so much may its host's clock be ahead of ours."""

_NOT_OURS: Final = (
    "Nothing was deleted: somebody has written there since the copy failed, perhaps to bring the VM over by hand. "
    "Please look for yourself what is to be kept."
)


@dataclass(frozen=True, slots=True)
class Done:
    """What the thread reads of an act. `text` is its outcome; `well` False: it could not be done."""

    text: str
    well: bool = True
    sections: Sequence[Section] = ()
    buttons: Sequence[Button] = ()
    files: Sequence[Attachment] = ()


async def run_aftercare(tools: WorkerTools, claim: Claim) -> None:
    """Carry a claimed act to its end. LostLeaseError, UnreachableError as everywhere; anything else is told."""
    if claim.job.state is Phase.DRAFTED:
        await claim.move(advance(claim.job.state, CheckStarted()), why="looking at the VM")
    if claim.job.state is not Phase.CHECKING:
        raise BugError(f"nothing is to be done in the phase '{claim.job.state}'")
    asked = Aftercare.from_data(claim.job.data)
    job = await tools.queue.get(asked.of)
    if job is None:
        await claim.move(Phase.FAILED, why=f"job {asked.of} is not known any more")
        return
    try:
        late = await _too_late(tools, claim.job) if asked.act.takes_vm else None
        done = late or await _ACTS[asked.act](tools, claim, job, asked.detail)
    except (UserError, FaultError, LoginError) as error:
        done = Done(str(error), well=False)
    except OutsideError as error:
        await _say_that_it_waits(tools, claim, job, asked, error)
        raise
    await _tell(tools, claim, job, asked, done)


async def _say_that_it_waits(tools: WorkerTools, claim: Claim, job: Job, asked: Aftercare, error: OutsideError) -> None:
    """Whoever clicked reads once why nothing happens; the act is tried again by itself."""
    with suppress(OutsideError, LostLeaseError):  # the error itself is what the worker has to hear of
        await claim.cancel_asked()
        said = f"{IN_WORDS[asked.act]} waits: {error} It is done as soon as that is over, if that is soon."
        await tools.outbox.reply(job.id, job.channel, Reply(f"waits-{claim.job.id}", said))


async def _too_late(tools: WorkerTools, act: Job) -> Done | None:
    """What to say of a click that nobody could carry out for so long that its reason may have gone."""
    ago = await tools.queue.now() - act.created
    if ago < STALE:
        return None
    said = f"That was asked for {in_words(ago)} ago, so it was not done any more. Click again if it still is to be."
    return Done(said, well=False)


async def _tell(tools: WorkerTools, claim: Claim, job: Job, asked: Aftercare, done: Done) -> None:
    """Say it, then write down that it was: a successor repeats both, and the thread knows what it has."""
    await claim.cancel_asked()  # refuses to speak for a job that another worker has
    reply = Reply(asked.reply_key(claim.job.id), done.text, done.sections, done.buttons)
    await tools.outbox.reply(job.id, job.channel, reply)
    for file in done.files:
        await tools.outbox.attach(
            job.id, job.channel, name=file.name, data=file.data, title=file.title, alt_text=file.alt_text
        )
    event = Answered() if done.well else NoAnswer()
    await claim.move(advance(claim.job.state, event), why=done.text, data={"outcome": done.text})


# ---- the acts


async def _power_on(tools: WorkerTools, claim: Claim, job: Job, _: str) -> Done:
    """At the source and only there: a VM that is half somewhere else must not be started by a click."""
    plan, vm = approved_plan(job), approved_plan(job).request.vm
    if not tools.allow.power_on:
        return Done("The config does not let me power VMs on: set [allow] power_on.", well=False)
    vcenter = tools.fleet.vcenter(vm.vcenter)
    seen = await sight(tools.fleet, plan)
    if (place := seen.place) is None or seen.where is not Whereabouts.AT_SOURCE:
        return Done(f"{vm.name} was not powered on: it is not whole at its source. {seen.in_words()}.", well=False)
    if (await vcenter.guest(vm.uuid)).power == "poweredOn":
        return Done(f"{vm.name} is on already, at its source, {place.host}.")
    await claim.cancel_asked()
    await vcenter.power_on(vm.uuid, session=await vcenter.writer_session())
    return Done(f"{vm.name} is on, at its source, {place.host}.")


async def _delete_leftovers(tools: WorkerTools, claim: Claim, job: Job, seen: str) -> Done:
    """Show what is there; delete it once somebody has confirmed this very list."""
    plan = approved_plan(job)
    if not tools.allow.delete_leftovers:
        return Done("The config does not let me delete anything: set [allow] delete_leftovers.", well=False)
    vcenter = tools.fleet.vcenter(plan.target.vcenter or plan.request.vm.vcenter)
    found = await vcenter.leftovers(plan)
    if not found:
        return Done(f"Nothing is left of {plan.request.vm.name} on {plan.target.datastore}.")
    if since := _written_since(job, found):
        return Done(_NOT_OURS, well=False, sections=[Section("Written since the copy failed", lines=since[:LISTED])])
    if seen != fingerprint(found):
        return _listed(job, found, again=bool(seen))
    await claim.cancel_asked()
    deleted = await vcenter.delete_leftovers(plan, [file.path for file in found])
    size = sum(file.size for file in found if file.path in deleted)
    kept = [file.path for file in found if file.path not in deleted]
    text = f"Deleted {len(deleted)} of {len(found)} files on {plan.target.datastore}, {gib(size)}."
    left = [Section("Not deleted, because something else has it by now", lines=kept)] if kept else []
    return Done(text, sections=left)


def _written_since(job: Job, found: Sequence[Leftover]) -> list[str]:
    """The files that somebody has written after the copy was over: perhaps to bring the VM over by hand."""
    over = job.steps[-1].at + WRITES_ON
    return [f"{file.changed_at:%Y-%m-%d %H:%M} UTC  {file.path}" for file in found if file.changed_at > over]


def _listed(job: Job, found: Sequence[Leftover], *, again: bool) -> Done:
    plan = approved_plan(job)
    changed = "What is there has changed since the list was shown. " if again else ""
    text = (
        f"{changed}{gib(sum(file.size for file in found))} in {len(found)} files are left of {plan.request.vm.name} on "
        f"{plan.target.datastore}. No registered VM has them. They are deleted for good if you confirm this list."
    )
    lines = [f"{gib(file.size):>10}  {file.changed_at:%Y-%m-%d %H:%M} UTC  {file.path}" for file in found[:LISTED]]
    if more := len(found) - LISTED:
        lines += [f"and {more} more"] if more > 0 else []
    button = Button(ButtonKind.DELETE_LEFTOVERS, f"{job.id} {fingerprint(found)}")
    return Done(text, sections=[Section(lines=lines)], buttons=[button])


def fingerprint(found: Sequence[Leftover]) -> str:
    """Sixteen hex digits over names and sizes: what somebody confirmed is what is deleted."""
    text = "\n".join(sorted(f"{file.size} {file.path}" for file in found))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


async def _measure(tools: WorkerTools, claim: Claim, job: Job, _: str) -> Done:
    reply = await measure_and_tell(tools, job)
    return Done(reply.text, sections=reply.sections, buttons=reply.buttons, files=await _history(tools, claim, job))


async def _history(tools: WorkerTools, claim: Claim, job: Job) -> list[Attachment]:
    """What the link was like over the last day, as a picture: one figure alone says little."""
    plan = approved_plan(job)
    data = await chart_of(tools, plan.link, claim.job.created - HISTORY)
    if data is None:
        return []
    said = f"Lost packets and rates of copies on {plan.link} in the 24 hours before."
    return [Attachment(f"link-{claim.job.id}.png", data, f"{plan.link} over the last day", said)]


async def _evidence(tools: WorkerTools, claim: Claim, job: Job, _: str) -> Done:
    evidence = await evidence_of(tools, job, asked_at=claim.job.created)
    asked = Section("What it asks for", " ".join(evidence.pack.ask))
    return Done(said_of(evidence), sections=[asked], files=evidence.files)


_ACTS: Final[Mapping[Act, Callable[[WorkerTools, Claim, Job, str], Awaitable[Done]]]] = {
    Act.POWER_ON_SOURCE: _power_on,
    Act.DELETE_LEFTOVERS: _delete_leftovers,
    Act.MEASURE: _measure,
    Act.EVIDENCE: _evidence,
}
