"""What `coldmigrate doctor` looks at: settings in, what the rooms find out. Each stands alone and has a time-out.

The bot holds Slack tokens and workers hold passwords of vCenters, so one of both is missing nearly everywhere: then it
is said that this was not looked at here, and that is no fault, unless it is the role whose secret it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bot.finding import Finding
    from bot.settings import Settings
    from bot.vsphere.examination_look import Patient

PATIENCE: Final = timedelta(minutes=6)
"""For one part; each has shorter time-outs of its own."""

BOT: Final = "bot"
WORKER: Final = "worker"
WATCH: Final = "watch"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be looked at; `role`: whose secrets are here, if that was said."""

    only: frozenset[str]
    site: str | None = None
    role: str | None = None


Examination = Callable[["Settings", Asked], Awaitable["Sequence[Finding]"]]


async def alone(name: str, examination: Awaitable[Sequence[Finding]]) -> Sequence[Finding]:
    """What an examination finds; its failure is a finding and keeps nobody else's."""
    from bot.errors import ColdmigrateError
    from bot.finding import error

    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            return await examination
    except TimeoutError:
        return [error(name, f"It was not over after {PATIENCE.seconds // 60} minutes.", do="See what does not answer.")]
    except ColdmigrateError as failure:
        return [error(name, str(failure), do="Nothing more of it could be looked at.")]


async def redis(settings: Settings, _asked: Asked) -> Sequence[Finding]:
    """Redis, as the config leads to it."""
    from bot.compose import connected
    from bot.errors import UserError
    from bot.finding import error
    from bot.store.examination import examine

    try:
        async with connected(settings) as store:
            return await examine(store)
    except UserError as mistake:
        return [error("redis.reachable", str(mistake), do=mistake.example and f"For example: {mistake.example}")]


async def slack(settings: Settings, asked: Asked) -> Sequence[Finding]:
    """Slack, with the bot's tokens."""
    from bot.cli.init import MANIFEST
    from bot.errors import UserError
    from bot.finding import error
    from bot.slack.client import open_client
    from bot.slack.examination import Needed, examine
    from bot.telemetry import hide

    if asked.role in {WORKER, WATCH}:
        return [not_here("slack", "this role has no Slack token.")]
    try:
        tokens = settings.slack_tokens()
    except UserError as missing:
        if asked.role == BOT:
            return [error("slack", str(missing), do="Nothing of Slack could be looked at.")]
        return [not_here("slack", str(missing))]
    app, bot = tokens.app.get_secret_value(), tokens.bot.get_secret_value()
    for token in (app, bot):
        hide(token)
    named = {who for right in settings.rights for who in right.who}
    needed = Needed(
        scopes=frozenset(MANIFEST["oauth_config"]["scopes"]["bot"]),
        alerts=settings.alerts.channel if settings.alerts else None,
        groups=tuple(sorted(who.removeprefix("group:") for who in named if who.startswith("group:"))),
        channels=tuple(sorted(who.removeprefix("channel:") for who in named if who.startswith("channel:"))),
    )
    async with open_client(bot, api_url=settings.slack.api_url) as client:
        return await examine(client, app, needed)


async def vcenter(settings: Settings, asked: Asked) -> Sequence[Finding]:
    """vCenters and sites, with the workers' passwords."""
    from bot.vsphere.examination import examine

    if asked.role == BOT:
        return [not_here("vcenter", "this role has no password of a vCenter.")]
    patients, without = patients_of(settings, asked)
    return [*without, *await examine(patients, only_site=asked.site)]


def patients_of(settings: Settings, asked: Asked) -> tuple[list[Patient], list[Finding]]:
    """The vCenters that can be looked at here, and what is said of the others."""
    from bot.cli.role_script import wishes_of
    from bot.compose import endpoint_of, site_specs
    from bot.errors import UserError
    from bot.finding import error
    from bot.migration.request import VCenterName
    from bot.vsphere.examination_look import Patient
    from bot.vsphere.roles import Extent

    extents = {wish.vcenter: wish.extent for wish in wishes_of(settings)}
    sites = site_specs(settings).values()
    patients, without = [], []
    for name in map(VCenterName, settings.vcenters):
        here = tuple(site for site in sites if site.vcenter == name)
        if asked.site is not None and asked.site not in {site.name for site in here}:
            continue
        try:
            settings.vcenter_password(name)
            patients.append(Patient(endpoint_of(settings, name), here, extents.get(name, Extent())))
        except UserError as missing:
            if asked.role in {WORKER, WATCH}:
                without.append(error(f"vcenter.{name}", str(missing), do="Nothing of it could be looked at."))
            else:
                without.append(not_here(f"vcenter.{name}", str(missing)))
    return patients, without


async def links(settings: Settings, _asked: Asked) -> Sequence[Finding]:
    """What was measured on the links."""
    from bot.compose import connected
    from bot.errors import UserError
    from bot.links.examination import examine
    from bot.links.history import RedisLinkHistory

    try:
        async with connected(settings) as store:
            names = [link.name for link in settings.links]
            return await examine(RedisLinkHistory(store), names, now=datetime.now(UTC))
    except UserError:
        return []  # it is told where Redis is looked at


async def watch(settings: Settings, asked: Asked) -> Sequence[Finding]:
    """The watch of all hosts, with the watchers' secrets."""
    from bot.cli.examinations_watch import examine
    from bot.errors import UserError

    if asked.role in {BOT, WORKER}:
        return [not_here("watch", "this role watches no hosts.")]
    try:
        for name in settings.vcenters:
            settings.vcenter_password(name)
    except UserError as missing:
        if asked.role != WATCH:
            return [not_here("watch", str(missing))]
    return await examine(settings)


def not_here(about: str, why: str) -> Finding:
    """What was not looked at, without a fault of anybody."""
    from bot.finding import fine

    return fine(about, f"Not looked at here: {why}")


EXAMINATIONS: Final[Mapping[str, Examination]] = {
    "redis": redis,
    "slack": slack,
    "vcenter": vcenter,
    "links": links,
    "watch": watch,
}
"""In the order in which they are told."""
