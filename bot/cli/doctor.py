"""`coldmigrate doctor`: looks at what this program is given, and says what is wrong with it and what to do.

It changes nothing. What a room has to say of its part of the world is a function in `EXAMINATIONS`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bot.cli.role import config_option

if TYPE_CHECKING:
    from bot.errors import UserError
    from bot.finding import Finding
    from bot.settings import Settings

SCHEMA: Final = "coldmigrate.doctor/1"

EXIT_WARNINGS: Final = 1
EXIT_ERRORS: Final = 2

Examination = Callable[["Settings"], Awaitable["Sequence[Finding]"]]


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@config_option
def doctor(form: str, config: Path | None) -> None:
    """Look at the config and at Redis, and say what to mend. Nothing is changed.

    Exit code 0: all is well; 1: there are warnings; 2: there are errors.
    """
    found = asyncio.run(_examined(config))
    click.echo(json.dumps(_plain(found), indent=2) if form == "json" else "\n".join(_lines(found)))
    raise SystemExit(_exit_code(found))


async def _examined(config: Path | None) -> list[Finding]:
    from bot import settings
    from bot.errors import UserError
    from bot.finding import fine

    try:
        loaded = settings.load(config)
    except UserError as mistakes:
        return [*_mistakes(mistakes), *await _bare_redis(config)]
    found = [fine("config", "The config has no mistakes.")]
    for examination in EXAMINATIONS:
        found += await examination(loaded)
    return found


def _mistakes(told: UserError) -> list[Finding]:
    """One finding for each; the sentence above several of them names the file."""
    from bot.finding import error

    first, *more = (line.strip() for line in str(told).splitlines())
    do = f"For example: {told.example}" if told.example else "Mend it, or nothing starts."
    return [error("config", first.rstrip(":"), do=do), *(error("config", one, do="Mend it.") for one in more)]


async def _redis(settings: Settings) -> Sequence[Finding]:
    from bot.compose import connected
    from bot.errors import UserError
    from bot.finding import error
    from bot.store.examination import examine

    try:
        async with connected(settings) as store:
            return await examine(store)
    except UserError as mistake:
        return [error("redis.reachable", str(mistake), do=mistake.example and f"For example: {mistake.example}")]


async def _bare_redis(config: Path | None) -> Sequence[Finding]:
    """What REDIS_URL alone leads to, for who has no config yet."""
    from bot import settings
    from bot.errors import UserError
    from bot.store.client import connect
    from bot.store.examination import examine

    try:
        address = settings.redis_address(config)
        async with connect(address.url.get_secret_value(), ca_file=address.ca_file) as store:
            return await examine(store)
    except UserError:
        return []  # it is among the mistakes of the config


EXAMINATIONS: Final[tuple[Examination, ...]] = (_redis,)
"""In the order in which they are told."""


def _exit_code(found: Sequence[Finding]) -> int:
    from bot.finding import Verdict

    verdicts = {finding.verdict for finding in found}
    if Verdict.ERROR in verdicts:
        return EXIT_ERRORS
    return EXIT_WARNINGS if Verdict.WARNING in verdicts else 0


def _plain(found: Sequence[Finding]) -> dict[str, object]:
    checks = [{"about": one.about, "verdict": one.verdict, "says": one.says, "do": one.do} for one in found]
    return {"schema": SCHEMA, "checks": checks}


def _lines(found: Sequence[Finding]) -> list[str]:
    """One line a check. What strangers named may neither end a line nor steer a terminal."""
    from bot.diagnosis.printable import printable

    width = max(len(one.about) for one in found)
    return [printable(f"{one.verdict:9}{one.about:{width}}  {one.says} {one.do}".strip()) for one in found]
