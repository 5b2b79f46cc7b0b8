"""`coldmigrate serve`: all roles on one machine, supervised."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.role import role_options, run_role

if TYPE_CHECKING:
    from bot.health.server import Health
    from bot.settings import Settings


@click.command()
@role_options
def serve(config: Path | None, log_format: str, health_port: int | None) -> None:
    """Run bot, worker and watcher as child processes of this one; restart what falls, stop all on Ctrl-C or SIGTERM.

    The worker answers on the health port, the bot on the next one, the watcher on the one after that.
    """
    # The roles write into a pipe, so only we can see whether there is a terminal.
    form = ("text" if sys.stderr.isatty() else "json") if log_format == "auto" else log_format
    shared = ["--log-format", form, *(["--config", str(config)] if config else [])]

    async def supervise(settings: Settings, stop: asyncio.Event, _health: Health | None) -> None:
        from bot.cli.roles import PORTS, our_roles
        from bot.cli.supervisor import Supervisor

        port = settings.health.port if health_port is None else health_port
        ports = {name: ["--health-port", str(port and port + after)] for after, name in enumerate(PORTS)}
        async with Supervisor(our_roles(shared, extra=ports)) as supervisor:
            failed = asyncio.ensure_future(supervisor.wait())
            stopped = asyncio.ensure_future(stop.wait())
            await asyncio.wait({failed, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if failed.done():
                raise SystemExit(failed.result().code)
            failed.cancel()

    run_role(supervise, config=config, log_format=log_format)
