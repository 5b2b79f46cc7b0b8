"""A night of watchers: real ones that are killed, a real bot, a Slack with its limits, a pager, a Redis of its own.

vCenter is away all night: which hosts there are is what some watcher wrote down earlier, and stands in Redis.
"""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bot.cli.init import MANIFEST
from bot.errors import OutsideError
from bot.hostlog.line import Gap
from bot.incidents.incident import Case
from bot.incidents.kept import RedisIncidents
from bot.logs.stream import RedisWatchedLines
from bot.logs.turn import JUDGE
from bot.playground.pager.pagerduty import PagerDutyPlayer
from bot.playground.slack.player import SlackPlayer
from bot.store import keys
from bot.store.client import Store, connect
from bot.vsphere.port import HostEntry
from bot.vsphere.roll_kept import encoded
from tests.chaos.nursery import Forked
from tests.chaos.own_redis import OwnRedis, own_redis
from tests.chaos.rows import HungError, UnmeasuredError
from tests.chaos.stage import Stage
from tests.chaos.watch_role import Told
from tests.chaos.watch_truth import Hosts, Pair
from tests.ports import free_port

MODULE: Final = "tests.chaos.watch_role"
CHANNEL: Final = "nfc-alerts"
STANDS_WITHIN: Final = 60.0
ENDS_WITHIN: Final = 90.0
JUST_BEFORE: Final = 3.0
VCENTER: Final = "east"
_CONFIG: Final = """
[slack]
api_url = "{slack.api_url}"
app_token_env = "APP"
bot_token_env = "BOT"
[vcenters.east]
url = "https://127.0.0.1:{nowhere}"
user = "coldmigrate"
password_env = "PASSWORD"
{sites}
[alerts]
channel = "{channel}"
mode = "alert"
[[sinks]]
kind = "pagerduty"
url = "{pager.url}"
routing_key_env = "ROUTING_KEY"
after_minutes = 0
[watch]
logs = ["vpxa"]
[[sources]]
kind = "files"
sites = [{by_file}]
path = "{logs}/{{host}}/{{log}}.log"
[[sources]]
kind = "syslog"
sites = [{by_syslog}]
"""
_SITE: Final = '[sites.{name}]\nvcenter = "east"\ndatacenter = "{name}"\ncluster = "C1"\ndatastore = "ds-{name}"\n'
_SYSLOG: Final = '[syslog]\naddress = "127.0.0.1"\ntcp = {port}\n'
_BETWEEN: Final = re.compile(r"lines between (\d\d:\d\d:\d\d) and (\d\d:\d\d:\d\d) UTC may be missing")


@dataclass(frozen=True, slots=True)
class Size:
    """`pairs` of sites with files, besides one whose hosts send syslog; `hosts` at each site; seconds."""

    pairs: int
    hosts: int
    lease: float
    rhythm: float
    steady: float


@dataclass(frozen=True, slots=True)
class Loss:
    """That lines of a host may be missing between two moments, as it was told."""

    host: str
    since: float
    until: float


@dataclass(eq=False)
class Employed:
    """One watcher, and where it takes syslog in."""

    process: Forked
    port: int


