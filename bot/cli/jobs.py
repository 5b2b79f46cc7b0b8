"""`coldmigrate jobs`: the queue without Slack. What came from strangers is printed as plain text, never as markup."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from bot.jobs.port import Job
    from bot.jobs.queue import RedisQueue

_Answer = TypeVar("_Answer")

_FORMAT = click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for machines.",
)


@click.group()
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The config; else $COLDMIGRATE_CONFIG, else ./coldmigrate.toml. REDIS_URL alone is enough.",
)
@click.pass_context
def jobs(context: click.Context, config: Path | None) -> None:
    """List, show and cancel jobs."""
    context.obj = config


@jobs.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="The newest so many.")
@click.option("--live", is_flag=True, help="Leave out what has ended.")
@_FORMAT
@click.pass_obj
def list_jobs(config: Path | None, limit: int, live: bool, output: str) -> None:  # noqa: FBT001 - click's signature
    """Jobs, newest first."""
    found = _ask(config, lambda queue: queue.recent(limit=limit, live_only=live))
    if output == "json":
        click.echo(json.dumps([_record(job) for job in found], indent=2))
    elif found:
        _print_table(found)
    else:
        click.echo("There are no jobs.")


@jobs.command("show")
@click.argument("job_id", metavar="JOB")
@_FORMAT
@click.pass_obj
def show_job(config: Path | None, job_id: str, output: str) -> None:
    """One job: what happened to it, who did it, when and why."""
    from bot.migration.request import JobId

    job = _ask(config, lambda queue: queue.get(JobId(job_id)))
    if job is None:
        raise _unknown(job_id)
    if output == "json":
        click.echo(json.dumps(_record(job), indent=2))
    else:
        _print_job(job)


@jobs.command("cancel")
@click.argument("job_id", metavar="JOB")
@click.pass_obj
def cancel_job(config: Path | None, job_id: str) -> None:
    """Cancel a job. A copy that is under way is stopped by the worker that follows it."""
    from bot.jobs.port import CancelOutcome
    from bot.migration.request import JobId

    by = f"{getpass.getuser()} (command line)"
    match _ask(config, lambda queue: queue.cancel(JobId(job_id), by=by)):
        case CancelOutcome.CANCELLED:
            click.echo(f"{job_id} is cancelled; nothing had started.")
        case CancelOutcome.REQUESTED:
            click.echo(f"{job_id} is being cancelled by the worker that has it.")
        case CancelOutcome.ENDED | CancelOutcome.STARTED:
            click.echo(f"{job_id} had ended already.")
        case CancelOutcome.UNKNOWN_JOB:
            raise _unknown(job_id)


def _unknown(job_id: str) -> Exception:
    from bot.errors import UserError

    return UserError(f"There is no job {job_id!r}.", example="coldmigrate jobs list")


def _ask(config: Path | None, question: Callable[[RedisQueue], Awaitable[_Answer]]) -> _Answer:
    """Put one question to the queue that the config, or REDIS_URL alone, leads to."""
    from bot import settings
    from bot.jobs.queue import RedisQueue
    from bot.store.client import connect

    url, ca_file = settings.redis_address(config)

    async def ask() -> _Answer:
        async with connect(url.get_secret_value(), ca_file=ca_file) as store:
            return await question(RedisQueue(store))

    return asyncio.run(ask())


def _record(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "vm": job.vm_key,
        "lane": job.lane,
        "requester": job.requester,
        "channel": job.channel,
        "owner": job.owner,
        "attempt": job.attempt,
        "created": job.created.isoformat(),
        "updated": job.updated.isoformat(),
        "cancel_by": job.cancel_by,
        "data": dict(job.data),
        "steps": [
            {"state": step.state, "at": step.at.isoformat(), "by": step.by, "why": step.why} for step in job.steps
        ],
    }


def _print_table(found: Sequence[Job]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("job", "state", "what", "lane", "asked by", "since"):
        table.add_column(column, no_wrap=column in ("job", "state"))
    for job in found:
        what = job.data.get("title") or job.vm_key
        since = f"{job.updated.astimezone():%Y-%m-%d %H:%M}"
        table.add_row(*(Text(_plain(text)) for text in (job.id, _state(job), what, job.lane, job.requester, since)))
    Console(emoji=False).print(table)


def _print_job(job: Job) -> None:
    facts = {
        "job": job.id,
        "state": _state(job),
        "vm": job.vm_key,
        "lane": job.lane,
        "asked by": job.requester,
        "worker": job.owner,
    }
    for label, value in facts.items():
        if value:
            click.echo(f"{label:10}{_plain(value)}")
    click.echo()
    for step in job.steps:
        click.echo(f"{step.at.astimezone():%Y-%m-%d %H:%M:%S}  {step.state:12}{_plain(step.by)}: {_plain(step.why)}")


def _state(job: Job) -> str:
    from bot.migration.machine import WORDS

    state = WORDS[job.state]
    return f"{state} (cancel asked)" if job.cancel_by and not job.state.ended else state


def _plain(text: str) -> str:
    """Names come from strangers: control characters could move a terminal's cursor."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
