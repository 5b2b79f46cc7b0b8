"""How `coldmigrate jobs drain` waits: everything is held, then what runs is counted until nothing does."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bot.cli.ledger import ask, me, moment, plain

if TYPE_CHECKING:
    from bot.jobs.port import Job
    from bot.jobs.queue import RedisQueue

EXIT_DRAINED: Final = 0
EXIT_RUNNING: Final = 3
EXIT_STOPPED: Final = 130
LOOK_AGAIN: Final = 10.0
"""Seconds after which it is counted again although nothing was heard."""

NAMED: Final = 5
_UNDO: Final = "`coldmigrate jobs drain --undo` lets everything go on."


def drained(config: Path | None, *, timeout: float | None) -> int:
    """Hold everything, wait, and say how it went; the exit code."""
    try:
        return ask(config, lambda queue: _wait(queue, timeout))
    except KeyboardInterrupt:
        click.echo(f"\nStopped waiting. Nothing more is started: {_UNDO}", err=True)
        return EXIT_STOPPED


async def undone(queue: RedisQueue) -> str:
    """Release what a drain holds; a sentence on it."""
    from bot.migration.capacity import EVERYTHING

    found = [hold for hold in await queue.holds() if hold.resource == EVERYTHING]
    for hold in found:
        await queue.release(hold.id, by=me(), why="the drain is over")
    return "Everything goes on." if found else "Nothing was drained, so nothing was changed."


async def _wait(queue: RedisQueue, at_most: float | None) -> int:
    from bot.migration.capacity import EVERYTHING

    hold = await queue.hold(EVERYTHING, by=me(), why="drained")
    click.echo(f"Nothing more is started since {moment(hold.at)} ({plain(hold.by)}).")
    async with aclosing(_changes(queue)) as changes:
        running = await anext(changes)  # however little time there is: what is said of it has to be true
        try:
            async with asyncio.timeout(at_most):
                while running:
                    _say(running)
                    running = await anext(changes)
        except TimeoutError:
            click.echo(f"Time is up, and copies still run; nothing more is started. {_UNDO}", err=True)
            return EXIT_RUNNING
    click.echo(f"Drained. {_UNDO}")
    return EXIT_DRAINED


async def _changes(queue: RedisQueue) -> AsyncGenerator[list[Job], None]:
    """What runs, and again whenever something changed of it. Not batches: what runs of one is a job of its own."""
    from bot.operations.batch_record import BATCH

    last: list[tuple[str, str]] | None = None
    while True:
        since = await queue.last_event()
        running = [job for job in await queue.live() if job.state.started and job.kind != BATCH]
        now = [(str(job.id), str(job.state)) for job in running]
        if now != last:
            last = now
            yield running
        await _heard(queue, since)


async def _heard(queue: RedisQueue, since: str) -> None:
    """Until an event after `since`, or for a while: a queue may be quiet for hours."""
    try:
        async with asyncio.timeout(LOOK_AGAIN):
            async for _ in queue.events(since=since):
                return
    except TimeoutError:
        return


def _say(running: list[Job]) -> None:
    from bot.migration.machine import WORDS
    from bot.operations.holds import vm_name

    if not running:
        return
    named = ", ".join(f"{plain(vm_name(job))} {WORDS[job.state]} ({job.id})" for job in running[:NAMED])
    more = f" and {len(running) - NAMED} more" if len(running) > NAMED else ""
    click.echo(f"{len(running)} still running: {named}{more}")
    sys.stdout.flush()
