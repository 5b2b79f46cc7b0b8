"""Report: the queue, one job, and what a person may do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from textwrap import fill
from typing import Final

from bot.errors import BugError
from bot.jobs.port import Hold, Job
from bot.migration.machine import WORDS, Phase
from bot.migration.request import JobId, SiteName
from bot.operations.batch_glance import batch_line, folded, is_visible
from bot.operations.batch_record import BATCH
from bot.operations.cards import job_card
from bot.operations.counter import Counter, site_of
from bot.operations.holds import behind, held_words, what_holds
from bot.operations.option_words import options_in_words
from bot.operations.options import offered_options
from bot.operations.port import Answer, Person
from bot.operations.record import MIGRATE, copied_of, is_blocked, plan_of, request_of, starts
from bot.operations.rights import Verb
from bot.operations.tools import Allow

SHOWN: Final = 20
WIDE: Final = 72
_INDENT: Final = "    "
LOOKED_AT: Final = 300
"""Jobs among which those are sought that this person may see. A batch may have made two hundred of them."""

_HELP: Final = {
    Verb.MIGRATE: (
        "/coldmigrate <vm> <site>   plan a cold migration, to be approved",
        "    --host <host>  --datastore <name>  --network <from>=<to>  --dry-run",
        "{options}",
        '    --at 22:00  --at "Sat 20:00"  --at "2026-11-24 22:00"',
        '    --at "22:00 Europe/Berlin"  --at window',
        '    a name with blanks, or one of the words below, in quotes: "my vm"',
        "/coldmigrate @list <site>  the VMs of a saved list, as one batch",
        "@coldmigrate migrate <site>",
        "                           a CSV of VMs, in the message or its thread",
    ),
    Verb.SEE: (
        "/coldmigrate list          the queue",
        "/coldmigrate show <job>    one job: who did what, and when",
        "/coldmigrate handover [<site> <site>]",
        "                           the last 12 hours, a paragraph per link",
    ),
    Verb.CANCEL: ("/coldmigrate cancel <job>  stop it; its thread says where the VM is",),
    Verb.RETRY: ("/coldmigrate retry <job>   plan it again after a failure or a cancel",),
    Verb.APPROVE: (
        "Approve                    you may approve plans",
        "/coldmigrate hold <site> <site> [why]",
        "                           start nothing on this link; what runs goes on",
        "/coldmigrate release <site> <site>",
        "                           let what waits go on",
    ),
    Verb.FORCE: ("Approve all the same       you may lift the warnings of a plan",),
    Verb.DIAGNOSE: (
        "/diagnose <vm, host, job, task or opID> [--since 90m, 2h or 1d]",
        "                           why its copy failed, from the hosts' logs",
        "@coldmigrate diagnose      in a thread: its logs, or its migration",
        "Diagnose this log          in a message's menu; or drop a log on me",
    ),
}
"""Within WIDE, as is all that help says: a wider line is torn apart in Slack."""


_CANARY: Final = (
    "/coldmigrate canary <site> <site> [--host <host>]",
    "                           move a small VM over this link, to try it",
)


async def jobs(counter: Counter, who: Person) -> Answer:
    """Live jobs, then the latest ended ones, each newest first, and what some of them wait behind.

    Only those to sites that this person may see.
    """
    await counter.rights.require(who, Verb.SEE, None)
    visible = await counter.rights.sites(who, Verb.SEE)
    live, recent, holds = await asyncio.gather(
        counter.queue.recent(limit=LOOKED_AT, live_only=True),
        counter.queue.recent(limit=LOOKED_AT),
        counter.queue.holds(),
    )
    at_work = [job for job in await folded(counter.queue, live) if is_visible(job, visible)]
    over = (job for job in await folded(counter.queue, recent) if job.state.ended)
    ended = [job for job in over if is_visible(job, visible)]
    shown = [*at_work[:SHOWN], *ended[: max(SHOWN - len(at_work), 0)]]
    if not shown:
        return Answer("There are no jobs.")
    hidden = f", {SHOWN} of them shown" if len(at_work) > SHOWN else ""
    held = [held_words(hold) for hold in holds if any(_waits_behind(job, hold, visible) for job in live)]
    lines = [*map(_line, shown), *(["", *held] if held else [])]
    return Answer(f"{len(at_work)} live{hidden}, {len(shown) - len(at_work[:SHOWN])} ended:", lines)


async def show(counter: Counter, who: Person, job_id: JobId) -> Answer:
    """One job and its history."""
    job = await counter.job(job_id)
    await counter.rights.require(who, Verb.SEE, site_of(job))
    steps = [f"{step.at:%Y-%m-%d %H:%M:%S}Z  {step.state:<11} {step.by}: {step.why}" for step in job.steps]
    held = await what_holds(counter.queue, job)
    waits = job_card(job, held).note if job.state is Phase.QUEUED else ""
    return Answer("\n".join(filter(None, (_line(job), _beside(job), waits))), steps)


def _beside(job: Job) -> str:
    """What is done beside the move, and which way its data goes."""
    plan, options = plan_of(job), options_in_words(request_of(job))
    path = plan.path.words if plan is not None and plan.path is not None else ""
    said = [f"Options: {options}." if options else "", f"Data path: {path}." if path else ""]
    return " ".join(filter(None, said))


def _waits_behind(job: Job, hold: Hold, visible: Callable[[SiteName], bool]) -> bool:
    try:
        return job.kind == MIGRATE and behind(job, [hold]) is not None and is_visible(job, visible)
    except BugError:
        return False


async def help_for(counter: Counter, who: Person) -> Answer:
    """Only what this person may do, and how to be allowed more."""
    allowed = await counter.rights.allowed(who)
    options = _options([option.typed for option in await offered_options(counter, who)])
    known = {**_HELP, **_buttons(counter.allow)}
    texts = [text for verb, texts in known.items() if verb in allowed for text in texts]
    lines = [line for text in texts for line in text.format(options=options).splitlines()]
    if not lines:
        return Answer(
            f"You ({who.user_id}) may do nothing here yet. "
            "Ask the people who keep coldmigrate.toml for a [[rights]] entry."
        )
    visible = await counter.rights.sites(who, Verb.SEE)
    sites = ", ".join(site for site in sorted(counter.sites) if visible(site))
    return Answer(f"What you may do. Sites: {sites}.", [*lines, "/coldmigrate help           this"])


def _options(typed: Sequence[str]) -> str:
    """Options with a yes or no, on as many lines as it takes for none to be torn apart on a screen."""
    every = '--disk "Hard disk 2=<datastore>"  ' + "  ".join(typed)
    return fill(every, WIDE, initial_indent=_INDENT, subsequent_indent=_INDENT, break_on_hyphens=False)


def _buttons(allow: Allow) -> dict[Verb, Sequence[str]]:
    """What the rights are good for whose use the config may forbid."""
    power = [
        *(["Wait on"] if allow.shutdown else []),
        *(["Power off"] if allow.shutdown and allow.power_off else []),
        *(["Power on at source"] if allow.power_on else []),
    ]
    clean = "Show leftovers             of a failed copy; a second click deletes them"
    return {
        Verb.MIGRATE: [*_HELP[Verb.MIGRATE], *_CANARY] if allow.canary else _HELP[Verb.MIGRATE],
        Verb.POWER: [f"{', '.join(power)}: you may click these"] if power else [],
        Verb.CLEAN: [clean] if allow.delete_leftovers else [],
    }


def _line(job: Job) -> str:
    """One line on a job; one whose record another version wrote must not hide the others."""
    try:
        return _readable_line(job)
    except BugError:
        return f"{job.id}  {job.vm_key}  {WORDS[job.state]}  (its record is of another version of coldmigrate)"


def _readable_line(job: Job) -> str:
    if job.kind == BATCH:
        return batch_line(job)
    request = request_of(job)
    copied = copied_of(job)
    percent = f" {copied.percent} %" if copied and not job.state.ended else ""
    since = f"{job.updated:%Y-%m-%d %H:%M}Z"
    state = "cannot start as it is" if is_blocked(job) else WORDS[job.state]
    start = f", not before {starts(job)}" if request.not_before and not (job.state.started or job.state.ended) else ""
    return f"{job.id}  {request.vm.name} to {request.site}  {state}{percent}  since {since}{start}"
