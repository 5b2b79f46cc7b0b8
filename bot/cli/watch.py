"""`coldmigrate watch`: the role that reads all hosts' logs all day; with `--once`, one look without Slack or Redis."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.moments import Moment
from bot.cli.role import leave_soon, role_options, run_role

if TYPE_CHECKING:
    from bot.health.server import Health
    from bot.settings import Settings

USUAL = "15m"


@click.command()
@role_options
@click.option("--once", is_flag=True, help="Read what hosts wrote lately, tell it here, and end.")
@click.option("--since", type=Moment(), help=f"With --once: from this time on. Default: '{USUAL}' ago.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="With --once: for people, or for machines.",
)
def watch(
    *, config: Path | None, log_format: str, health_port: int | None, once: bool, since: datetime | None, form: str
) -> None:
    """Read the logs of all hosts all day, and tell Slack of each failure once. Run as many as you like.

    Needs Redis, vCenter's secrets and those of [[sources]] and [[sinks]]; holds no Slack token.

    With --once, which needs vCenter and hosts alone: exit code 0: nothing found; 1: incidents found; 2: something could
    not be read, and the rest is still told.
    """
    if once:
        from bot.cli.watching import look

        raise SystemExit(look(config, since=since or Moment().convert(USUAL, None, None), form=form))
    if since is not None or form != "text":
        raise click.UsageError("--since and --format go with --once.")
    run_role(_watch, config=config, log_format=log_format, name="watch", health_port=health_port)


async def _watch(settings: Settings, stop: asyncio.Event, health: Health | None) -> None:
    from bot.compose_watch import watch_role

    async with watch_role(settings, health=health) as running:
        working = asyncio.ensure_future(running.run())
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if working.done():
            working.result()
        else:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        leave_soon()
