"""The only place that joins rooms: settings in, running roles out. What starts last stops first.

A role loads only what it uses: the bot has no need of pyVmomi (100 MB), a worker none of Bolt.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from bot import telemetry
from bot.diagnosis.engine import Engine, load_engine
from bot.diagnosis.ownrules import usable
from bot.errors import UserError
from bot.health.lookout import Family, Need
from bot.health.server import Health
from bot.health.tally import Tally
from bot.hostlog.assign import SiteHosts, SourceRule, make_roll
from bot.hostlog.roll import Roll, SourceKind
from bot.incidents.escalations import RedisEscalations
from bot.incidents.kept import RedisIncidents
from bot.jobs.queue import RedisQueue
from bot.jobs.worker import Worker
from bot.links.history import RedisLinkHistory
from bot.logs.feed import POLL_LOGS, FleetLogFeed
from bot.logs.tallies import read_tallies
from bot.logs.turn import JUDGE, whose_turn
from bot.migration.calendar import Calendar, Freeze, Window
from bot.migration.capacity import DATASTORE, HOST
from bot.migration.facts import SiteSpec
from bot.migration.request import SiteName, VCenterName
from bot.migration.stall import LEAST
from bot.operations.batch_record import BATCH
from bot.operations.counter import Alerting, Approval, Counter
from bot.operations.desk import Desk
from bot.operations.holds_show import follow_holds
from bot.operations.reconcile import reconcile_for_ever
from bot.operations.redraw import redraw_unattended
from bot.operations.rights import Grant, Rights
from bot.operations.rights import Verb as Right
from bot.operations.tools import READ_ON, SILENCE, Allow, Fleet, OnCallTools, WorkerTools, nowhere
from bot.settings import Settings
from bot.settings_tables import Site
from bot.slack.outbox import RedisOutbox
from bot.store import blobs, keys
from bot.store.client import Store, connect
from bot.store.examination import dangers
from bot.store.schema import check_schema, mark_emptied
from bot.store.steady import steady, whose_clock
from bot.store.url import passwords_in
from bot.vsphere.inventory_store import InventoryPublisher, RedisInventory

if TYPE_CHECKING:
    from bot.vsphere.port import HostEntry
    from bot.vsphere.vcenter import PyvmomiVCenter
    from bot.vsphere.wire import Endpoint
    from handlers.slack.run import SlackBot

LOOK_WITHIN: Final = timedelta(seconds=20)
"""How long one reply for a diagnosis may take: a host that is away costs somebody on call no more than that."""

LEFTOVERS_SETTLE_IN: Final = timedelta(seconds=10)
"""What is to be deleted must look the same after this: whoever writes into it without a task is seen by that."""

SETTLE_MARGIN: Final = timedelta(seconds=30)
"""Beyond the submit time-out: how long a call may still be under way to vCenter (docs/decisions/0002)."""

log = logging.getLogger(__name__)


@asynccontextmanager
async def store_of(settings: Settings) -> AsyncIterator[Store]:
    """The connection to Redis, with data of our version in it; what is dangerous there is logged."""
    async with connected(settings) as store:
        await check_schema(store)
        for danger in await dangers(store):
            log.warning("%s: %s %s", danger.about, danger.says, danger.do)
        yield store


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Store]:
    """The connection to Redis, whatever is there. UserError when the config does not say where it is."""
    url = settings.redis_url()
    if url is None:
        raise UserError(
            "No Redis is configured: set REDIS_URL or [redis].url. (`coldmigrate demo` brings its own.)",
            example="REDIS_URL=redis://redis.example.net:6379/0",
        )
    for password in passwords_in(url.get_secret_value()):
        telemetry.hide(password)
    async with connect(
        url.get_secret_value(),
        ca_file=settings.path(settings.redis.ca_file),
        confirm_replicas=settings.redis.confirm_replicas,
        confirm_disk=settings.redis.confirm_disk,
    ) as store:
        yield store


def queue_of(settings: Settings, store: Store, *, tally: Tally | None = None) -> RedisQueue:
    """The queue, with the slots of every link, host and datastore."""
    each = {f"{HOST}:": settings.capacity.per_host, f"{DATASTORE}:": settings.capacity.per_datastore}
    return RedisQueue(store, slots={**each, **settings.slots()}, lease=settings.worker.lease, tally=tally)


def site_specs(settings: Settings) -> dict[SiteName, SiteSpec]:
    """The sites of the config as operations know them."""
    return {SiteName(name): _site(name, site) for name, site in settings.sites.items()}


def allow_of(settings: Settings) -> Allow:
    """What the config lets us do beyond a relocation."""
    return Allow(**settings.allow.model_dump())


def calendar_of(settings: Settings) -> Calendar:
    """When copies may start, by the windows of the sites and the freezes."""
    return Calendar(
        windows={name: [Window.read(text) for text in site.windows] for name, site in settings.sites.items()},
        freezes=[
            Freeze(*freeze.span(settings.zone), frozenset(freeze.sites), freeze.why) for freeze in settings.freezes
        ],
        zone=settings.zone,
    )


@asynccontextmanager
async def vcenters_of(
    settings: Settings, *, look_within: timedelta = LOOK_WITHIN, leftovers_settle_in: timedelta = LEFTOVERS_SETTLE_IN
) -> AsyncIterator[dict[VCenterName, PyvmomiVCenter]]:
    """All vCenters of the config; each logs in at its first use and logs out at the end."""
    names = [VCenterName(name) for name in settings.vcenters]
    vcenters = {
        name: _vcenter(settings, name, look_within=look_within, leftovers_settle_in=leftovers_settle_in)
        for name in names
    }
    try:
        yield vcenters
    finally:  # all at once: one that is slow to take its leave must not keep the others
        await asyncio.gather(*(vcenter.close() for vcenter in vcenters.values()))


@asynccontextmanager
async def fleet_of(settings: Settings) -> AsyncIterator[Fleet]:
    """The vCenters and sites, for whoever only asks."""
    async with vcenters_of(settings) as vcenters:
        yield Fleet(vcenters, site_specs(settings), calendar_of(settings), settings.max_loss())


@asynccontextmanager
async def bot_role(
    settings: Settings,
    *,
    reached: Callable[[str], None] = nowhere,
    look_up: bool = True,
    health: Health | None = None,
) -> AsyncIterator[SlackBot]:
    """The bot, connected. It holds Slack's tokens and no vCenter secret."""
    from bot.slack.census import Census
    from bot.slack.channels import SlackChannels
    from bot.slack.client import open_client
    from bot.slack.drain import OutboxDrainer
    from bot.slack.errands import RedisErrands
    from bot.slack.files import WebFiles
    from bot.slack.groups import SlackGroupMembers
    from bot.slack.inbox import RedisInbox
    from bot.slack.threads import WebThreads
    from bot.slack.whispers import WebWhispers
    from handlers.slack.errands import Errander
    from handlers.slack.fetch import Fetcher
    from handlers.slack.run import SlackBot

    tokens = settings.slack_tokens()
    for token in (tokens.app, tokens.bot):
        telemetry.hide(token.get_secret_value())
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(store_of(settings))
        client = await stack.enter_async_context(
            open_client(tokens.bot.get_secret_value(), api_url=settings.slack.api_url)
        )
        sites = site_specs(settings)
        inventory = RedisInventory(store, [VCenterName(name) for name in settings.vcenters])
        following = asyncio.create_task(inventory.run(), name="inventory")
        stack.push_async_callback(_ended, following)
        queue = queue_of(settings, store, tally=health.tally if health else None)
        desk = Desk(
            Counter(
                queue=queue,
                outbox=RedisOutbox(store),
                inventory=inventory,
                rights=Rights(_grants(settings), SlackGroupMembers(client)),
                channels=SlackChannels(client),
                sites=sites,
                approvals={SiteName(n): Approval(site.approval) for n, site in settings.sites.items()},
                shelve=partial(blobs.put, store),
                lists={name.casefold(): vms for name, vms in settings.lists.items()},
                calendar=calendar_of(settings),
                allow=allow_of(settings),
                strict=frozenset(SiteName(n) for n, site in settings.sites.items() if site.warnings == "force"),
                canaries=settings.canaries(),
                links=RedisLinkHistory(store),
                incidents=RedisIncidents(store),
                escalations=RedisEscalations(store),
                tallies=partial(read_tallies, store),
                judging=partial(whose_turn, store, JUDGE),
                alerting=_alerting(settings),
            )
        )
        drainer = OutboxDrainer(store, client, admins=settings.slack.admins, reached=reached, look_up=look_up)
        errands, whispers = RedisErrands(store), WebWhispers(client)
        fetcher = Fetcher(
            desk,
            WebFiles(client),
            WebThreads(client),
            whispers,
            keep=errands.keep,
            at_most=blobs.LARGEST,
            watched=[settings.alerts.channel] if settings.alerts else [],
        )
        errander = Errander(errands, fetcher, RedisOutbox(store), whispers, reached=reached)
        bot = SlackBot(
            tokens.app.get_secret_value(), client, desk, drainer, RedisInbox(store), errander=errander, reached=reached
        )
        await bot.start()
        stack.push_async_callback(bot.stop)
        counting = asyncio.create_task(Census(store, client).run(), name="census")
        stack.push_async_callback(_ended, counting)
        if health is not None:
            needs = [redis_answers(store), Need("slack", bot.is_connected)]
            await stack.enter_async_context(health.lookout.looking(needs, at=_fleet(store, queue)))
        yield bot


