"""Several relocations at once: names that meet at one datastore, one VM asked for twice, two vCenters and one host."""

import asyncio

import pytest
from pyVmomi import vim, vmodl

from bot.playground.vcenter.inventory import Vm
from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world

CROWD = """
[play]
history_lines = 0
noise_every = "1 h"
connect_patience = "50 ms"
[[vcenters]]
name = "east"
accounts = [{ user = "svc@vsphere.local", password = "right" }]
[[vcenters]]
name = "west"
accounts = [{ user = "svc@vsphere.local", password = "right" }]
[[sites]]
name = "site1"
vcenter = "east"
hosts = 3
datastores = [{ name = "ds-c1-01" }]
[[sites]]
name = "site2"
vcenter = "east"
hosts = 2
datastores = [{ name = "ds-c2-01" }, { name = "ds-c2-02" }]
folders = ["Migrated", "Other"]
[[sites]]
name = "site3"
vcenter = "west"
hosts = 2
datastores = [{ name = "ds-c3-01" }, { name = "ds-c3-02" }]
folders = ["Arrived"]
[[links]]
between = ["site1", "site2"]
rate = "10 Mbit/s"
rtt = "0 ms"
[[links]]
between = ["site1", "site3"]
rate = "10 Mbit/s"
rtt = "0 ms"
[[vms]]
name = "twin"
site = "site1"
host = 2
folder = "A"
disks = ["8 GiB thin 20 MiB"]
[[vms]]
name = "twin"
site = "site1"
host = 2
folder = "B"
disks = ["8 GiB thin 20 MiB"]
[[links]]
between = ["site2", "site3"]
rate = "40 Gbit/s"
rtt = "0 ms"
[[vms]]
name = "mover"
site = "site2"
host = 2
disks = ["8 GiB thin 20 MiB"]
[[vms]]
name = "twin"
site = "site3"
host = 1
disks = ["8 GiB thin 20 MiB"]
""" + "".join(
    f'[[vms]]\nname = "{site}-{number}"\nsite = "{site}"\nhost = 1\ndisks = ["8 GiB thin 20 MiB"]\n'
    for site in ("site1", "site3")
    for number in range(8)
)
FAST = 100_000_000_000


@pytest.fixture
async def world(tmp_path):
    async with await play_world(parse_world(CROWD), tmp_path) as running:
        yield running


@pytest.fixture
async def east(world, client_of, in_thread):
    return await in_thread(client_of, world["east"])


@pytest.fixture
async def west(world, client_of, in_thread):
    return await in_thread(client_of, world["west"])


def at(client, datacenter, *, host=0, store=0, folder="vm"):
    """A spec to one of the hosts of a datacenter, whatever it is called."""
    found = client.find(f"{datacenter}/host/C{datacenter[2:]}").host[host]
    return vim.vm.RelocateSpec(
        host=found,
        pool=found.parent.resourcePool,
        folder=client.find(f"{datacenter}/{folder}"),
        datastore=sorted(found.datastore, key=lambda one: one.name)[store],
    )


def far(world, west, **place):
    """A spec to the other vCenter."""
    spec, about = at(west, "DC3", folder="vm/Arrived", **place), west.content.about
    name = vim.ServiceLocator.NamePassword(username="svc@vsphere.local", password="right")
    print_ = world["west"].estate.presence.thumbprint
    spec.service = vim.ServiceLocator(
        instanceUuid=about.instanceUuid, url=world["west"].url, credential=name, sslThumbprint=print_
    )
    return spec


def fill(client, spec):
    """Let eight slow copies take all the places of a host."""
    return [client.relocate(client.find(f"DC1/vm/site1-{number}"), spec) for number in range(8)]


def paths(player):
    return sorted(vm.vmx_path for vm in player.estate.inventory.each(Vm))


