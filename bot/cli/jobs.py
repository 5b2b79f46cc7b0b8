"""`coldmigrate jobs`: the queue without Slack. What came from strangers is printed as plain text, never as markup."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bot.cli.ledger import CONFIG, FORMAT, ascii_json, ask, me, moment, plain, print_table

if TYPE_CHECKING:
    from bot.jobs.port import Drafted, Job
    from bot.jobs.queue import RedisQueue

EXIT_TOO_LATE: Final = 3


@click.group()
@CONFIG
@click.pass_context
def jobs(context: click.Context, config: Path | None) -> None:
    """List, show, cancel and retry jobs, and drain the queue."""
    context.obj = config


@jobs.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="The newest so many.")
@click.option("--live", is_flag=True, help="Leave out what has ended.")
@click.option("--dead", is_flag=True, help="Only jobs that were given up because their workers failed again and again.")
@FORMAT
@click.pass_obj
def list_jobs(config: Path | None, *, limit: int, live: bool, dead: bool, output: str) -> None:
    """Jobs, newest first."""
    if live and dead:
        raise click.UsageError("A job that was given up is not live: give --live or --dead.")
    found = ask(config, lambda queue: queue.dead(limit=limit) if dead else queue.recent(limit=limit, live_only=live))
    if output == "json":
        click.echo(ascii_json([_record(job) for job in found], indent=2))
    elif found:
        print_table(
            ("job", "state", "what", "lane", "asked by", "since"), [*map(_row, found)], whole=("job", "state", "since")
        )
    else:
        click.echo("There are no such jobs." if live or dead else "There are no jobs.")


@jobs.command("show")
@click.argument("job_id", metavar="JOB")
@FORMAT
@click.pass_obj
def show_job(config: Path | None, job_id: str, output: str) -> None:
    """One job: what happened to it, who did it, when and why."""
    from bot.migration.request import JobId

    job = ask(config, lambda queue: queue.get(JobId(job_id)))
    if job is None:
        raise _unknown(job_id)
    if output == "json":
        click.echo(ascii_json(_record(job), indent=2))
    else:
        _print_job(job)


@jobs.command("cancel")
@click.argument("job_id", metavar="JOB")
@click.pass_obj
def cancel_job(config: Path | None, job_id: str) -> None:
    """Cancel a job. A copy that is under way is stopped by the worker that follows it.

    Exit code 0: it is cancelled, or will be; 3: it had ended already, and whatever it did is done.
    """
    from bot.jobs.port import CancelOutcome
    from bot.migration.request import JobId

    match ask(config, lambda queue: queue.cancel(JobId(job_id), by=me())):
        case CancelOutcome.CANCELLED:
            click.echo(f"{job_id} is cancelled; nothing had started.")
        case CancelOutcome.REQUESTED:
            click.echo(f"{job_id} is being cancelled by the worker that has it.")
        case CancelOutcome.ENDED:
            click.echo(f"{job_id} had ended already.")
            raise SystemExit(EXIT_TOO_LATE)
        case CancelOutcome.UNKNOWN_JOB:
            raise _unknown(job_id)


@jobs.command("retry")
@click.argument("job_id", metavar="JOB")
@click.pass_obj
def retry_job(config: Path | None, job_id: str) -> None:
    """Plan a job again that failed or was cancelled. The new card goes to the old one's channel, to be approved."""
    drafted = ask(config, lambda queue: _drafted_again(queue, job_id))
    if drafted.fresh:
        click.echo(f"{drafted.id} is the new job; its plan waits for approval in Slack.")
    else:
        click.echo(f"Nothing was done: the VM has the live job {drafted.id} already.")


@jobs.command("handover")
@click.argument("sites", metavar="[SITE SITE]", nargs=-1)
@click.option("--hours", type=click.IntRange(1, 168), default=12, show_default=True, help="How far back.")
@click.pass_obj
def hand_over(config: Path | None, *, sites: tuple[str, ...], hours: int) -> None:
    """The last hours in a paragraph for each link, for whoever takes over: what failed, is held, waits, was tried."""
    from datetime import timedelta

    from bot.migration.plan import link_name
    from bot.operations.handover import night_of
    from bot.operations.handover_words import paragraphs, summary

    if len(sites) not in (0, 2):
        raise click.UsageError("Give the two sites of a link, or none.")
    link, back = link_name(*sites) if sites else "", timedelta(hours=hours)
    night = ask(config, lambda queue: night_of(queue, visible=lambda _: True, back=back, link=link))
    for text in (summary(night), *paragraphs(night)):
        click.echo(f"{plain(text)}\n")


@jobs.command("evidence")
@click.argument("job_id", metavar="JOB")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="A .zip, or a .html.")
@click.pass_obj
def evidence(config: Path | None, job_id: str, *, output: Path) -> None:
    """Write the evidence pack of a failed migration, from what was kept with it.

    Controls are not measured here: the button in Slack has a worker do that.
    """
    from bot.cli.evidence import written

    written(config, job_id, output)
    click.echo(f"Written: {output}")


