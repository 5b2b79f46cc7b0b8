"""The watcher's part of joining rooms: sources, receiver, judge and sinks, started and stopped in order.

Apart from `compose`, so that a bot loads nothing of it. What both need is there.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import time, timedelta
from functools import partial
from typing import Final

from pydantic import SecretStr

from bot import telemetry
from bot.compose import engine_of, queue_of, redis_answers, roll_maker, store_of, vcenters_of, worker_name
from bot.diagnosis.engine import Engine
from bot.errors import OutsideError
from bot.health.lookout import Family
from bot.health.server import Health
from bot.hostlog.roll import Roll, SourceKind
from bot.incidents.escalations import RedisEscalations
from bot.incidents.grouping import GroupingRules
from bot.incidents.incident import Client, State
from bot.incidents.kept import RedisIncidents
from bot.incidents.policy import Loudness, Mode, SinkPolicy
from bot.incidents.port import AlertPlace, Incidents, Sink
from bot.incidents.sinks.calling import open_http
from bot.incidents.sinks.pagerduty import EVENTS_URL, PagerDutySink
from bot.incidents.sinks.webhook import WebhookSink
from bot.jobs.queue import RedisQueue, random_id
from bot.logs.addresses import HTTPS_PORT, SSH_PORT, Addresses, by_name
from bot.logs.api import ApiSource, Polled
from bot.logs.feed import POLL_LOGS, FleetLogFeed
from bot.logs.figures import hosts_table, roll_table, shards_table
from bot.logs.files import FilesSource
from bot.logs.https import HttpsSource
from bot.logs.intake import RedisIntake
from bot.logs.lasting import lasting
from bot.logs.port import HostTally, LogSource, WatchedLines
from bot.logs.shards import LEASE, Shards
from bot.logs.ssh import FOLDER, SshSource
from bot.logs.stream import RedisWatchedLines
from bot.logs.syslog import SyslogReceiver, tls_context
from bot.logs.turn import JUDGE, RedisTurn
from bot.logs.watcher import Watcher
from bot.migration.calendar import Window
from bot.migration.request import JobId, VCenterName
from bot.operations.escalate import EscalationTools, escalate_for_ever
from bot.operations.roster import Roster
from bot.operations.watch_digest import DailyDigest, DigestTools
from bot.operations.watch_judge import BREATH, JudgeTools, judge_on
from bot.operations.watch_outcomes import Outcomes
from bot.operations.watch_speak import Speaker, SpeakerTools
from bot.settings import Settings
from bot.settings_tables import Source
from bot.slack.outbox import RedisOutbox
from bot.slack.port import Outbox
from bot.store import keys
from bot.store.client import Store
from bot.vsphere.roll_kept import KeptRoll
from bot.vsphere.vcenter import PyvmomiVCenter

LEAVE_WITHIN: Final = 5.0

log = logging.getLogger(__name__)

VCenters = Mapping[str, PyvmomiVCenter]


@dataclass(slots=True)
class WatchRole:
    """A watcher, ready to `run`. `ports` are those that syslog is taken in at; `tallies` is how each host stands."""

    tallies: Callable[[], Sequence[HostTally]]
    ports: Mapping[str, int] = field(default_factory=dict)
    _work: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    def also(self, work: Callable[[], Awaitable[None]]) -> None:
        """Something that goes on as long as this runs."""
        self._work.append(work)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for work in self._work:
                group.create_task(lasting(work))


async def _until_left(watcher: Watcher) -> None:
    """Follow hosts. Told to stop, hand them over first: whoever follows them next need not wait for a lease to end."""
    running = asyncio.ensure_future(watcher.run())
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        with suppress(TimeoutError, OutsideError):
            async with asyncio.timeout(LEAVE_WITHIN):
                await watcher.close()
                await running
        raise
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def sources_of(
    settings: Settings,
    vcenters: VCenters,
    *,
    feed: FleetLogFeed | None = None,
    polled: Polled = lambda _host, _every: None,
    addresses: Callable[[int], Addresses] = by_name,
) -> dict[int | None, LogSource]:
    """How hosts are read that we go to, by the number of their `[[sources]]` table; None: through vCenter.

    Without a `feed`, which needs Redis, that can only be read once. `polled` is told how often vCenter is asked.
    """
    api = ApiSource(feed, vcenters, polled=polled)
    found: dict[int | None, LogSource] = {None: api}
    for number, source in enumerate(settings.sources):
        match SourceKind(source.kind):
            case SourceKind.SSH:
                found[number] = _ssh(settings, source, addresses)
            case SourceKind.HTTPS:
                found[number] = _https(settings, source, number, addresses)
            case SourceKind.FILES:
                folder = "/" if (source.path or "").endswith("/") else ""  # which says that it is one
                found[number] = FilesSource(f"{settings.path(source.path)}{folder}")
            case SourceKind.API:
                found[number] = api
            case SourceKind.SYSLOG | SourceKind.NONE:
                pass
    return found


@asynccontextmanager
async def watch_role(
    settings: Settings,
    *,
    health: Health | None = None,
    poll_logs: timedelta = POLL_LOGS,
    lease: timedelta = LEASE,
    breath: timedelta = BREATH,
    addresses: Callable[[int], Addresses] = by_name,
) -> AsyncIterator[WatchRole]:
    """A watcher. It holds the secrets of vCenters, sources and sinks, and no Slack token; any number may run."""
    name = worker_name()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(store_of(settings))
        vcenters = {str(n): v for n, v in (await stack.enter_async_context(vcenters_of(settings))).items()}
        engine = engine_of(settings)
        queue = queue_of(settings, store)
        intake = RedisIntake(store, keep=engine.is_candidate, watcher=name, gone_after=lease)
        roll = KeptRoll(store, vcenters, make=roll_maker(settings))
        await roll.begin()
        role = WatchRole(intake.tallies.all)
        role.also(intake.run)
        role.also(roll.run)
        feed = await stack.enter_async_context(
            FleetLogFeed(
                store,
                vcenters,
                keep=engine.is_candidate,
                every=poll_logs,
                calls_per_second=settings.watch.api_calls_per_second,
            )
        )
        sources = sources_of(settings, vcenters, feed=feed, polled=intake.tallies.polled, addresses=addresses)
        shards = Shards(store, name, lease=lease)
        watcher = Watcher(
            roll=lambda: roll.roll,
            sources=sources,
            logs=settings.watch.logs,
            intake=intake,
            shards=shards,
        )
        role.also(partial(_until_left, watcher))
        if settings.syslog.opens:
            receiver = await stack.enter_async_context(_receiver(settings, intake, lambda: roll.roll, engine))
            role.ports = receiver.ports
        await _watch_over(
            settings,
            stack,
            role,
            name=name,
            store=store,
            queue=queue,
            vcenters=vcenters,
            engine=engine,
            lease=lease,
            roll=lambda: roll.roll,
            breath=breath,
        )
        if health is not None:
            tables = [
                hosts_table(role.tallies),
                roll_table(lambda: roll.roll),
                shards_table(lambda: shards.held),
            ]
            looking = health.lookout.looking([redis_answers(store)], at=_figures(settings, store), tables=tables)
            await stack.enter_async_context(looking)
        yield role


def _figures(settings: Settings, store: Store) -> list[Family]:
    """Numbers about the whole fleet, the same whichever watcher reads them."""
    incidents = RedisIncidents(store)

    async def live() -> dict[str, float]:
        states = Counter(case.standing.state for case in await incidents.live())
        return {state.value: states[state] for state in State if not state.ended}

    async def waiting() -> dict[str, float]:
        return {name: int(await store.execute_command("ZCARD", keys.escalations(name))) for name in settings.sink_names}

    return [
        Family("incidents", "Incidents that have not ended.", live, label="state"),
        Family("escalations_waiting", "Incidents of which a sink is to be told something.", waiting, label="sink"),
    ]


async def _watch_over(
    settings: Settings,
    stack: AsyncExitStack,
    role: WatchRole,
    *,
    name: str,
    store: Store,
    queue: RedisQueue,
    vcenters: VCenters,
    engine: Engine,
    roll: Callable[[], Roll],
    lease: timedelta,
    breath: timedelta,
) -> None:
    """Judge, when it is this watcher's turn; and tell the sinks."""
    incidents, outbox, escalations = RedisIncidents(store), RedisOutbox(store), RedisEscalations(store)
    lines = RedisWatchedLines(store)
    sinks = [await _sink(settings, stack, number) for number in range(len(settings.sinks))]
    roster = Roster(sinks)
    role.also(roster.run)
    speaker = Speaker(
        SpeakerTools(
            incidents=incidents,
            escalations=escalations,
            outbox=outbox,
            queue=queue,
            place=place_of(settings),
            loudness=loudness_of(settings),
            sinks=_policies(settings),
            on_call=roster.names,
        )
    )
    alerts = settings.alerts
    digest = _digest(settings, incidents, outbox, lines)
    tools = JudgeTools(
        lines=lines,
        incidents=incidents,
        engine=engine,
        roll=roll,
        outcomes=lambda: Outcomes({VCenterName(name): vcenter for name, vcenter in vcenters.items()}),
        speaker=speaker,
        digest=digest,
        new_id=random_id,
        knows_job=partial(_knows, queue),
        now=queue.now,
        rules=GroupingRules(hosts=alerts.hosts) if alerts else GroupingRules(),
        resolve_after=timedelta(minutes=alerts.resolve_after_minutes) if alerts else timedelta(hours=1),
        breath=breath,
    )
    turn = RedisTurn(store, JUDGE, lease=lease, owner=name)
    role.also(lambda: turn.serve(partial(judge_on, tools)))
    told = EscalationTools(incidents=incidents, tellings=escalations, outbox=outbox)
    for sink in sinks:
        role.also(partial(escalate_for_ever, told, sink))