async def test_two_of_one_name_that_arrive_together_get_a_directory_each(world, east, in_thread):
    def go():
        return [
            east.relocate(east.find(f"DC1/vm/{here}/twin"), at(east, "DC2", folder=f"vm/{there}"))
            for here, there in (("A", "Migrated"), ("B", "Other"))
        ]

    tasks = await in_thread(go)
    assert [move.bytes_per_second for move in world["east"].moves()] == [10_000_000 / 8 / 2] * 2  # they share the link
    world["east"].set_link("site1", "site2", rate=FAST)
    for task in tasks:
        assert (await in_thread(east.watch, task))[1] is None
    there = [path for path in paths(world["east"]) if path.startswith("[ds-c2-01] twin")]
    assert there == ["[ds-c2-01] twin/twin.vmx", "[ds-c2-01] twin_1/twin.vmx"]


async def test_a_vm_from_elsewhere_does_not_take_the_directory_of_one_that_lives_there(world, east, west, in_thread):
    world["east"].set_link("site1", "site3", rate=FAST)

    def go():
        task = east.relocate(east.find("DC1/vm/A/twin"), far(world, west))
        return east.watch(task)[1]

    assert await in_thread(go) is None
    assert [path for path in paths(world["west"]) if "twin" in path] == [
        "[ds-c3-01] twin/twin.vmx",
        "[ds-c3-01] twin_1/twin.vmx",
    ]


async def test_a_place_that_another_vcenter_frees_is_taken(world, east, west, in_thread):
    """Eight moves within the west fill a host there; a move from the east waits for it, and goes on when they end."""
    world["west"].estate.universe.links.find("site3", "site3").set(rate=1_000_000)

    def go():
        local = [west.relocate(west.find(f"DC3/vm/site3-{n}"), at(west, "DC3", store=1)) for n in range(8)]
        return local, east.relocate(east.find("DC1/vm/A/twin"), far(world, west))

    local, task = await in_thread(go)
    assert await in_thread(lambda: (task.info.state, local[7].info.state)) == ("queued", "running")
    world["east"].set_link("site1", "site3", rate=FAST)
    world["west"].estate.universe.links.find("site3", "site3").set(rate=FAST)
    async with asyncio.timeout(5):
        assert (await in_thread(east.watch, task))[1] is None


async def test_a_vm_asked_for_twice_goes_on_from_where_the_first_move_took_it(world, east, in_thread):
    """Both wait for a place; by the time the second has one, the VM's host, directory and way are others."""

    def go():
        fillers = fill(east, at(east, "DC2"))
        tasks = [east.relocate(east.find("DC2/vm/mover"), at(east, "DC2", store=store)) for store in (1, 0)]
        assert [task.info.state for task in tasks] == ["queued", "queued"]
        fillers[0].CancelTask()
        return [east.watch(task)[1] for task in tasks]

    assert await in_thread(go) == [None, None]
    assert [path for path in paths(world["east"]) if "mover" in path] == ["[ds-c2-01] mover/mover.vmx"]
    told = await in_thread(lambda: east.content.eventManager.QueryEvents(vim.event.EventFilterSpec()))
    moved = [event for event in told if isinstance(event, vim.event.VmMigratedEvent | vim.event.VmRelocatedEvent)]
    assert [type(event) for event in moved] == [vim.event.VmRelocatedEvent, vim.event.VmMigratedEvent]
    assert moved[0].sourceHost.name == "esx-site2-01.example.net"
    assert moved[0].sourceDatastore.name == "ds-c2-02"
    assert moved[0].sourceDatacenter.name == "DC2"


async def test_a_vm_that_has_left_is_not_found_by_who_waited_for_it(world, east, west, in_thread):
    def go():
        fillers = fill(east, far(world, west))
        tasks = [east.relocate(east.find("DC2/vm/mover"), far(world, west, store=store)) for store in (1, 0)]
        fillers[0].CancelTask()
        return [east.watch(task)[1] for task in tasks]

    first, second = await in_thread(go)
    assert first is None
    assert isinstance(second, vmodl.fault.ManagedObjectNotFound)
    assert [path for path in paths(world["west"]) if "mover" in path] == ["[ds-c3-02] mover/mover.vmx"]
