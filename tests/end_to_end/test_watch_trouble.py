"""What a watch does while Redis, or vCenter, is away: it goes on where it was, loses nothing of files, and says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import settings as config
from bot.compose_watch import WatchRole, watch_role
from bot.errors import OutsideError
from bot.hostlog.line import Gap
from bot.incidents.kept import RedisIncidents
from bot.logs.stream import RedisWatchedLines
from bot.store import keys
from bot.store.client import connect
from bot.vsphere.port import HostEntry
from bot.vsphere.roll_kept import encoded
from tests.chaos.own_redis import own_redis
from tests.ports import free_port

FILED, SENT, PEER = (f"esx-{number:02}.example.net" for number in (1, 2, 3))
LEASE = timedelta(seconds=1)
PATIENCE = 30.0
CONFIG = """
[vcenters.east]
url = "https://127.0.0.1:{nowhere}"
user = "coldmigrate"
password_env = "PASSWORD"
[sites.site1]
vcenter = "east"
datacenter = "DC1"
cluster = "C1"
datastore = "ds"
[watch]
logs = ["vpxa"]
[syslog]
address = "127.0.0.1"
tcp = {port}
[[sources]]
kind = "files"
hosts = ["{filed}"]
path = "{folder}/{{host}}-{{log}}.log"
"""
DYING = (
    "[Originator@6876 sub=Libs opID={op}-5c] [NFC ERROR] NfcNetTcpWrite: bWritten: -1",
    "[Originator@6876 sub=vpxNfcClient opID={op}-5c] [VpxNfcClient] File transfer  failed: Failed to send to {peer}",
)


class Site:
    """Two watchers of two hosts, one with files and one that sends; their vCenter is away from the start."""

    def __init__(self, folder: Path, url: str, roles: list[WatchRole]) -> None:
        self.folder, self.url, self.roles = folder, url, roles
        self.died: set[str] = set()

    def dies_in_a_file(self, op: str) -> None:
        with (self.folder / f"{FILED}-vpxa.log").open("a", encoding="ascii") as file:
            file.writelines(f"{stamp()} error vpxa[2098914] {text}\n" for text in self._texts(op))

    async def dies_over_syslog(self, op: str, watcher: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", self.roles[watcher].ports["tcp"])
        lines = (f"<166>{stamp()} {SENT} Vpxa: error vpxa[2098914] {text}\n" for text in self._texts(op))
        writer.write("".join(lines).encode())
        writer.close()
        await writer.wait_closed()

    async def all_counted(self) -> None:
        """Once every copy that died is in an incident, each in one, with all its lines."""
        async with asyncio.timeout(PATIENCE):
            while await self._counted() != {f"op {op.casefold()}": len(DYING) for op in self.died}:
                await asyncio.sleep(0.05)

    async def gaps(self) -> list[str]:
        async with connect(self.url) as store:
            entries = await RedisWatchedLines(store).read("0-0", within=LEASE, limit=10_000)
        return [item.reason for entry in entries for item in entry.items if isinstance(item, Gap)]

    async def _counted(self) -> dict[str, int]:
        with suppress(OutsideError):
            async with connect(self.url) as store:
                cases = await RedisIncidents(store).live()
            return {name: lines for case in cases for name, lines in case.incident.failures.items()}
        return {}

    def _texts(self, op: str) -> list[str]:
        self.died.add(op)
        return [text.format(op=op, peer=PEER) for text in DYING]


def stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture
def redis(tmp_path):
    with own_redis(tmp_path / "valkey") as server:
        yield server


@asynccontextmanager
async def site(folder: Path, url: str) -> AsyncIterator[Site]:
    (folder / f"{FILED}-vpxa.log").touch()
    async with connect(url) as store:
        entries = [HostEntry(name, "DC1", "C1", "connected", frozenset()) for name in (FILED, SENT, PEER)]
        await store.set(keys.inventory_hosts("east"), encoded(entries))
    async with watching(folder, url) as first, watching(folder, url) as second:
        this = Site(folder, url, [first, second])
        async with asyncio.timeout(PATIENCE), connect(url) as store:
            while not await store.execute_command("HGET", keys.JUDGE, "after"):
                await asyncio.sleep(0.05)
        yield this


@asynccontextmanager
async def watching(folder: Path, url: str) -> AsyncIterator[WatchRole]:
    port = free_port()
    path = folder / f"{port}.toml"
    path.write_text(CONFIG.format(nowhere=free_port(), port=port, filed=FILED, folder=folder), encoding="utf-8")
    settings = config.load(path, {"PASSWORD": "nobody asks", "REDIS_URL": url})
    async with watch_role(settings, lease=LEASE) as role:
        running = asyncio.create_task(role.run())
        yield role
        assert not running.done(), running.exception()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_hosts_are_watched_though_vcenter_is_away_since_before_the_start(tmp_path, redis):
    async with site(tmp_path, redis.url) as watch:
        watch.dies_in_a_file("00000001-0000024D")
        await watch.dies_over_syslog("00000002-0000024D", 0)
        await watch.all_counted()
        assert await watch.gaps() == []


async def test_what_dies_while_redis_is_away_is_counted_when_it_is_back(tmp_path, redis):
    """Away for more than a lease: nobody holds anything any more, and nobody is thought dead for that."""
    async with site(tmp_path, redis.url) as watch:
        for watcher in (0, 1):
            await watch.dies_over_syslog(f"0000001{watcher}-0000024D", watcher)
        watch.dies_in_a_file("00000012-0000024D")
        await watch.all_counted()
        redis.kill()
        watch.dies_in_a_file("00000021-0000024D")
        for watcher in (0, 1):
            await watch.dies_over_syslog(f"0000002{watcher + 2}-0000024D", watcher)
        await asyncio.sleep(2.5 * LEASE.total_seconds())
        watch.dies_in_a_file("00000024-0000024D")
        redis.come_back()
        await watch.all_counted()
        await asyncio.sleep(1.5 * LEASE.total_seconds())
        assert [gap for gap in await watch.gaps() if "died" in gap] == []