@asynccontextmanager
async def worker_role(
    settings: Settings,
    *,
    reached: Callable[[str], None] = nowhere,
    look_up: bool = True,
    read_on: timedelta = READ_ON,
    still_after: timedelta = LEAST,
    silence: timedelta = SILENCE,
    poll_logs: timedelta = POLL_LOGS,
    look_within: timedelta = LOOK_WITHIN,
    leftovers_settle_in: timedelta = LEFTOVERS_SETTLE_IN,
    settle_margin: timedelta = SETTLE_MARGIN,
    health: Health | None = None,
) -> AsyncIterator[Worker]:
    """A worker, ready to `run`. It holds vCenter's secrets and no Slack token; it keeps the bot's inventory fresh."""
    from handlers.jobs.registry import job_handlers

    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(store_of(settings))
        vcenters = await stack.enter_async_context(
            vcenters_of(settings, look_within=look_within, leftovers_settle_in=leftovers_settle_in)
        )
        queue = queue_of(settings, store, tally=health.tally if health else None)
        engine = engine_of(settings)
        tools = WorkerTools(
            queue=queue,
            fleet=Fleet(
                vcenters, site_specs(settings), calendar_of(settings), settings.max_loss(), settings.canaries()
            ),
            outbox=RedisOutbox(store),
            feed=await stack.enter_async_context(
                FleetLogFeed(
                    store,
                    {str(name): vcenter for name, vcenter in vcenters.items()},
                    keep=engine.is_candidate,
                    every=poll_logs,
                    calls_per_second=settings.watch.api_calls_per_second,
                )
            ),
            engine=engine,
            on_call=OnCallTools(
                scenes=vcenters,
                inventory=RedisInventory(store, list(vcenters)),
                material=partial(blobs.get, store),
                rules=usable(settings.path(settings.diagnosis.rules)).files,
            ),
            settle=settings.worker.submit_timeout + settle_margin,
            probes=vcenters,
            steady=partial(steady, store),
            whose_clock=partial(whose_clock, store),
            read_on=read_on,
            still_after=still_after,
            look_at_flow_every=still_after * 3,
            silence=silence,
            allow=allow_of(settings),
            links=RedisLinkHistory(store),
            reached=reached,
            look_up=look_up,
        )
        for vcenter in vcenters.values():
            publisher = asyncio.create_task(InventoryPublisher(store, vcenter).run(), name=f"inventory {vcenter.name}")
            stack.push_async_callback(_ended, publisher)
        redrawing = asyncio.create_task(redraw_unattended(queue, tools.outbox), name="redraw")
        stack.push_async_callback(_ended, redrawing)
        holding = asyncio.create_task(follow_holds(queue, tools.outbox), name="holds")
        stack.push_async_callback(_ended, holding)
        name = worker_name()
        reconciling = asyncio.create_task(
            reconcile_for_ever(tools, name, first=partial(mark_emptied, store)), name="reconcile"
        )
        stack.push_async_callback(_ended, reconciling)
        if health is not None:
            needs = [redis_answers(store), *map(_vcenter_once, vcenters.values())]
            await stack.enter_async_context(health.lookout.looking(needs, at=_fleet(store, queue)))
        yield Worker(queue, name, job_handlers(tools), light=[BATCH], concurrency=settings.worker.concurrency)


