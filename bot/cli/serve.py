"""`coldmigrate serve`: bot and worker on one machine, supervised."""

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
def serve(config: Path | None, log_format: str) -> None:
    """Run bot and worker as child processes of this one; restart what falls, stop all on Ctrl-C or SIGTERM."""
    shared = ["--log-format", log_format, *(["--config", str(config)] if config else [])]

    async def supervise(_settings: Settings, stop: asyncio.Event) -> None:
        from bot.cli.supervisor import Role, Supervisor

        roles = [Role("worker", ["worker", *shared]), Role("bot", ["bot", *shared])]
        async with Supervisor(roles) as supervisor:
            ended = asyncio.ensure_future(supervisor.wait())
            stopped = asyncio.ensure_future(stop.wait())
            await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if not stop.is_set():
                raise SystemExit(ended.result())
            ended.cancel()

    run_role(supervise, config=config, log_format=log_format)
