"""What the commands on jobs, links and the audit log share: a queue to ask, who asks, and text that is safe to show."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from bot.jobs.queue import RedisQueue
    from bot.store.client import Store

_Answer = TypeVar("_Answer")

FORMAT: Final = click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for machines.",
)

CONFIG: Final = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The config; else $COLDMIGRATE_CONFIG, else ./coldmigrate.toml. REDIS_URL alone is enough.",
)


def ask(config: Path | None, question: Callable[[RedisQueue], Awaitable[_Answer]]) -> _Answer:
    """Put a question to the queue that the config, or REDIS_URL alone, leads to."""
    from bot.jobs.queue import RedisQueue

    return ask_store(config, lambda store: question(RedisQueue(store)))


def ask_store(config: Path | None, question: Callable[[Store], Awaitable[_Answer]]) -> _Answer:
    """Put a question to the Redis that the config, or REDIS_URL alone, leads to."""
    from bot import settings
    from bot.store.client import connect

    address = settings.redis_address(config)

    async def asked() -> _Answer:
        async with connect(
            address.url.get_secret_value(),
            ca_file=address.ca_file,
            confirm_replicas=address.confirm_replicas,
            confirm_disk=address.confirm_disk,
        ) as store:
            return await question(store)

    return asyncio.run(asked())


def me() -> str:
    """Who is at the command line, as it is written down."""
    from bot.operations.counter import COMMAND_LINE

    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name; Python 3.13 raises the latter
        name = f"uid {os.getuid()}"
    return f"{name} {COMMAND_LINE}"


def moment(at: datetime, *, seconds: bool = False) -> str:
    """A time as logs, Slack and `--since` have it: in UTC, and saying so."""
    return f"{at.astimezone(UTC):{'%Y-%m-%d %H:%M:%S' if seconds else '%Y-%m-%d %H:%M'}}Z"


def plain(text: str) -> str:
    """Names come from strangers: control characters could move a terminal's cursor."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, whole: Sequence[str] = ()) -> None:
    """Columns for people; those named in `whole` are never wrapped. What came from strangers is no markup."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=column in whole)
    for row in rows:
        table.add_row(*(Text(plain(text)) for text in row))
    Console(emoji=False).print(table)


def ascii_json(thing: Any, *, indent: int | None = None) -> str:
    """JSON for machines that a terminal may show too: ASCII without control characters, DEL among them."""
    import json

    return json.dumps(thing, indent=indent).replace("\x7f", "\\u007f")
