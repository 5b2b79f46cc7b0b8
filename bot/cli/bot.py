"""`coldmigrate bot`: the role that talks with Slack."""

from __future__ import annotations

import asyncio
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.role import role_options, run_role

if TYPE_CHECKING:
    from bot.health.server import Health
    from bot.settings import Settings


@click.command()
@role_options
@click.option("--die-at", hidden=True, help="End by SIGKILL at this named point, or the n-th time at point:n (tests).")
@click.option(
    "--no-look-up", is_flag=True, hidden=True, help="Post again without looking (control of the chaos tests)."
)
def bot(*, config: Path | None, log_format: str, health_port: int | None, die_at: str | None, no_look_up: bool) -> None:
    """Answer people in Slack. Needs Slack's tokens and Redis; holds no vCenter secret."""
    options: dict[str, Any] = {"look_up": not no_look_up}
    if die_at:
        from bot.cli.deaths import dying_at

        options["reached"] = dying_at(die_at)
    role = functools.partial(_bot, options=options)
    run_role(role, config=config, log_format=log_format, name="bot", health_port=health_port)


async def _bot(settings: Settings, stop: asyncio.Event, health: Health | None, *, options: dict[str, Any]) -> None:
    from bot.compose import bot_role

    async with bot_role(settings, health=health, **options) as running:
        ended = asyncio.ensure_future(running.wait())
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if ended.done():
            ended.result()
        else:
            ended.cancel()
