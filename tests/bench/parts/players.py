"""What the played vCenter costs by itself: 50 hosts, 2,000 VMs, 20 migrations under way, and the product's own reading.

The player is a process of its own; its CPU seconds per second of the clock are told, threads and all. The load is that
of the product: 20 tasks followed by one long poll, vpxa and hostd of 40 hosts read every two seconds, the inventory
read every ten. A bench of the product is worth something only while the player is not what it measures.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Final

from pyVim.connect import SmartStubAdapter
from pyVmomi import vim

from bot.migration.request import VCenterName
from bot.playground.vcenter.player import PLAYERS_FILE
from bot.vsphere.vcenter import PyvmomiVCenter
from tests.bench.children import child
from tests.bench.figures import Figure, percentile

NAME: Final = "players"

HOSTS: Final = 25  # per site
VMS: Final = 2000
MIGRATIONS: Final = 20
QUIET: Final = timedelta(seconds=8)
MEASURED: Final = timedelta(seconds=25)
LOGS: Final = ("vpxa", "hostd")
POLL: Final = 2.0
PAGE: Final = 500
INVENTORY: Final = 10.0
LIMIT: Final = 0.5
PATIENCE: Final = timedelta(seconds=60)

PLACES: Final = f"""\
seed = 7
[[vcenters]]
name = "east"
[[sites]]
name = "site1"
vcenter = "east"
hosts = {HOSTS}
datastores = [{{ name = "ds-c1-01", capacity = "400 TiB", free = "200 TiB" }}]
[[sites]]
name = "site2"
vcenter = "east"
hosts = {HOSTS}
datastores = [{{ name = "ds-c2-01", capacity = "400 TiB", free = "300 TiB" }}]
[[links]]
between = ["site1", "site2"]
rate = "170 Gbit/s"
"""
VM: Final = """\
[[vms]]
name = "web-{number:04}"
site = "{site}"
disks = ["200 GiB thin 100 GiB"]
"""
# At that rate each of the 20 gains about one percent a second, faster than a real one ever does.


async def measure() -> list[Figure]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        began = monotonic()
        process, told = await stack.enter_async_context(playing(folder))
        started = monotonic() - began
        quiet = await cores(process, QUIET)
        tasks = await asyncio.to_thread(begin_migrations, told)
        client = PyvmomiVCenter(
            VCenterName("east"), url=told["url"], user=told["user"], password=lambda: told["password"],
            ca_file=Path(told["ca_file"]),
        )  # fmt: skip
        stack.push_async_callback(client.close)
        load = Load(client)
        async with load.on(tasks):
            await load.standing()
            busy = await cores(process, MEASURED)
        memory = _resident(process.pid)
    print(f"players: {load.pages} pages, {load.news} task updates, {load.inventories} inventories", file=sys.stderr)
    return [
        Figure(name="players.cores", value=busy, unit="cores").below(LIMIT),
        Figure(name="players.cores at rest", value=quiet, unit="cores"),
        Figure(name="players.log page p99", value=percentile(load.waits, 0.99) * 1000, unit="ms"),
        Figure(name="players.start", value=started, unit="s"),
        Figure(name="players.memory", value=memory, unit="MB"),
    ]


@asynccontextmanager
async def playing(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, str]]]:
    """The world in a process of its own, and how it is reached."""
    world = folder / "world.toml"
    vms = (VM.format(number=number, site=f"site{number % 2 + 1}") for number in range(VMS))
    world.write_text(PLACES + "".join(vms), encoding="utf-8")
    async with child("vcenter", "tests.bench.played_vcenter", str(world), str(folder), folder=folder) as process:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while not (folder / PLAYERS_FILE).exists():
                await asyncio.sleep(0.02)
        yield process, json.loads((folder / PLAYERS_FILE).read_text(encoding="utf-8"))["vcenters"]["east"]


def begin_migrations(told: dict[str, str]) -> list[str]:
    """Start 20 relocations between 20 pairs of hosts; returns their tasks. Blocks."""
    context = ssl.create_default_context(cafile=told["ca_file"])
    port = int(told["url"].rpartition(":")[2])
    stub: Any = SmartStubAdapter(host="127.0.0.1", port=port, sslContext=context)  # type: ignore[no-untyped-call]
    content: Any = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()
    content.sessionManager.Login(told["user"], told["password"], None)
    find = content.searchIndex.FindByInventoryPath
    here, there = find("DC1/host/C1").host, find("DC2/host/C2").host
    pool, folder, store = there[0].parent.resourcePool, find("DC2/vm"), there[0].datastore[0]
    spec = vim.vm.RelocateSpec
    tasks = [
        here[number].vm[0].RelocateVM_Task(spec(host=there[number], pool=pool, folder=folder, datastore=store))._moId
        for number in range(MIGRATIONS)
    ]
    stub.DropConnections()
    return tasks


@dataclass(slots=True)
class Load:
    """The product's reading: tasks, logs, inventory. `waits` are the seconds that a page of a log took."""

    client: PyvmomiVCenter
    waits: list[float] = field(default_factory=list)
    pages: int = 0
    news: int = 0
    inventories: int = 0
    _first: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def on(self, tasks: Sequence[str]) -> AsyncIterator[None]:
        """Read while the block runs."""
        hosts = [f"esx-site{site}-{number:02}.example.net" for site in (1, 2) for number in range(1, MIGRATIONS + 1)]
        async with asyncio.TaskGroup() as group:
            readers = [group.create_task(self._follow(task)) for task in tasks]
            readers += [group.create_task(self._tail(host, log)) for host in hosts for log in LOGS]
            readers.append(group.create_task(self._list()))
            yield
            for reader in readers:
                reader.cancel()

    async def standing(self) -> None:
        """Until the inventory was read once, which is the longest of the first answers."""
        async with asyncio.timeout(PATIENCE.total_seconds()):
            await self._first.wait()

    async def _follow(self, task: str) -> None:
        async for _ in self.client.follow(task):
            self.news += 1

    async def _tail(self, host: str, log: str) -> None:
        start = await self.client.last_line(host, log) + 1
        while True:
            began = monotonic()
            _, lines = await self.client.read(host, log, start=start, lines=PAGE)
            self.waits.append(monotonic() - began)
            self.pages += 1
            start += len(lines)
            await asyncio.sleep(POLL)

    async def _list(self) -> None:
        while True:
            await self.client.list_vms()
            self.inventories += 1
            self._first.set()
            await asyncio.sleep(INVENTORY)


async def cores(process: asyncio.subprocess.Process, time: timedelta) -> float:
    """CPU seconds of a process per second, over a stretch of time."""
    before, began = _cpu_seconds(process.pid), monotonic()
    await asyncio.sleep(time.total_seconds())
    return (_cpu_seconds(process.pid) - before) / (monotonic() - began)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    user, system = int(fields[11]), int(fields[12])  # fields 14 and 15 of proc(5)
    return (user + system) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 10**6
