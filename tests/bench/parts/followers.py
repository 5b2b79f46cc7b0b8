"""Calls to vCenter a minute while one worker follows 10, 100 and 1,000 running relocations: they must not grow.

vCenter, worker and Valkey are processes of their own; the player counts the calls. The jobs are put into the queue as
running already, so that no start is measured. Every copy gains one percent in half a minute however many there are.
What a worker does beside following counts too: it reads the inventory every ten seconds, and two logs of each host
every two, which goes with the hosts that copy and not with the copies. So the hosts are the same in every round, and
what vCenter lets a host copy at a time (8) is lifted.

Run as a program, this is that vCenter: `python -m tests.bench.parts.followers WORLD FOLDER`.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from json import loads
from pathlib import Path
from time import monotonic
from typing import Any, Final

import aiohttp
from pyVim.connect import SmartStubAdapter
from pyVmomi import vim

from bot.jobs.port import NewJob
from bot.jobs.queue import RedisQueue, random_id
from bot.migration.facts import SiteSpec
from bot.migration.machine import Phase
from bot.migration.plan import Plan
from bot.migration.request import MigrationRequest, SiteName, VCenterName
from bot.operations.plan_migration import plan_migration
from bot.operations.record import ADOPTED, MIGRATE, Intent, op_base, with_intent, with_plan, with_request
from bot.operations.tools import Fleet
from bot.playground.vcenter import places
from bot.playground.vcenter.player import PLAYERS_FILE, main
from bot.store import embedded
from bot.store.client import connect
from bot.vsphere.vcenter import PyvmomiVCenter
from tests.bench.children import child
from tests.bench.figures import Figure
from tests.worlds import CONFIGURED_SITES

NAME: Final = "followers"

ROUNDS: Final = (10, 100, 1000)
MEASURED: Final = timedelta(seconds=30)
SETTLED: Final = timedelta(seconds=10)
PATIENCE: Final = timedelta(seconds=150)
MOST: Final = 1.5
POLL: Final = "WaitForUpdatesEx"
LOG_PAGE: Final = "BrowseDiagnosticLog"
EAST: Final = VCenterName("east")

COPIED: Final = 100 * 2**30
AT_ONCE: Final = 100
"""Jobs that are handed to the worker before it is looked whether it follows them."""

PERCENT_EVERY: Final = 30.0
ONE_COPY: Final = int(COPIED / 100 / PERCENT_EVERY * 8)  # bits per second

PLACES: Final = """\
seed = 7
[play]
noise_every = "1 h"
[[vcenters]]
name = "east"
[[sites]]
name = "site1"
vcenter = "east"
hosts = 2
datastores = [{ name = "ds-c1-01", capacity = "400 TiB", free = "200 TiB" }]
networks = ["VM Network"]
[[sites]]
name = "site2"
vcenter = "east"
hosts = 2
datastores = [{ name = "ds-c2-01", capacity = "400 TiB", free = "300 TiB" }]
networks = ["VM Network"]
[[links]]
between = ["site1", "site2"]
rate = "1 Gbit/s"
rtt = "0 ms"
"""
VM: Final = """\
[[vms]]
name = "web-{number:04}"
site = "site1"
disks = ["200 GiB thin 100 GiB"]
"""
CONFIG: Final = (
    """\
[vcenters.east]
url = "{url}"
user = "{user}"
password_env = "VCENTER_PASSWORD"
ca_file = "{ca_file}"
[worker]
concurrency = 1000
"""
    + CONFIGURED_SITES
    + """\
