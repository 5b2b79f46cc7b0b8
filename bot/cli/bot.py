"""`coldmigrate bot`: the role that talks with Slack."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.role import role_options, run_role

if TYPE_CHECKING:
    from bot.settings import Settings


@click.command()
@role_options
def bot(config: Path | None, log_format: str) -> None:
    """Answer people in Slack. Needs Slack's tokens and Redis; holds no vCenter secret."""
    run_role(_bot, config=config, log_format=log_format)


async def _bot(settings: Settings, stop: asyncio.Event) -> None:
    from bot.compose import bot_role

    async with bot_role(settings) as running:
        ended = asyncio.ensure_future(running.wait())
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if ended.done():
            ended.result()
        else:
            ended.cancel()