def roll_maker(settings: Settings) -> Callable[[Mapping[str, Sequence[HostEntry]]], Roll]:
    """Make a roll of what vCenters have: the sites and sources of the config, applied to it."""
    return partial(
        make_roll,
        sites=[SiteHosts(n, s.vcenter, s.datacenter, s.cluster, s.host) for n, s in settings.sites.items()],
        sources=[SourceRule(SourceKind(source.kind), source.sites, source.hosts) for source in settings.sources],
        api_hosts=settings.watch.api_hosts,
        syslog=settings.syslog.opens,
    )


def engine_of(settings: Settings) -> Engine:
    """The shipped rules and those of `diagnosis.rules`; of the latter, one with a mistake is left out and logged."""
    own = usable(settings.path(settings.diagnosis.rules))
    for complaint in own.complaints:
        log.warning("A rule of diagnosis.rules is left out: %s", complaint)
    return load_engine(extra_rules=own.files)


def worker_name() -> str:
    """Who this worker is in the ledger: unique per process, readable for people."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"


def _site(name: str, site: Site) -> SiteSpec:
    return SiteSpec(
        name=SiteName(name),
        vcenter=VCenterName(site.vcenter),
        datacenter=site.datacenter,
        cluster=site.cluster,
        host=site.host,
        datastore=site.datastore,
        folder=site.folder,
        networks=dict(site.networks),
    )


def endpoint_of(settings: Settings, name: VCenterName) -> Endpoint:
    """Where a vCenter is and how to log in there, for who looks at just that."""
    from bot.vsphere.wire import Endpoint, Trust

    table = settings.vcenters[name]
    trust = Trust(settings.path(table.ca_file), table.thumbprint)
    return Endpoint(name, table.url, table.user, lambda: _password(settings, name), trust)


def _vcenter(
    settings: Settings, name: VCenterName, *, look_within: timedelta, leftovers_settle_in: timedelta
) -> PyvmomiVCenter:
    from bot.vsphere.far import Account
    from bot.vsphere.vcenter import PyvmomiVCenter

    table = settings.vcenters[name]
    return PyvmomiVCenter(
        name,
        url=table.url,
        user=table.user,
        password=lambda: _password(settings, name),
        ca_file=settings.path(table.ca_file),
        thumbprint=table.thumbprint,
        submit_timeout=settings.worker.submit_timeout,
        look_within=look_within,
        leftovers_settle_in=leftovers_settle_in,
        credentials=lambda far: Account(settings.vcenters[far].user, _password(settings, far)),
    )


def _password(settings: Settings, name: VCenterName) -> str:
    """Read anew at each login, so that a rotated password needs no restart; hidden from logs before it is used."""
    secret = settings.vcenter_password(name).get_secret_value()
    telemetry.hide(secret)
    return secret


def redis_answers(store: Store) -> Need:
    async def answers() -> bool:
        await store.execute_command("PING")
        return True

    return Need("redis", answers)


def _vcenter_once(vcenter: PyvmomiVCenter) -> Need:
    """Once is enough: one that goes away later is waited for by every job, and says so on their cards."""

    async def answers() -> bool:
        await vcenter.now()
        return True

    return Need(f"vcenter {vcenter.name}", answers, once=True)


def _fleet(store: Store, queue: RedisQueue) -> list[Family]:
    """Numbers about the whole fleet, the same whichever role reads them."""

    async def holds() -> dict[str, float]:
        return {"": len(await queue.holds())}

    async def outbox() -> dict[str, float]:
        return {"": int(await store.execute_command("ZCARD", keys.OUTBOX))}

    return [
        Family("jobs", "Live jobs of the fleet.", queue.counts, label="state"),
        Family("holds", "Links, hosts and others on which nothing new is started.", holds),
        Family("outbox_records", "What waits to be posted to Slack.", outbox),
    ]


def _alerting(settings: Settings) -> Alerting:
    alerts = settings.alerts
    return Alerting() if alerts is None else Alerting(alerts.channel, speaks=alerts.mode == "alert")


def _grants(settings: Settings) -> list[Grant]:
    return [Grant(right.who, frozenset(map(Right, right.may)), right.sites) for right in settings.rights]


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