@dataclass(eq=False)
class WatchNight:
    """What runs, and what is done to it. `did` counts that."""

    stage: Stage
    size: Size
    store: Store
    redis: OwnRedis
    slack: SlackPlayer
    pager: PagerDutyPlayer
    folder: Path
    unfenced: bool = False
    hosts: Hosts = field(init=False)
    living: list[Employed] = field(default_factory=list)
    did: Counter[str] = field(default_factory=Counter)
    breaches: list[str] = field(default_factory=list)
    _secrets: dict[str, str] = field(default_factory=dict)
    _config: str = ""
    _bot: Forked | None = None

    @property
    def log(self) -> Path:
        return self.folder / "roles.log"

    async def begin(self) -> None:
        """The world, and the bot."""
        pairs = [self._pair(number) for number in range(self.size.pairs + 1)]
        dice = self.stage.dice
        self.hosts = Hosts(self.folder / "logs", pairs[:-1], pairs[-1:], self._ports, dice)
        self.hosts.settle()
        sites = [f"site{number}" for number in range(1, 2 * len(pairs) + 1)]
        self._config = _CONFIG.format(
            slack=self.slack,
            pager=self.pager,
            nowhere=free_port(),
            sites="".join(_SITE.format(name=site) for site in sites),
            channel=self.slack.workspace.channel(CHANNEL).id,
            by_file=", ".join(f'"{site}"' for site in sites[:-2]),
            by_syslog=", ".join(f'"{site}"' for site in sites[-2:]),
            logs=self.folder / "logs",
        )
        self._secrets = {
            "APP": self.slack.app_token,
            "BOT": self.slack.bot_token,
            "PASSWORD": "nobody asks",
            "ROUTING_KEY": self.pager.routing_key,
            "REDIS_URL": self.redis.url,
        }
        await self.store.set(keys.inventory_hosts(VCENTER), encoded(list(self._entries(pairs))))
        nursery = await self.stage.nursery()
        words = ("bot", "--config", str(self._settings("bot", _SYSLOG.format(port=free_port()))))
        self._bot = await nursery.fork(words, environment=self._secrets, log=self.log)

    async def hire(self, many: int = 1) -> None:
        """More watchers, each with a port of its own."""
        nursery = await self.stage.nursery()
        for _ in range(many):
            port = free_port()
            settings = self._settings(f"watcher-{port}", _SYSLOG.format(port=port))
            first = [(MODULE, Told(str(settings), self.size.lease, self.unfenced).to_json())]
            process = await nursery.fork(("watch",), environment=self._secrets, log=self.log, first=first)
            self.living.append(Employed(process, port))

    async def stands(self) -> None:
        """Once somebody judges, every file is being read, and each watcher listens."""
        files = [host for pair in self.hosts.by_file for side in pair.hosts for host in side]

        async def all_of_it() -> bool:
            if any(one is None or one.returncode is not None for one in self._all()):
                raise UnmeasuredError("the bot or a watcher did not come up")
            if not await self.store.execute_command("HGET", keys.JUDGE, "after"):
                return False
            pipeline = self.store.pipeline(transaction=False)
            for host in files:
                pipeline.exists(keys.watch_cursor(VCENTER, host, "vpxa"))
            return sum(await pipeline.execute()) == len(files) and all(_listens(one.port) for one in self.living)

        await self.until("watchers that do not come up", all_of_it, STANDS_WITHIN)

    @asynccontextmanager
    async def dying(self) -> AsyncIterator[None]:
        """Copies die as long as the block runs."""
        writing = asyncio.create_task(self.hosts.live(rhythm=self.size.rhythm))
        try:
            yield
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def goes_on(self, times: float = 1) -> None:
        await asyncio.sleep(times * self.size.steady)

    # What befalls them

    async def kill(self, whom: Employed, what: str = "SIGKILLs") -> None:
        await self.end(whom, signal.SIGKILL)
        self.did[what] += 1

    async def kill_the_judge(self) -> None:
        await self.kill(await self.judge(), "judges killed")

    async def pause(self, whom: Employed) -> None:
        """Longer than a lease."""
        whom.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(1.5 * self.size.lease)
        whom.process.send_signal(signal.SIGCONT)
        self.did["SIGSTOPs"] += 1

    async def let_go(self, whom: Employed) -> None:
        await self.end(whom, signal.SIGTERM)
        self.did["SIGTERMs"] += 1

    async def restart_redis(self) -> None:
        self.redis.kill()
        await asyncio.sleep(self.size.lease / 2)
        self.redis.come_back()
        self.did["Redis killed"] += 1

    async def end(self, whom: Employed, number: signal.Signals) -> None:
        self.living.remove(whom)
        if whom.process.returncode is not None:
            self.breaches.append(f"a watcher ended by itself with {whom.process.returncode}")
            return
        whom.process.send_signal(number)
        code = await whom.process.wait()
        if code not in {0, -signal.SIGKILL}:
            self.breaches.append(f"a watcher that was told to stop ended with {code}")

    async def judge(self) -> Employed:
        """Whose turn it is, once somebody has it who lives."""
        found: list[Employed] = []

        async def known() -> bool:
            owner = await self.store.execute_command("HGET", keys.shard(JUDGE), "owner") or ""
            found[:] = [one for one in self.living if f"-{one.process.pid}-" in owner]
            return bool(found)

        await self.until("nobody judges", known, STANDS_WITHIN)
        return found[0]

    # What came of it

    async def cases(self) -> Sequence[Case]:
        """Every incident there is, but those that went up in another one."""
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        cases = await RedisIncidents(self.store).ended_since(epoch)
        live = await RedisIncidents(self.store).live()
        every = {case.incident.id: case for case in (*cases, *live)}
        return [case for case in every.values() if case.standing.into is None]

    async def losses(self) -> Sequence[Loss]:
        """What was told to be missing, each with what its words say."""
        found: list[Loss] = []
        lines, after = RedisWatchedLines(self.store), "0-0"
        while entries := await lines.read(after, within=timedelta(milliseconds=10), limit=5000):
            after = entries[-1].id
            found += [_loss(item) for entry in entries for item in entry.items if isinstance(item, Gap)]
        return found

    def cards(self) -> list[dict[str, Any]]:
        """The messages of incidents in the channel."""
        return [
            message for message in self.slack.person.history(f"#{CHANNEL}") if _about(message).get("kind") == "card"
        ]

    async def until(self, what: str, holds: Callable[[], Awaitable[bool]], within: float) -> None:
        try:
            async with asyncio.timeout(within):
                while not await _sure(holds):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise HungError(f"after {within:.0f} s still: {what}") from None

    def _all(self) -> Sequence[Forked | None]:
        return [self._bot, *(one.process for one in self.living)]

    def _ports(self) -> Sequence[int]:
        return [one.port for one in self.living]

    def _pair(self, number: int) -> Pair:
        first, second = (
            [f"esx-site{2 * number + side}-{host:02}.example.net" for host in range(1, self.size.hosts + 1)]
            for side in (1, 2)
        )
        return Pair((first, second))

    def _entries(self, pairs: Sequence[Pair]) -> list[HostEntry]:
        sides = [side for pair in pairs for side in pair.hosts]
        return [
            HostEntry(host, f"site{number}", "C1", "connected", frozenset())
            for number, side in enumerate(sides, 1)
            for host in side
        ]

    def _settings(self, name: str, besides: str) -> Path:
        path = self.folder / f"{name}.toml"
        path.write_text(self._config + besides, encoding="utf-8")
        return path


