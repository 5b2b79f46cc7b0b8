"""`coldmigrate link`: what is held and what was measured, and holding and releasing links by hand, without Slack."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.ledger import CONFIG, FORMAT, ascii_json, ask, ask_store, me, moment, plain, print_table
from bot.cli.moments import Moment

if TYPE_CHECKING:
    from bot.jobs.port import Hold
    from bot.jobs.queue import RedisQueue


@click.group()
@CONFIG
@click.pass_context
def link(context: click.Context, config: Path | None) -> None:
    """List, make and end holds of links, and tell what was measured. What is held starts nothing; what runs goes on."""
    context.obj = config


@link.command("list")
@FORMAT
@click.pass_obj
def list_holds(config: Path | None, output: str) -> None:
    """Everything that is held, oldest first: links, pairs of hosts, or all of it (`coldmigrate jobs drain`)."""
    found = ask(config, _counted)
    if output == "json":
        click.echo(ascii_json([_record(hold, waiting) for hold, waiting in found], indent=2))
    elif found:
        print_table(("hold", "what", "since", "by", "waiting", "why"), [_row(*one) for one in found], whole=("hold",))
    else:
        click.echo("Nothing is held.")


@link.command("hold")
@click.argument("site1")
@click.argument("site2")
@click.option("--why", default="held by hand", show_default=True, help="For whoever waits.")
@click.option("--channel", default="", help="The id of the Slack channel that gets a card; else none does.")
@click.pass_obj
def hold_link(config: Path | None, *, site1: str, site2: str, why: str, channel: str) -> None:
    """Start nothing across the link between two sites from now on."""
    name = _name(config, site1, site2)
    hold, mine = ask(config, lambda queue: _held(queue, name, why=why, channel=channel))
    if mine:
        click.echo(f"The link {name} is held: {hold.id}.")
    else:
        click.echo(plain(f"The link {name} is held already since {moment(hold.at)} by {hold.by}: {hold.why}"))


@link.command("release")
@click.argument("names", nargs=-1, required=True, metavar="SITE1 SITE2 | HOLD")
@click.pass_obj
def release_link(config: Path | None, names: tuple[str, ...]) -> None:
    """Let what waits go on: for the link between two sites and pairs of hosts across it, or for one hold by its id."""
    if len(names) > 2:  # noqa: PLR2004 - a link has two ends
        raise click.UsageError("Name two sites, or one hold as `coldmigrate link list` shows it.")
    wanted = names[0] if len(names) == 1 else _name(config, *names)
    for released in ask(config, lambda queue: _released(queue, wanted)):
        click.echo(plain(released))


@link.command("canary")
@click.argument("site1")
@click.argument("site2")
@click.option("--host", help="The host that it goes to; else one is chosen. It starts where it is.")
@click.option("--channel", required=True, help="The id of the Slack channel that gets its card.")
@click.pass_obj
def send_canary(config: Path | None, *, site1: str, site2: str, host: str | None, channel: str) -> None:
    """Move the canary of the link between two sites to its other end, to try the path. Nobody has to approve it."""
    from bot.cli.link_canary import sent

    for line in sent(config, (site1, site2), host=host, channel=channel):
        click.echo(plain(line))


@link.command("history")
@click.argument("site1")
@click.argument("site2")
@click.option(
    "--since", type=Moment(), default="24h", show_default=True, help="'2h', '7d', or '2026-11-23 16:30' (UTC)."
)
@click.option("--chart", type=click.Path(dir_okay=False, path_type=Path), help="Draw it into this file, a PNG.")
@FORMAT
@click.pass_obj
def link_history(
    config: Path | None, *, site1: str, site2: str, since: datetime, chart: Path | None, output: str
) -> None:
    """Tell what was measured on the link between two sites: packets lost, and rates of copies; 30 days are kept."""
    from bot.cli.link_history import as_json, bound_of, draw, print_history, read

    name = _name(config, site1, site2)
    found = ask_store(config, partial(read, link=name, since=since, bound=bound_of(config, name)))
    if chart is not None:
        draw(found, chart)
    if output == "json":
        click.echo(ascii_json(as_json(found), indent=2))
    else:
        print_history(found)


async def _counted(queue: RedisQueue) -> Sequence[tuple[Hold, int]]:
    return [(hold, len(await queue.waiting(hold.resource))) for hold in await queue.holds()]


async def _held(queue: RedisQueue, name: str, *, why: str, channel: str) -> tuple[Hold, bool]:
    from bot.operations.holds_verbs import MOST_WHY

    before = {hold.id for hold in await queue.holds()}
    hold = await queue.hold(name, by=me(), why=why[:MOST_WHY], channel=channel)
    return hold, hold.id not in before


async def _released(queue: RedisQueue, wanted: str) -> Sequence[str]:
    from bot.errors import UserError
    from bot.migration.capacity import in_words

    found = [hold for hold in await queue.holds() if await _is_of(queue, hold, wanted)]
    if not found:
        raise UserError(f"{wanted!r} is not held.", example="coldmigrate link list")
    said: list[str] = []
    for hold in found:
        waiting = len(await queue.waiting(hold.resource))
        await queue.release(hold.id, by=me(), why="released")
        said.append(f"Released: {in_words(hold.resource)}. {waiting} waited behind it.")
    return said


async def _is_of(queue: RedisQueue, hold: Hold, wanted: str) -> bool:
    """The hold of that id, the link itself, or hosts of a copy that failed across it."""
    from bot.migration.capacity import PAIR
    from bot.migration.request import JobId

    if wanted in (hold.id, hold.resource):
        return True
    failed = await queue.get(JobId(hold.job)) if hold.job and hold.resource.startswith(f"{PAIR}:") else None
    return failed is not None and failed.lane == wanted


def _name(config: Path | None, site1: str, site2: str) -> str:
    """The link's name. UserError for sites that the config does not know, where there is a config."""
    from bot import settings
    from bot.errors import UserError
    from bot.migration.plan import link_name

    if site1 == site2:
        raise UserError("A link has two different ends.", example="coldmigrate link hold site1 site2")
    try:
        known = set(settings.load(config).sites)
    except UserError:
        known = None  # REDIS_URL alone is enough; and of a config that is wrong, whoever asks Redis hears
        click.echo("No config could be read, so nobody knows whether there are such sites.", err=True)
    for site in (site1, site2):
        if known is not None and site not in known:
            raise UserError(f"There is no site {site!r}. Sites: {', '.join(sorted(known))}.")
    return link_name(site1, site2)


def _row(hold: Hold, waiting: int) -> Sequence[str]:
    from bot.migration.capacity import in_words

    return (hold.id, in_words(hold.resource), moment(hold.at), hold.by, str(waiting), hold.why)


def _record(hold: Hold, waiting: int) -> dict[str, Any]:
    return {
        "id": hold.id,
        "resource": hold.resource,
        "by": hold.by,
        "why": hold.why,
        "at": hold.at.isoformat(),
        "job": hold.job,
        "channel": hold.channel,
        "waiting": waiting,
    }