@jobs.command("drain")
@click.option("--undo", is_flag=True, help="Let everything go on that was kept waiting.")
@click.option("--timeout", type=click.FloatRange(0), help="Seconds to wait for what runs; else there is no limit.")
@click.pass_obj
def drain(config: Path | None, *, undo: bool, timeout: float | None) -> None:
    """Start nothing more, and wait until nothing that was started runs any more.

    This is for work on vCenter, on the network or on Redis. To restart or upgrade workers it is not needed: they hand
    their jobs over, and the copies go on meanwhile. Plans are still made and approved; what is approved waits.

    Ctrl-C ends the waiting and nothing else: what is held stays held until `--undo`.

    Exit code 0: nothing that was started is left; 3: time is up, and copies still run; 130: Ctrl-C.
    """
    from bot.cli.draining import drained, undone

    if undo:
        click.echo(ask(config, undone))
        return
    raise SystemExit(drained(config, timeout=timeout))


async def _drafted_again(queue: RedisQueue, job_id: str) -> Drafted:
    from bot.errors import UserError
    from bot.jobs.port import NewJob
    from bot.migration.request import JobId
    from bot.operations.batch_record import BATCH
    from bot.operations.lifting import strictness_of
    from bot.operations.record import MIGRATE, start_of, with_request
    from bot.operations.retry import request_again

    job = await queue.get(JobId(job_id))
    if job is None:
        raise _unknown(job_id)
    if job.kind != MIGRATE:
        if job.kind == BATCH:
            raise UserError(
                f"{job_id} is a batch: that is tried again in Slack.", example=f"/coldmigrate retry {job_id}"
            )
        raise UserError(f"{job_id} is no migration, so there is nothing to retry.")
    request = request_again(job, now=await queue.now())
    if request.canary:
        raise UserError(f"{job_id} was a canary: that is sent anew.", example="coldmigrate link canary site1 site2")
    return await queue.draft(
        NewJob(
            kind=job.kind,
            vm_key="" if request.dry_run else request.vm.key,
            requester=me(),
            channel=job.channel,
            data={**with_request(request), **start_of(job), **strictness_of(job)},
            priority=job.priority,
        )
    )


def _unknown(job_id: str) -> Exception:
    from bot.errors import UserError

    return UserError(f"There is no job {job_id!r}.", example="coldmigrate jobs list")


def _record(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "vm": job.vm_key,
        "lane": job.lane,
        "needs": list(job.needs),
        "priority": job.priority,
        "requester": job.requester,
        "channel": job.channel,
        "owner": job.owner,
        "attempt": job.attempt,
        "failures": job.failures,
        "created": job.created.isoformat(),
        "updated": job.updated.isoformat(),
        "cancel_by": job.cancel_by,
        "data": dict(job.data),
        "steps": [
            {"state": step.state, "at": step.at.isoformat(), "by": step.by, "why": step.why} for step in job.steps
        ],
    }


def _row(job: Job) -> Sequence[str]:
    return (job.id, _state(job), _title(job), job.lane, job.requester, moment(job.updated))


def _title(job: Job) -> str:
    """What it is about, for people: "web01 to site2", or the VM's key where nothing better can be read."""
    from bot.errors import BugError
    from bot.operations.record import MIGRATE, request_of

    if job.kind == MIGRATE and job.data.get("request"):
        try:
            request = request_of(job)
        except BugError:
            return job.vm_key
        return f"{request.vm.name} to {request.site}"
    return job.data.get("title") or job.vm_key


def _print_job(job: Job) -> None:
    facts = {
        "job": job.id,
        "state": _state(job),
        "what": _title(job),
        "vm": job.vm_key,
        "lane": job.lane,
        "asked by": job.requester,
        "worker": job.owner,
        **_under_way(job),
    }
    for label, value in facts.items():
        if value:
            click.echo(f"{label:10}{plain(value)}")
    click.echo()
    for step in job.steps:
        at = moment(step.at, seconds=True)
        click.echo(f"{at}  {step.state:12}{plain(step.by)}: {plain(step.why)}")


def _under_way(job: Job) -> dict[str, str]:
    """What one looks for in vCenter and in the hosts' logs, and what is in the way; all of it as last seen."""
    from bot.errors import BugError
    from bot.operations.record import copied_of, intent_of, trouble_of, waits_for

    if job.state.ended:
        return {}
    try:
        op_id = intent_of(job).op_id if job.state.started and job.data.get("intent") else ""
        copied = copied_of(job)
    except BugError:
        return {}
    return {
        "task": job.data.get("task", "") if job.state.started else "",
        "opID": op_id,
        "copied": f"{copied.percent} %" if copied and job.state.started else "",
        "waits for": trouble_of(job) or waits_for(job),
    }


def _state(job: Job) -> str:
    from bot.migration.machine import WORDS

    state = WORDS[job.state]
    return f"{state} (cancel asked)" if job.cancel_by and not job.state.ended else state