@asynccontextmanager
async def watch_night(stage: Stage, size: Size, *, unfenced: bool = False) -> AsyncIterator[WatchNight]:
    """The night, and none of it afterwards."""
    folder = stage.new_folder()
    async with AsyncExitStack() as stack:
        slack, pager = SlackPlayer(manifest=MANIFEST), PagerDutyPlayer()
        for player in (slack, pager):
            await player.start()
            stack.push_async_callback(player.stop)
        redis = stack.enter_context(own_redis(folder / "valkey"))
        store = await stack.enter_async_context(connect(redis.url))
        night = WatchNight(stage, size, store, redis, slack, pager, folder, unfenced)
        await night.begin()
        stack.push_async_callback(night.hosts.leave)
        try:
            yield night
        except BaseException:
            sys.stderr.write(night.log.read_text(encoding="utf-8")[-8000:])
            raise
        finally:
            for one in night.living:
                one.process.send_signal(signal.SIGKILL)


def _listens(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def _loss(gap: Gap) -> Loss:
    """Without times in its words: what was just before it."""
    host, found = gap.host.partition("/")[2], _BETWEEN.search(gap.reason)
    if not found:
        told = gap.seen_at.timestamp()
        return Loss(host, told - JUST_BEFORE, told)
    since, until = (_moment(clock, gap.seen_at) for clock in found.groups())
    return Loss(host, since, until + 1)  # of a second that had begun


def _moment(clock: str, near: datetime) -> float:
    """The last time before that moment at which clocks showed this."""
    told = datetime.combine(near.date(), datetime.strptime(clock, "%H:%M:%S").replace(tzinfo=UTC).timetz())
    return (told if told <= near + timedelta(seconds=1) else told - timedelta(days=1)).timestamp()


def _about(message: dict[str, Any]) -> dict[str, Any]:
    found = message.get("metadata") or {}
    return found.get("event_payload", {}) if found.get("event_type") == "coldmigrate_job" else {}


async def _sure(holds: Callable[[], Awaitable[bool]]) -> bool:
    """Not while Redis is away."""
    with suppress(OutsideError):
        return await holds()
    return False
