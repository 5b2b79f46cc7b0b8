"""What a plan costs in round trips, and what that means over a WAN: ours beside attribute access as scripts do it.

Both read the VM, its host, the target site with its hosts, datastores, networks and the VMs in the way; ours also asks
for privileges and lets vCenter check the move. Calls are counted by the played vCenter, whose wire is made longer.
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Final

from pyVim.connect import SmartStubAdapter
from pyVmomi import vim

from bot.migration.facts import SiteSpec
from bot.migration.planning import make_plan
from bot.migration.request import MigrationRequest, SiteName, VCenterName
from bot.playground.vcenter.player import VCenterPlayer, play_world
from bot.playground.world import parse_world
from bot.vsphere.vcenter import PyvmomiVCenter
from tests.bench.distance import far_away
from tests.bench.figures import Figure

NAME: Final = "plan"

HOSTS: Final = 8
VMS: Final = 300
ROUND_TRIP: Final = timedelta(milliseconds=20)
MOST: Final = 12
NAIVE: Final = "attribute access"
SITE: Final = SiteSpec(SiteName("site2"), VCenterName("east"), "DC2", "C2", None, "ds-c2-01", "Web", {})

WORLD: Final = f"""\
seed = 7
[play]
history_lines = 0
noise_every = "1 h"
[[vcenters]]
name = "east"
[[sites]]
name = "site1"
vcenter = "east"
hosts = {HOSTS}
[[sites]]
name = "site2"
vcenter = "east"
hosts = {HOSTS}
folders = ["Web"]
datastores = [{{ name = "ds-c2-01", capacity = "400 TiB", free = "200 TiB" }}]
[[links]]
between = ["site1", "site2"]
[[vms]]
name = "web01"
site = "site1"
"""
NEIGHBOUR: Final = """\
[[vms]]
name = "web-{number:04}"
site = "site2"
folder = "{folder}"
power = "{power}"
"""


async def measure() -> list[Figure]:
    neighbours = (
        NEIGHBOUR.format(number=number, folder=("Web", "Mail")[number % 2], power=("on", "off")[number % 3 % 2])
        for number in range(VMS)
    )
    world = parse_world(WORLD + "".join(neighbours))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with await play_world(world, Path(folder)) as running:
            player = running["east"]
            async with far_away(int(player.url.rpartition(":")[2]), ROUND_TRIP) as port:
                calls, seconds = await _ours(player, port)
                naive_calls, naive_seconds = await _naive(player, port)
    milliseconds = round(ROUND_TRIP.total_seconds() * 1000)
    return [
        Figure(name="plan.round trips", value=calls, unit="calls").against(NAIVE, naive_calls).below(MOST + 1),
        Figure(name=f"plan.time at {milliseconds} ms", value=seconds, unit="s").against(NAIVE, naive_seconds),
    ]


async def _ours(player: VCenterPlayer, port: int) -> tuple[int, float]:
    client = PyvmomiVCenter(
        VCenterName("east"), url=f"https://127.0.0.1:{port}", user=player.user, password=lambda: player.password,
        ca_file=player.ca_file,
    )  # fmt: skip
    try:
        (found,) = await client.find_vms("web01")
        return await _counted(player, lambda: _plan(client, found.ref.uuid))
    finally:
        await client.close()


async def _plan(client: PyvmomiVCenter, uuid: str) -> None:
    vm, site = await client.read_vm(uuid), await client.read_site(SITE)
    request = MigrationRequest(vm.ref, SITE.name)
    plan = make_plan(request, vm, site, source_site=SiteName("site1"))
    await client.missing_privileges(plan)
    await client.check_relocate(plan)


async def _naive(player: VCenterPlayer, port: int) -> tuple[int, float]:
    context = ssl.create_default_context(cafile=str(player.ca_file))
    session = await asyncio.to_thread(_log_in, port, context, player)
    (vm,) = player.estate.vms("web01")
    try:
        return await _counted(player, lambda: asyncio.to_thread(_by_attributes, session, vm.instance_uuid))
    finally:
        await asyncio.to_thread(session.sessionManager.Logout)


def _log_in(port: int, context: ssl.SSLContext, player: VCenterPlayer) -> Any:
    stub: Any = SmartStubAdapter(host="127.0.0.1", port=port, sslContext=context)  # type: ignore[no-untyped-call]
    content: Any = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()  # type: ignore[no-untyped-call]
    content.sessionManager.Login(player.user, player.password, None)
    return content


def _by_attributes(content: Any, uuid: str) -> dict[str, Any]:
    """Read what a plan needs by the attributes of managed objects, each kept in a variable where it is used twice."""
    vm = content.searchIndex.FindByUuid(None, uuid, True, True)
    config, runtime, layout = vm.config, vm.runtime, vm.layoutEx
    above, path = vm.parent, [vm.name]
    while above is not None:
        path.append(above.name)
        above = above.parent
    datacenter = next(one for one in content.rootFolder.childEntity if one.name == SITE.datacenter)
    cluster = next(one for one in datacenter.hostFolder.childEntity if one.name == SITE.cluster)
    folder = next(one for one in datacenter.vmFolder.childEntity if one.name == SITE.folder)
    return {
        "vm": (config, runtime, layout, path, vm.summary, vm.snapshot, vm.disabledMethod, vm.guest),
        "tasks": [task.info for task in vm.recentTask],
        "source": _host(runtime.host),
        "uses": [one.name for one in (*vm.datastore, *vm.network)],
        "hosts": [_host(host) for host in cluster.host],
        "pool": cluster.resourcePool,
        "datastores": [(store.summary, store.info) for store in datacenter.datastore],
        "networks": [(network.name, getattr(network, "config", None)) for network in datacenter.network],
        "names": [one.name for one in folder.childEntity],
    }


def _host(host: Any) -> tuple[Any, ...]:
    uses = [one.name for one in (*host.datastore, *host.network)]
    running = sum(vm.runtime.powerState == "poweredOn" for vm in host.vm)
    return host.name, host.summary, host.config.network, host.config.virtualNicManagerInfo, uses, running


async def _counted(player: VCenterPlayer, work: Callable[[], Awaitable[object]]) -> tuple[int, float]:
    """Do something; how many calls vCenter saw meanwhile, and how long it took."""
    before, began = sum(player.calls.values()), monotonic()
    await work()
    return sum(player.calls.values()) - before, monotonic() - began
