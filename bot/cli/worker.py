"""`coldmigrate worker`: the role that carries jobs out."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.role import leave_soon, role_options, run_role

if TYPE_CHECKING:
    from bot.health.server import Health
    from bot.settings import Settings


@click.command()
@role_options
@click.option("--die-at", hidden=True, help="End by SIGKILL at this named point of a run (chaos tests).")
@click.option("--stop-at", hidden=True, help="Pause by SIGSTOP the first time this point is reached (chaos tests).")
@click.option(
    "--no-look-up", is_flag=True, hidden=True, help="Submit again without looking (control of the chaos tests)."
)
@click.option(
    "--settle-margin",
    type=float,
    hidden=True,
    help="Seconds that a call may be under way beyond the submit time-out (chaos tests, where none is for longer).",
)
@click.option("--read-on", type=float, hidden=True, help="Seconds that host logs are read after a task's end.")
@click.option("--still-after", type=float, hidden=True, help="Seconds without progress that are called a stall.")
def worker(
    *,
    config: Path | None,
    log_format: str,
    health_port: int | None,
    die_at: str | None,
    stop_at: str | None,
    no_look_up: bool,
    settle_margin: float | None,
    read_on: float | None,
    still_after: float | None,
) -> None:
    """Carry jobs out. Needs Redis and vCenter's secrets; holds no Slack token. Run as many as you like."""
    from bot.cli.deaths import dying_at, stopping_at

    role = functools.partial(
        _worker,
        options={
            **({"reached": dying_at(die_at)} if die_at else {}),
            **({"reached": stopping_at(stop_at)} if stop_at else {}),
            **({"settle_margin": timedelta(seconds=settle_margin)} if settle_margin is not None else {}),
            **({"read_on": timedelta(seconds=read_on)} if read_on is not None else {}),
            **({"still_after": timedelta(seconds=still_after)} if still_after is not None else {}),
            "look_up": not no_look_up,
        },
    )
    run_role(role, config=config, log_format=log_format, name="worker", health_port=health_port)


async def _worker(
    settings: Settings,
    stop: asyncio.Event,
    health: Health | None,
    *,
    options: dict[str, Any],
) -> None:
    from bot.compose import worker_role

    async with worker_role(settings, health=health, **options) as running:
        stopper = asyncio.create_task(_stop_when_told(stop, running.stop))
        try:
            await running.run()
        finally:
            stopper.cancel()
        leave_soon()


async def _stop_when_told(stop: asyncio.Event, tell: Callable[[], None]) -> None:
    await stop.wait()
    tell()
