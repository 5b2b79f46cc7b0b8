"""`coldmigrate doctor`: looks at what this program is given, and says what is wrong with it and what to do.

It changes nothing. What a room has to say of its part of the world is a function in `EXAMINATIONS`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bot.cli.examinations import EXAMINATIONS, Asked, alone
from bot.cli.role import config_option

if TYPE_CHECKING:
    from bot.errors import UserError
    from bot.finding import Finding

SCHEMA: Final = "coldmigrate.doctor/1"

EXIT_WARNINGS: Final = 1
EXIT_ERRORS: Final = 2


def _parts(_context: click.Context, _parameter: click.Parameter, given: str | None) -> frozenset[str]:
    """What is to be looked at: all of it, or what is named."""
    every = frozenset(EXAMINATIONS)
    named = frozenset(word.strip() for word in given.split(",")) if given else every
    if unknown := sorted(named - every):
        raise click.BadParameter(f"{', '.join(unknown)}: expected some of {', '.join(EXAMINATIONS)}")
    return named


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--only", callback=_parts, metavar="PART[,PART]", help="Some of redis, slack, vcenter, links, watch.")
@click.option("--site", help="Of the sites, look at this one alone.")
@click.option(
    "--role",
    type=click.Choice(["bot", "worker", "watch"]),
    help="Whose secrets are here: what it must have is an error if it is missing, the other's world is not looked at.",
)
@click.option("--verify", is_flag=True, help="List what could only be tried against players, for you to check.")
@click.option("--try", "attempt", is_flag=True, help="With --verify: try what can be tried by reading alone.")
@config_option
def doctor(
    *,
    form: str,
    only: frozenset[str],
    site: str | None,
    role: str | None,
    verify: bool,
    attempt: bool,
    config: Path | None,
) -> None:
    """Look at the config, Redis, Slack, vCenters and sites, and say what to mend. Nothing is changed.

    Exit code 0: all is well; 1: there are warnings; 2: there are errors.
    """
    if attempt and not verify:
        raise click.UsageError("--try goes with --verify.")
    asked = Asked(only, site, role)
    if verify:
        from bot.cli.verifying import told

        click.echo(asyncio.run(told(config, asked, attempt=attempt, form=form)))
        return
    found = asyncio.run(_examined(config, asked))
    click.echo(json.dumps(_plain(found), indent=2) if form == "json" else "\n".join(_lines(found)))
    raise SystemExit(_exit_code(found))


async def _examined(config: Path | None, asked: Asked) -> list[Finding]:
    from bot import settings
    from bot.errors import UserError
    from bot.finding import error, fine

    try:
        loaded = settings.load(config)
    except UserError as mistakes:
        return [*_mistakes(mistakes), *await _bare_redis(config)]
    if asked.site is not None and asked.site not in loaded.sites:
        known = ", ".join(loaded.sites) or "none"
        return [error("config", f"There is no site {asked.site!r}.", do=f"Sites of the config: {known}.")]
    every = [alone(name, one(loaded, asked)) for name, one in EXAMINATIONS.items() if name in asked.only]
    found = await asyncio.gather(*every)
    return [fine("config", "The config has no mistakes."), *(finding for part in found for finding in part)]


def _mistakes(told: UserError) -> list[Finding]:
    """One finding for each; the sentence above several of them names the file."""
    from bot.finding import error

    first, *more = (line.strip() for line in str(told).splitlines())
    do = f"For example: {told.example}" if told.example else "Mend it, or nothing starts."
    return [error("config", first.rstrip(":"), do=do), *(error("config", one, do="Mend it.") for one in more)]


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
