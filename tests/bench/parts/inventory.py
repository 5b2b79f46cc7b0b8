"""An inventory of 20,000 VMs: read by a worker, published in Redis, and searched by a bot while VMs change.

Reading is set beside attribute access as scripts do it, over 500 of the VMs and scaled to all; the played vCenter and
its client are processes of their own, so what the player itself takes is told apart. Then a worker as it is shipped
keeps the inventory, 50 VMs a second are switched on or off, and a process with the bot's inventory answers what people
type, in an open loop. Here it is measured how long a change takes until it is found.

Run as a program, this is the client that reads: `python -m tests.bench.parts.inventory VCENTER`.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import monotonic, process_time
from typing import Any, Final, NamedTuple

import aiohttp
from pyVim.connect import SmartStubAdapter
from pyVmomi import vim

from bot.playground.vcenter.player import PLAYERS_FILE
from bot.store import embedded
from bot.store.client import connect
from bot.vsphere.inventory_store import RedisInventory
from bot.vsphere.inventory_watch import InventoryWatch
from bot.vsphere.session import Reader
from bot.vsphere.wire import Endpoint, Trust
from tests.bench.children import child
from tests.bench.figures import Figure, percentile
from tests.bench.open_loop import open_loop
from tests.bench.parts.followers import cpu_seconds, worker_role
from tests.bench.typing_bot import EAST, VMS, peak_of, vm_name

NAME: Final = "inventory"
HERE: Final = "tests.bench.parts.inventory"
TYPING: Final = "tests.bench.typing_bot"

SAMPLE: Final = 500
CHANGES: Final = 50.0
MEASURED: Final = timedelta(seconds=20)
PATIENCE: Final = timedelta(seconds=120)
FASTER: Final = 20
LIMIT: Final = 50.0
STALL: Final = 20.0
FRESH: Final = 3.0
PING: Final = "a PING to Redis from a process beside it"
MOST_MEMORY: Final = {"read": 60.0, "worker": 200.0, "bot": 40.0}
"""MB: what a process may take for reading everything, a whole worker, and what a bot may take beyond an empty one."""

FOLDERS: Final = ("Web", "Mail", "Data")

PLACES: Final = """\
seed = 7
[play]
history_lines = 0
noise_every = "1 h"
[[vcenters]]
name = "east"
[[sites]]
name = "site1"
vcenter = "east"
hosts = 20
folders = ["Web", "Mail", "Data"]
datastores = [{ name = "ds-c1-01", capacity = "4000 TiB", free = "3000 TiB" }]
"""
VM: Final = """\
[[vms]]
name = "{name}"
site = "site1"
folder = "{folder}"
"""


async def measure() -> list[Figure]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        vcenter, told = await stack.enter_async_context(playing_vcenter(folder))
        reading = await _read(vcenter, told, folder)
        valkey = stack.enter_context(embedded.start(folder / "valkey"))
        worker = await stack.enter_async_context(worker_role(told, valkey.url, folder))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        store = await stack.enter_async_context(connect(valkey.url))
        inventory = RedisInventory(store, [EAST])
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while await inventory.age() is None:
                await asyncio.sleep(0.05)
        await inventory.find(vm_name(0))
        _say("typing while VMs change")
        before, began = [cpu_seconds(process.pid) for process in (worker, vcenter)], monotonic()
        typed, seen = await _under_change(Changer(http, told["control_url"]), inventory, valkey.url, folder)
        passed = monotonic() - began
        cores = [(cpu_seconds(p.pid) - cpu) / passed for p, cpu in zip((worker, vcenter), before, strict=True)]
        memory = peak_of(worker.pid)
    return [*reading, *_figures(typed, seen, memory), *_load(*cores)]


@asynccontextmanager
async def playing_vcenter(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, str]]]:
    """The world in a process of its own, and how it is reached."""
    world = folder / "world.toml"
    vms = (VM.format(name=vm_name(number), folder=FOLDERS[number % 3]) for number in range(VMS))
    world.write_text(PLACES + "".join(vms), encoding="utf-8")
    words = (str(world), str(folder))
    async with child("vcenter", "tests.bench.played_vcenter", *words, folder=folder) as process:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while not (folder / PLAYERS_FILE).exists():
                await asyncio.sleep(0.02)
        yield process, json.loads((folder / PLAYERS_FILE).read_text(encoding="utf-8"))["vcenters"]["east"]


# ---- reading everything


async def _read(vcenter: asyncio.subprocess.Process, told: dict[str, str], folder: Path) -> list[Figure]:
    _say(f"reading {VMS:,} VMs")
    before = cpu_seconds(vcenter.pid)
    ours = await _outcome(HERE, json.dumps(told), folder=folder)
    players = cpu_seconds(vcenter.pid) - before
    _say(f"attribute access to {SAMPLE} of them")
    before = cpu_seconds(vcenter.pid)
    naive, naive_cpu = await asyncio.to_thread(_by_attributes, told)
    naive_players = (cpu_seconds(vcenter.pid) - before) * VMS / SAMPLE
    peer = f"attribute access to {SAMPLE}, times {VMS // SAMPLE}"
    return [
        Figure(name=f"{NAME}.read", value=ours["seconds"], unit="s").against(peer, naive).below(naive / FASTER),
        Figure(name=f"{NAME}.read.own CPU", value=ours["cpu"], unit="s").against(peer, naive_cpu),
        Figure(name=f"{NAME}.read.the player's CPU", value=players, unit="s").against(peer, naive_players),
        Figure(name=f"{NAME}.read.memory for it", value=ours["grown"], unit="MB").below(MOST_MEMORY["read"]),
    ]


def _by_attributes(told: dict[str, str]) -> tuple[float, float]:
    """Read what a row has by the attributes of some VMs, each kept where it is used twice; returns seconds for all."""
    context = ssl.create_default_context(cafile=told["ca_file"])
    port = int(told["url"].rpartition(":")[2])
    stub: Any = SmartStubAdapter(host="127.0.0.1", port=port, sslContext=context)  # type: ignore[no-untyped-call]
    content: Any = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()  # type: ignore[no-untyped-call]
    content.sessionManager.Login(told["user"], told["password"], None)
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    vms = view.view[:SAMPLE]
    began, cpu = monotonic(), process_time()
    rows = [_row(vm) for vm in vms]
    seconds, cpu = monotonic() - began, process_time() - cpu
    assert len({row[0] for row in rows}) == SAMPLE
    content.sessionManager.Logout()
    stub.DropConnections()
    return seconds * VMS / SAMPLE, cpu * VMS / SAMPLE


def _row(vm: Any) -> tuple[str, ...]:
    runtime, above, steps, site = vm.runtime, vm.parent, [vm.name], ""
    while above is not None:
        steps.append(above.name)
        site = steps[-1] if isinstance(above, vim.Datacenter) else site
        above = above.parent
    return vm.config.instanceUuid, steps[0], "/".join(reversed(steps)), runtime.host.name, site, runtime.powerState


def watch(told: dict[str, str]) -> dict[str, float]:
    """Read all there is as a worker does, in a process that does nothing else."""
    trust = Trust(Path(told["ca_file"]))
    reader = Reader(Endpoint(EAST, told["url"], told["user"], lambda: told["password"], trust))
    reader.open()
    before, began, cpu = peak_of("self"), monotonic(), process_time()
    rows = InventoryWatch(reader).begin().rows
    taken = {"seconds": monotonic() - began, "cpu": process_time() - cpu, "grown": peak_of("self") - before}
    assert len(rows) == VMS
    reader.close()
    return taken


# ---- answering while VMs change


class Change(NamedTuple):
    """Seconds that the player took to make a change, and that it took from then until it was found."""

    made: float
    found: float


@dataclass(slots=True)
class Changer:
    """Somebody at the consoles of VMs."""

    http: aiohttp.ClientSession
    url: str

    async def __call__(self, number: int) -> None:
        """Switch a VM on, or off the next time round."""
        name, on = vm_name(number * 7 % VMS), number * 7 // VMS % 2 == 0
        async with self.http.post(f"{self.url}/power", json={"vm": name, "on": on}) as answer:
            answer.raise_for_status()


async def _under_change(
    change: Changer, inventory: RedisInventory, redis_url: str, folder: Path
) -> tuple[dict[str, Any], list[Change]]:
    """What the typing process says, and how long changes took."""
    count = int(MEASURED.total_seconds() * CHANGES)
    async with asyncio.TaskGroup() as group:
        typing = group.create_task(_outcome(TYPING, redis_url, "type", folder=folder))
        pinging = group.create_task(_outcome(TYPING, redis_url, "ping", folder=folder))
        changing = group.create_task(open_loop(change, per_second=CHANGES, count=count))
        seen: list[Change] = []
        while not changing.done():
            seen.append(await _until_seen(change, inventory, number=VMS - 1 - len(seen)))
    return {**typing.result(), "pings": pinging.result()["latencies"]}, seen


async def _until_seen(change: Changer, inventory: RedisInventory, *, number: int) -> Change:
    """Switch on one that nobody else touches, and wait until that is found."""
    ordered = monotonic()
    async with change.http.post(f"{change.url}/power", json={"vm": vm_name(number), "on": True}) as answer:
        answer.raise_for_status()
    made = monotonic()
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while (await inventory.find(vm_name(number)))[0].power != "poweredOn":
            await asyncio.sleep(0.05)
    return Change(made - ordered, monotonic() - made)


def _figures(typed: dict[str, Any], seen: list[Change], worker: float) -> list[Figure]:
    found = [one.found for one in seen]
    latencies, busy = typed["latencies"], typed["busy"]
    late, ping = percentile(typed["generator"], 0.99), partial(percentile, typed["pings"])
    return [
        Figure(name=f"{NAME}.type-ahead.p50", value=percentile(latencies, 0.5), unit="ms").against(PING, ping(0.5)),
        Figure(name=f"{NAME}.type-ahead.p99", value=percentile(latencies, 0.99), unit="ms")
        .against(PING, ping(0.99))
        .below(LIMIT),
        Figure(name=f"{NAME}.type-ahead.generator late p99", value=late, unit="ms"),
        Figure(name=f"{NAME}.type-ahead.empty", value=typed["empty"], unit=f"of {len(latencies)} answers").none(),
        Figure(name=f"{NAME}.loop busy p99", value=percentile(busy, 0.99), unit="ms").below(STALL),
        Figure(name=f"{NAME}.loop busy at most", value=max(busy), unit="ms"),
        Figure(name=f"{NAME}.loop busy at most, reading all", value=typed["loading"], unit="ms"),
        Figure(name=f"{NAME}.change until found p50", value=percentile(found, 0.5), unit="s"),
        Figure(name=f"{NAME}.change until found, longest of {len(seen)}", value=max(found), unit="s").below(FRESH),
        Figure(name=f"{NAME}.change in the player p50", value=percentile([one.made for one in seen], 0.5), unit="s"),
        Figure(name=f"{NAME}.memory of a bot for it", value=typed["grown"], unit="MB").below(MOST_MEMORY["bot"]),
        Figure(name=f"{NAME}.memory of a worker at most", value=worker, unit="MB").below(MOST_MEMORY["worker"]),
    ]


def _load(worker: float, player: float) -> list[Figure]:
    return [
        Figure(name=f"{NAME}.worker while VMs change", value=worker, unit="cores"),
        Figure(name=f"{NAME}.the player while VMs change", value=player, unit="cores"),
    ]


# ---- processes


async def _outcome(module: str, *words: str, folder: Path) -> dict[str, Any]:
    """What a process says in the end."""
    async with child(
        "-".join((module, *words[1:])), module, *words, folder=folder, stdin=asyncio.subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        async with asyncio.timeout(PATIENCE.total_seconds()):
            said = await process.stdout.read(2**20)
            while not said.endswith(b"\n"):
                said += await process.stdout.read(2**20)
        found: dict[str, Any] = json.loads(said)
    return found


def _say(words: str) -> None:
    print(f"{NAME}: {words}", file=sys.stderr)


if __name__ == "__main__":
    print(json.dumps(watch(json.loads(sys.argv[1]))), flush=True)
    sys.stdin.read()  # until whoever asked has read that