networks = {{ "VM Network" = "VM Network" }}
[[links]]
between = ["site1", "site2"]
"""
)


async def measure() -> list[Figure]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        valkey = stack.enter_context(embedded.start(folder / "valkey"))
        told = await stack.enter_async_context(playing_vcenter(folder))
        witness = Witness(await stack.enter_async_context(aiohttp.ClientSession()), told["control_url"])
        store = await stack.enter_async_context(connect(valkey.url))
        vcenter = PyvmomiVCenter(
            EAST, url=told["url"], user=told["user"], password=lambda: told["password"], ca_file=Path(told["ca_file"])
        )
        stack.push_async_callback(vcenter.close)
        running = Running(RedisQueue(store), witness, told, await plans(vcenter))
        worker = await stack.enter_async_context(worker_role(told, valkey.url, folder))
        taken = []
        for many in ROUNDS:
            await running.grow_to(many)
            taken.append(await one_round(worker, witness, many))
    return _figures(taken)


@asynccontextmanager
async def playing_vcenter(folder: Path) -> AsyncIterator[dict[str, str]]:
    """The world in a process of its own, and how it is reached."""
    world = folder / "world.toml"
    world.write_text(PLACES + "".join(VM.format(number=number) for number in range(ROUNDS[-1])), encoding="utf-8")
    async with child("vcenter", "tests.bench.parts.followers", str(world), str(folder), folder=folder):
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while not (folder / PLAYERS_FILE).exists():
                await asyncio.sleep(0.02)
        yield loads((folder / PLAYERS_FILE).read_text(encoding="utf-8"))["vcenters"]["east"]


@asynccontextmanager
async def worker_role(told: dict[str, str], redis_url: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`coldmigrate worker` as a child process."""
    config = folder / "coldmigrate.toml"
    config.write_text(CONFIG.format(**told), encoding="utf-8")
    environment = {"VCENTER_PASSWORD": told["password"], "REDIS_URL": redis_url}
    words = ("worker", "--config", str(config))
    async with child("worker", "bot", *words, folder=folder, environment=environment) as process:
        yield process


async def plans(vcenter: PyvmomiVCenter) -> list[Plan]:
    """An approved plan for every VM: made by the product for one of them, and the same for its sisters."""
    sites = {
        site.name: site for site in (_site("site1", "DC1", "C1", "ds-c1-01"), _site("site2", "DC2", "C2", "ds-c2-01"))
    }
    lines = await vcenter.list_vms()
    fleet = Fleet({EAST: vcenter}, sites)
    pattern = await plan_migration(fleet, MigrationRequest(lines[0].ref, SiteName("site2")))
    return [replace(pattern, request=replace(pattern.request, vm=line.ref)) for line in lines]


def _site(name: str, datacenter: str, cluster: str, datastore: str) -> SiteSpec:
    networks = {"VM Network": "VM Network"}
    return SiteSpec(SiteName(name), EAST, datacenter, cluster, None, datastore, None, networks)


@dataclass(slots=True)
class Witness:
    """The player's control port."""

    http: aiohttp.ClientSession
    url: str

    async def calls(self) -> Counter[str]:
        """How often each method was called so far."""
        async with self.http.get(f"{self.url}/calls") as answer:
            return Counter(await answer.json())

    async def widen_link(self, copies: int) -> None:
        """Have so many copies gain a percent in half a minute each."""
        order = {"between": ["site1", "site2"], "rate": ONE_COPY * copies}
        async with self.http.post(f"{self.url}/link", json=order) as answer:
            answer.raise_for_status()


