"""What every long-running role has in common: options, logging, and a clean stop on SIGTERM and Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from bot.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

LAST_RESORT: Final = 45
"""Seconds after being told to stop in which a role has to end, when there is no supervisor any more to see to it."""


def role_options(command: Command) -> Command:
    """`--config` and `--log-format`, the same for every role."""
    command = click.option(
        "--log-format",
        type=click.Choice(["auto", "json", "text"]),
        default="auto",
        show_default=True,
        help="How log lines are written; auto is text on a terminal and JSON elsewhere.",
    )(command)
    return config_option(command)


def config_option(command: Command) -> Command:
    """`--config`, for everything that reads it."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The config; else $COLDMIGRATE_CONFIG, else ./coldmigrate.toml.",
    )(command)


def run_role(
    role: Callable[[Settings, asyncio.Event], Awaitable[None]], *, config: Path | None, log_format: str
) -> None:
    """Read the config, set logging up, and run the role until it ends or is told to stop through the event."""
    from bot import settings, telemetry

    text = log_format == "text" or (log_format == "auto" and sys.stderr.isatty())
    telemetry.set_up(form=telemetry.Form.TEXT if text else telemetry.Form.JSON)
    asyncio.run(_until_stopped(role, settings.load(config)))


async def _until_stopped(role: Callable[[Settings, asyncio.Event], Awaitable[None]], settings: Settings) -> None:
    stop = asyncio.Event()

    def told() -> None:
        stop.set()
        signal.alarm(LAST_RESORT)  # the kernel ends us, whatever we hang in

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told)
    await role(settings, stop)
