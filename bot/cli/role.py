"""What every long-running role has in common: options, logging, and a clean stop on SIGTERM and Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import click

if TYPE_CHECKING:
    from bot.health.server import Health
    from bot.settings import Settings

Role: TypeAlias = "Callable[[Settings, asyncio.Event, Health | None], Awaitable[None]]"
"""What runs until it ends by itself or the event is set, and says meanwhile how it is if anybody may ask."""

Command = TypeVar("Command", bound=Callable[..., Any])

FAREWELL: Final = timedelta(seconds=1)
"""How long a role that has given its work away may take to log out: a vCenter that hangs would keep it for minutes."""

LAST_RESORT: Final = 45
"""Seconds after being told to stop in which a role has to end, when there is no supervisor any more to see to it."""


FIRST_OF_ALL: Final = 1
"""The id of a container's first process, which the kernel ends by no signal that it does not handle itself."""

log = logging.getLogger(__name__)


def role_options(command: Command) -> Command:
    """`--config`, `--log-format` and `--health-port`, the same for every role."""
    command = click.option(
        "--health-port",
        type=click.IntRange(0, 65535),
        help="Answer probes and scrapes on this port; 0 is off. Else what the config says.",
    )(command)
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
    role: Role, *, config: Path | None, log_format: str, name: str = "", health_port: int | None = None
) -> None:
    """Read the config, set logging up, and run the role until it ends or is told to stop through the event.

    Only a role with a name answers on a health port of its own.
    """
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # until there is a loop to be told
    from bot import settings, telemetry
    from bot.health.server import Health, serving

    text = log_format == "text" or (log_format == "auto" and sys.stderr.isatty())
    telemetry.set_up(form=telemetry.Form.TEXT if text else telemetry.Form.JSON)
    loaded = settings.load(config)
    port = (loaded.health.port if health_port is None else health_port) if name else 0
    health = Health(name) if port else None
    with serving(health, port) if health else contextlib.nullcontext():
        asyncio.run(_until_stopped(role, loaded, health))


def leave_soon() -> None:
    """Nothing of ours is left to lose: end within FAREWELL, whoever is still being waited for.

    Sessions that are not logged out end by vCenter's idle time-out.
    """
    asyncio.get_running_loop().call_later(FAREWELL.total_seconds(), _leave)


def _leave() -> None:
    log.warning("Left without waiting any longer for somebody to take our leave.")
    logging.shutdown()
    os._exit(0)  # not sys.exit, which joins the very threads that wait


async def _until_stopped(role: Role, settings: Settings, health: Health | None) -> None:
    stop = asyncio.Event()

    def told() -> None:
        stop.set()
        if health:
            health.lookout.leave()
        if os.getpid() == FIRST_OF_ALL:
            signal.signal(signal.SIGALRM, lambda *_: os._exit(128 + signal.SIGALRM))
        signal.alarm(LAST_RESORT)  # the kernel ends us, whatever we hang in

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told)
    async with health.pulse.beating() if health else contextlib.nullcontext():
        await role(settings, stop, health)