@dataclass(slots=True)
class Running:
    """The relocations that run, and their jobs."""

    queue: RedisQueue
    witness: Witness
    told: dict[str, str]
    plans: Sequence[Plan]
    begun: int = 0

    async def grow_to(self, many: int) -> None:
        """Start relocations until so many run, and hand them to the worker; returns once it follows them all."""
        print(f"{NAME}: {many} relocations", file=sys.stderr)
        await self.witness.widen_link(many)
        more = self.plans[self.begun : many]
        tasks = await asyncio.to_thread(begin_relocations, self.told, [plan.request.vm.uuid for plan in more])
        self.begun = many
        async with asyncio.timeout(PATIENCE.total_seconds()):
            for at in range(0, len(more), AT_ONCE):
                await self._hand_over(more[at : at + AT_ONCE], tasks[at : at + AT_ONCE])
        await asyncio.sleep(SETTLED.total_seconds())

    async def _hand_over(self, plans: Sequence[Plan], tasks: Sequence[str]) -> None:
        now, jobs = await self.queue.now(), [random_id() for _ in plans]
        for job, plan, task in zip(jobs, plans, tasks, strict=True):
            intent = Intent(f"{op_base(job)}-a1", "a session that is gone", now, now)
            data = {**with_request(plan.request), **with_plan(plan), **with_intent(intent), **ADOPTED, "task": task}
            new = NewJob(MIGRATE, plan.request.vm.key, "U0BENCH", "C0BENCH", data)
            assert await self.queue.adopt(job, new, state=Phase.ATTACHED, attempt=1, why="it runs already")
        for job in jobs:
            while (found := await self.queue.get(job)) is None or "copied" not in found.data:
                await asyncio.sleep(0.2)


def begin_relocations(told: dict[str, str], uuids: Sequence[str]) -> list[str]:
    """Start the relocation of these VMs; returns their tasks. Blocks."""
    context = ssl.create_default_context(cafile=told["ca_file"])
    port = int(told["url"].rpartition(":")[2])
    stub: Any = SmartStubAdapter(host="127.0.0.1", port=port, sslContext=context)  # type: ignore[no-untyped-call]
    content: Any = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()
    content.sessionManager.Login(told["user"], told["password"], None)
    find = content.searchIndex.FindByInventoryPath
    hosts, folder = find("DC2/host/C2").host, find("DC2/vm")
    spec = vim.vm.RelocateSpec(
        host=hosts[0], pool=hosts[0].parent.resourcePool, folder=folder, datastore=hosts[0].datastore[0]
    )
    by_uuid = content.searchIndex.FindByUuid
    tasks = [by_uuid(None, uuid, True, True).RelocateVM_Task(spec)._moId for uuid in uuids]
    content.sessionManager.Logout()
    stub.DropConnections()
    return tasks


@dataclass(frozen=True, slots=True)
class Taken:
    """What one round took: calls a minute by method, and the worker's CPU."""

    many: int
    a_minute: Counter[str]
    cores: float

    @property
    def all(self) -> int:
        return self.a_minute.total()

    @property
    def without_logs(self) -> int:
        return self.all - self.a_minute[LOG_PAGE]


async def one_round(worker: asyncio.subprocess.Process, witness: Witness, many: int) -> Taken:
    """Count for a while."""
    before, cpu, began = await witness.calls(), cpu_seconds(worker.pid), monotonic()
    await asyncio.sleep(MEASURED.total_seconds())
    calls, passed = await witness.calls() - before, monotonic() - began
    a_minute = Counter({method: round(count * 60 / passed) for method, count in calls.items()})
    print(f"{NAME}: {many}: {dict(a_minute.most_common())}", file=sys.stderr)
    return Taken(many, a_minute, (cpu_seconds(worker.pid) - cpu) / passed)


def cpu_seconds(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # fields 14 and 15 of proc(5)


def _figures(taken: Sequence[Taken]) -> list[Figure]:
    few, most = taken[0], taken[-1]
    return [
        *(Figure(name=f"{NAME}.calls a minute.{t.many}", value=t.all, unit="calls") for t in taken),
        Figure(name=f"{NAME}.{most.many} against {few.many}", value=most.all / few.all, unit="times the calls").below(
            MOST
        ),
        *(Figure(name=f"{NAME}.without logs.{t.many}", value=t.without_logs, unit="calls a minute") for t in taken),
        *(Figure(name=f"{NAME}.polls.{t.many}", value=t.a_minute[POLL], unit="calls a minute") for t in taken),
        *(Figure(name=f"{NAME}.worker.{t.many}", value=t.cores, unit="cores") for t in taken),
    ]


if __name__ == "__main__":
    places.PER_HOST = ROUNDS[-1]
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
