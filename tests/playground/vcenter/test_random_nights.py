"""Random nights in a small world: whatever is switched and moved, the books balance in the morning.

The dice are seeded, so a night that fails fails again. What happens is decided here and done by the player's switches
and by real pyvmomi clients.
"""

import asyncio
import random
from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
from pyVmomi import vim, vmodl

from bot.playground.vcenter.inventory import Datastore, Folder, Host, Vm
from bot.playground.vcenter.links import Closed
from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world

NIGHTS, STEPS = range(8), 40
SITES = {"site1": "east", "site2": "east", "site3": "west"}
PAIRS = [("site1", "site2"), ("site1", "site3"), ("site2", "site3")]
GIB = 2**30
WORLD = """
[play]
nfc_patience = "40 ms"
connect_patience = "40 ms"
session_idle = "1000 h"
task_retention = "1000 h"
history_lines = 0
noise_every = "1 h"
""" + "".join(
    f"""
[[vcenters]]
name = "{name}"
accounts = [{{ user = "svc@vsphere.local", password = "right" }}]
"""
    for name in ("east", "west")
) + "".join(
    f"""
[[sites]]
name = "{site}"
vcenter = "{vcenter}"
hosts = 2
provisioning = "interface"
routes = {[other for other in SITES if other != site]}
datastores = [
  {{ name = "{site}-a", capacity = "2 GiB", free = "1 GiB" }},
  {{ name = "{site}-b", capacity = "1 GiB", free = "100 MiB" }},
]
folders = ["A", "B"]
"""
    for site, vcenter in SITES.items()
) + "".join(
    f"""
[[links]]
between = ["{one}", "{other}"]
rate = "1 Gbit/s"
rtt = "0 ms"
"""
    for one, other in PAIRS
) + "".join(
    f"""
[[vms]]
name = "{name}"
site = "{site}"
folder = "{folder}"
disks = ["60 MiB thin {10 + 5 * number} MiB", "20 MiB"]
"""
    for site in SITES
    for number, (name, folder) in enumerate([("twin", "A"), ("twin", "B"), (f"{site}-x", ""), (f"{site}-y", "")])
)  # fmt: skip
SEEN = {
    vim.VirtualMachine: ["name", "parent", "runtime", "config.files", "datastore", "network", "resourcePool",
                         "recentTask", "summary.storage.committed"],
    vim.HostSystem: ["vm", "runtime"],
    vim.Datastore: ["vm", "summary"],
    vim.Network: ["vm"],
    vim.ResourcePool: ["vm"],
    vim.Folder: ["childEntity"],
}  # fmt: skip
PLACES = {
    vim.HostSystem: lambda vm: [vm.host],
    vim.Datastore: lambda vm: vm.datastores,
    vim.Network: lambda vm: vm.networks,
    vim.ResourcePool: lambda vm: [vm.pool],
    vim.Folder: lambda vm: [vm.parent],
}


class Poller:
    """Follows everything of one vCenter by updates alone. Blocks."""

    def __init__(self, client):
        self._client = client
        self._known, self._version = {}, ""
        self._collector = client.content.propertyCollector.CreatePropertyCollector()
        for kind, paths in SEEN.items():
            self._collector.CreateFilter(client.all_of(kind, paths), partialUpdates=True)

    def poll(self):
        wait = vmodl.query.PropertyCollector.WaitOptions(maxWaitSeconds=0)
        while (update := self._collector.WaitForUpdatesEx(self._version, wait)) is not None:
            self._version = update.version
            for thing in (thing for one in update.filterSet for thing in one.objectSet):
                if thing.kind == "leave":
                    del self._known[thing.obj._moId]
                values = self._known.setdefault(thing.obj._moId, {}) if thing.kind != "leave" else {}
                values.update({change.name: str(change.val) for change in thing.changeSet})

    def agrees(self):
        """Compare what the updates told with what a fresh read says."""
        self.poll()
        fresh = {
            thing._moId: {path: str(value) for path, value in values.items()}
            for kind, paths in SEEN.items()
            for thing, values in self._client.read(kind, paths)
        }
        for values in self._known.values():
            for path in [path for path, value in values.items() if value == "None"]:
                del values[path]
        assert self._known == fresh

    def sees(self, vms):
        """Compare who is said to be where with who is: the player remembers answers, and might forget to forget."""
        for kind, of in PLACES.items():
            there = {}
            for vm in vms:
                for place in of(vm):
                    there.setdefault(place.id, set()).add(vm.id)
            path = "childEntity" if kind is vim.Folder else "vm"
            for thing, values in self._client.read(kind, [path]):
                told = {found._moId for found in values.get(path, []) if isinstance(found, vim.VirtualMachine)}
                assert told == there.get(thing._moId, set()), thing