async def _knows(queue: RedisQueue, job: str) -> bool:
    return await queue.get(JobId(job)) is not None


def loudness_of(settings: Settings) -> Loudness:
    """What of incidents is said aloud; nothing without [alerts]."""
    alerts = settings.alerts
    if alerts is None:
        return Loudness()
    clients = frozenset(map(Client, alerts.clients))
    return Loudness(mode=Mode(alerts.mode), clients=clients, quiet=_windows(alerts.quiet_hours))


def place_of(settings: Settings) -> AlertPlace:
    """Where the config has alerts go; nowhere without [alerts]."""
    return AlertPlace(settings.alerts.channel if settings.alerts else "")


def _digest(settings: Settings, incidents: Incidents, outbox: Outbox, lines: WatchedLines) -> DailyDigest | None:
    if settings.alerts is None:
        return None
    return DailyDigest(
        DigestTools(
            incidents=incidents,
            outbox=outbox,
            lines=lines,
            place=place_of(settings),
            loudness=loudness_of(settings),
            at=time.fromisoformat(settings.alerts.digest),
            zone=settings.zone,
        )
    )


def _policies(settings: Settings) -> list[SinkPolicy]:
    return [
        SinkPolicy(
            name=name,
            causes=sink.causes,
            sites=sink.sites,
            hours=_windows(sink.hours),
            after=timedelta(minutes=sink.after_minutes),
        )
        for name, sink in zip(settings.sink_names, settings.sinks, strict=True)
    ]