class Night:
    """What may happen, and who remembers what must be true in the morning."""

    def __init__(self, world, clients, dice):
        self.world, self.clients, self.dice = world, clients, dice
        self.universe = world["east"].estate.universe
        self.pollers = {name: Poller(client) for name, client in clients.items()}

    @property
    def players(self):
        return self.world.players.values()

    @property
    def stores(self):
        return [store for player in self.players for store in player.estate.inventory.each(Datastore)]

    # What somebody asks for; blocks.

    def relocate(self):
        name = self.dice.choice(list(self.clients))
        client, other = self.clients[name], self.clients["west" if name == "east" else "east"]
        known = [vm for vm in vms(self.world) if vm.home is self.world[name].estate.inventory]
        if not known:
            return
        vm = vim.VirtualMachine(self.dice.choice(known).id, client.stub)
        far = self.dice.random() < 0.3
        spec = self.spec(
            other if far else client, self.dice.choice([s for s, v in SITES.items() if (v != name) is far])
        )
        spec.service = self.service(other) if far else None
        try:
            client.relocate(vm, spec, op_id=f"cm-{self.dice.getrandbits(32):08x}-a1")
        except (vmodl.fault.InvalidArgument, vmodl.fault.ManagedObjectNotFound):
            return

    def spec(self, client, site):
        number = site[-1]
        host = self.dice.choice(client.find(f"DC{number}/host/C{number}").host)
        folder = self.dice.choice(["", "/A", "/B"])
        return vim.vm.RelocateSpec(
            host=host,
            pool=host.parent.resourcePool,
            folder=client.find(f"DC{number}/vm{folder}"),
            datastore=self.dice.choice(host.datastore),
            transform=self.dice.choice([None, None, "flat", "sparse"]),
        )

    def service(self, client):
        presence = next(p.estate.presence for p in self.players if p.url.endswith(str(client.stub.host.split(":")[-1])))
        return vim.ServiceLocator(
            instanceUuid=client.content.about.instanceUuid,
            url=presence.url,
            credential=vim.ServiceLocator.NamePassword(username="svc@vsphere.local", password="right"),
            sslThumbprint=presence.thumbprint,
        )

    def cancel(self):
        name = self.dice.choice(list(self.clients))
        running = [task for task in self.world[name].estate.tasks.recent() if not task.ended]
        if running:
            try:
                vim.Task(self.dice.choice(running).id, self.clients[name].stub).CancelTask()
            except vim.fault.InvalidState:
                return

    def look(self):
        for poller in self.pollers.values():
            poller.poll()

    # What happens to the world.

    def switch(self):
        name = self.dice.choice(list(self.world.players))
        player, on = self.world[name], self.dice.random() < 0.5
        host = self.dice.choice(player.hosts())
        store = self.dice.choice([store for store in self.stores if store.home is player.estate.inventory])
        pull, switches = self.dice, player.switches
        pair = pull.choice(PAIRS)
        pull.choice([
            partial(switches.set_link, *pair, loss=pull.choice([0.0, 0.001, 0.04])),
            partial(switches.set_link, *pair, rate=pull.choice([0, 10**8, 10**9, 10**10])),
            partial(switches.set_link, *pair, mtu=1400, pmtud=on),
            partial(switches.set_link, *pair, idle_timeout=timedelta(milliseconds=pull.choice([0, 5]))),
            partial(switches.block_port, *pair, port=pull.choice([902, 8000]), blocked=on, how=Closed.SILENT),
            partial(switches.block_port, *pair, port=902, blocked=on, how=Closed.REFUSED),
            partial(switches.set_site, pair[0], provisioning=pull.choice(["none", "interface", "stack"]), udt=on),
            partial(switches.set_host, host, connected=on),
            partial(switches.set_host, host, maintenance=on),
            partial(switches.set_datastore, store.name, accessible=on),
            partial(switches.fill_datastore, store.name, free=pull.choice([0, 5 * 2**20, 300 * 2**20, 5 * GIB])),
            partial(switches.restart_agent, host, pull.choice(["vpxa", "hostd"])),
            partial(switches.stop_nfcd, host, stopped=on),
            partial(switches.hang_authd, host, hanging=on),
            partial(switches.exhaust_nfc_memory, host, exhausted=on),
            partial(switches.advance_time, timedelta(seconds=pull.choice([0.1, 1, 20_000]))),
        ])()  # fmt: skip

    def mend(self):
        for player in self.players:
            for host in player.hosts():
                player.switches.set_host(host, connected=True, maintenance=False)
                player.switches.hang_authd(host, hanging=False)
        for pair in PAIRS:
            self.world["east"].switches.set_link(*pair, rate=10**11, loss=0.0)

    async def until_all_is_over(self):
        async with asyncio.timeout(10):
            for player in self.players:
                changes = player.estate.inventory.changes
                while any(not task.ended for task in player.estate.tasks.recent()):
                    await changes.wait(beyond=changes.revision, seconds=0.2)

    # What must be true in the morning.

    def balance(self, names):
        found = vms(self.world)
        assert Counter(vm.instance_uuid for vm in found) == names
        assert max(Counter((vm.datastore, vm.directory) for vm in found).values()) == 1
        for vm in found:
            assert vm in vm.home.each(Vm)
            assert vm.host.home is vm.parent.home is vm.datastore.home is vm.pool.home is vm.home
            assert vm.datastore in vm.host.datastores
            assert all(disk.datastore in vm.host.datastores for disk in vm.disks)
        in_folders = [child for p in self.players for f in p.estate.inventory.each(Folder) for child in f.children]
        assert Counter(id(thing) for thing in in_folders if isinstance(thing, Vm)) == Counter(id(vm) for vm in found)
        for store in self.stores:
            left = sum(orphan.size for orphan in store.orphans)
            assert store.free + held(found, store) + left + store.strangers == store.capacity, store.name
            assert min(store.free, store.strangers) >= 0, store.name

    def nothing_runs(self):
        assert self.universe.underway == set()
        assert [host.copying for p in self.players for host in p.estate.inventory.each(Host)] == [0] * 6
        links = [link for _, _, link in self.universe.links.each()]
        links += [self.universe.links.find(site, site) for site in SITES]
        assert [link.flows for link in links] == [0] * 6
        for player in self.players:
            outcomes = {record.task: record.outcome for record in player.relocations}
            ended = {task.id: task.fault.data.type if task.fault else "success" for task in player.estate.tasks.history}
            assert outcomes == ended


def vms(world):
    return [vm for player in world.players.values() for vm in player.estate.inventory.each(Vm)]


def held(found, store):
    return sum(file.size for vm in found for file in vm.files if file.datastore is store)


@pytest.mark.parametrize("seed", NIGHTS)
async def test_the_books_balance_in_the_morning(seed, tmp_path, client_of, in_thread):
    dice = random.Random(seed)
    async with await play_world(parse_world(WORLD), tmp_path) as world:
        clients = {name: await in_thread(client_of, player) for name, player in world.players.items()}
        night = await in_thread(Night, world, clients, dice)
        names = Counter(vm.instance_uuid for vm in vms(world))
        for _ in range(STEPS):
            step = dice.choice([night.relocate] * 3 + [night.cancel, night.switch, night.look])
            if step == night.switch:
                step()
            else:
                await in_thread(step)
        night.mend()
        await night.until_all_is_over()
        night.nothing_runs()
        night.balance(names)
        for name, poller in night.pollers.items():
            await in_thread(poller.agrees)
            await in_thread(poller.sees, list(world[name].estate.inventory.each(Vm)))