def _windows(texts: Iterable[str]) -> list[Window]:
    return [Window.read(text) for text in texts]


async def _sink(settings: Settings, stack: AsyncExitStack, number: int) -> Sink:
    table, name = settings.sinks[number], settings.sink_names[number]
    http = await stack.enter_async_context(open_http(settings.path(table.ca_file)))
    if table.kind == "webhook":
        return WebhookSink(name, http, url=table.url or "", secret=_hidden(settings.sink_secret(number, "secret")))
    with_roster = table.api_token_env or table.api_token_file
    return PagerDutySink(
        name,
        http,
        routing_key=_hidden(settings.sink_secret(number, "routing_key")),
        events_url=table.url or EVENTS_URL,
        api_token=_hidden(settings.sink_secret(number, "api_token")) if with_roster else "",
        escalation_policy=table.escalation_policy or "",
    )


def _receiver(settings: Settings, intake: RedisIntake, roll: Callable[[], Roll], engine: Engine) -> SyslogReceiver:
    table = settings.syslog
    cert_file, key_file = settings.path(table.cert_file), settings.path(table.key_file)
    own = tls_context(cert_file, key_file, settings.path(table.client_ca_file)) if cert_file and key_file else None
    return SyslogReceiver(
        intake,
        roll,
        finder=engine.catalogue.needles.finder(),
        logs=settings.watch.logs,
        lines_per_second=settings.watch.lines_per_second,
        address=table.address or "0.0.0.0",  # noqa: S104 - hosts are elsewhere
        udp=table.udp or None,
        tcp=table.tcp or None,
        tls=table.tls or None,
        tls_context=own,
    )


def _ssh(settings: Settings, source: Source, addresses: Callable[[int], Addresses]) -> SshSource:
    from bot.ssh.shell import SshShell  # noqa: PLC0415 - its library runs a compiler when it is loaded

    key_file, known_hosts = settings.path(source.key_file), settings.path(source.known_hosts_file)
    assert key_file is not None  # noqa: S101 - the config was checked
    assert known_hosts is not None  # noqa: S101 - the same
    shell = SshShell(user=source.user or "", key_file=key_file, known_hosts_file=known_hosts)
    return SshSource(shell, addresses=addresses(source.port or SSH_PORT), folder=source.path or FOLDER)


def _https(settings: Settings, source: Source, number: int, addresses: Callable[[int], Addresses]) -> HttpsSource:
    return HttpsSource(
        user=source.user or "",
        password=lambda: _hidden(settings.source_password(number)),
        ca_file=settings.path(source.ca_file),
        addresses=addresses(source.port or HTTPS_PORT),
        every=timedelta(seconds=source.every_seconds),
    )


def _hidden(secret: SecretStr) -> str:
    """Hidden from logs before it is used."""
    value = secret.get_secret_value()
    telemetry.hide(value)
    return value
