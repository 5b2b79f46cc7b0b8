"""What a plan reads of VMs with a history, of hosts and of datastores; and of those that vCenter does not tell."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.migration.facts import Device, Route
from bot.vsphere.port import TaskState
from bot.vsphere.site_facts import CARDS_OF
from bot.vsphere.vmkernel import ANYWHERE
from tests.vsphere.conftest import WORLD

GIB = 2**30
ODD = """
[[vms]]
name = "deep"
site = "site1"
disks = ["20 GiB thin 2 GiB", "4 GiB thick independent", "1 GiB thick shared", "8 GiB thick pmem"]
snapshots = 3
bus_sharing = "physical"
hardware_version = 19
memory_reservation = "1 GiB"
min_evc = "intel-broadwell"
change_tracking = true
[[vms]]
name = "stray"
site = "site1"
stray_deltas = 2
[[vms]]
name = "secret"
site = "site1"
encrypted = true
vtpm = true
[[vms]]
name = "laden"
site = "site1"
devices = ["iso [ds-c1-01] tools/linux.iso", "host-cd", "client-cd", "floppy", "usb", "pci", "vgpu", "serial",
           "parallel", "nvdimm", "rdm physical", "rdm virtual"]
[[vms]]
name = "owned"
site = "site1"
power = "on"
linked_to = "golden"
fault_tolerance = true
replication = true
managed_by = "com.vmware.vcDr"
[[vms]]
name = "shop01"
site = "site1"
folder = "Web"
vapp = "shop"
"""
ROUTED = (
    WORLD.replace('name = "site1"\nvcenter', 'name = "site1"\nprovisioning = "interface"\nroutes = ["site2"]\nvcenter')
    .replace(
        'name = "site2"\nvcenter',
        'name = "site2"\nprovisioning = "stack"\nmtu = 9000\nevc = "intel-skylake"\ncrypto_safe = true\n'
        "quarantined = [2]\nvcenter",
    )
    .replace(
        "accounts = [\n",
        "accounts = [\n"
        '  { user = "half", password = "correct horse", withheld = ["VirtualMachine.layoutEx",'
        ' "VirtualMachine.config.hardware", "HostSystem.config.network", "Datastore.summary.freeSpace"] },\n'
        '  { user = "blind", password = "correct horse", permissions = [\n'
        '    { on = "/DC1/host/C1/esx-site1-01.example.net", privileges = ["System.View"] },\n'
        '    { on = "/DC2/host/C2/esx-site2-01.example.net", privileges = [] },\n'
        '    { on = "/DC2/datastore/ds-c2-01", privileges = ["System.View"] } ] },\n',
    )
)


@pytest.fixture
def world_text():
    return ROUTED + ODD


@pytest.fixture
def read(played):
    async def read(name, vcenter=played):
        (found,) = await vcenter.find_vms(name)
        return await vcenter.read_vm(found.ref.uuid)

    return read


async def test_what_a_plain_vm_has_not(read):
    facts = await read("web01")
    assert (facts.devices, facts.snapshots, facts.bus_sharing, facts.unread) == ((), None, (), ())
    assert not any((facts.encrypted, facts.change_tracking, facts.linked_clone, facts.fault_tolerance, facts.vapp))
    assert not any((facts.replication, facts.managed_by, facts.min_evc, facts.memory_reservation, facts.tools_running))
    assert (facts.hardware_version, facts.memory) == (21, 4 * GIB)
    (disk,) = facts.disks
    assert (disk.datastore, disk.mode, disk.sharing, disk.form) == ("ds-c1-01", "persistent", "sharingNone", "flat")
    assert not any((disk.rdm, disk.parents, disk.encrypted))


async def test_disks_of_every_form(read):
    deep, laden = await read("deep"), await read("laden")
    assert [(disk.form, disk.parents, disk.mode, disk.sharing) for disk in deep.disks] == [
        ("sesparse", 3, "persistent", "sharingNone"),
        ("flat", 0, "independent_persistent", "sharingNone"),
        ("sesparse", 3, "persistent", "sharingMultiWriter"),
        ("pmem", 0, "independent_persistent", "sharingNone"),
    ]
    assert [(disk.form, disk.rdm) for disk in laden.disks[1:]] == [("rdm", "physicalMode"), ("rdm", "virtualMode")]


async def test_snapshots_with_what_they_take(player, read):
    facts = await read("deep")
    (vm,) = player.estate.vms("deep")
    snapshots = facts.snapshots
    assert (snapshots.count, snapshots.depth, snapshots.needs_consolidation) == (3, 3, False)
    assert snapshots.oldest == datetime(2025, 3, 1, 9, 0, tzinfo=UTC)
    own = sum(file.size for file in vm.files if "-00000" in file.path or file.kind == "snapshotData")
    assert snapshots.size == own > 0


async def test_deltas_that_nobody_owns(read):
    stray = (await read("stray")).snapshots
    assert (stray.count, stray.depth, stray.oldest, stray.needs_consolidation) == (0, 0, None, True)
    assert stray.size > 0


async def test_settings_that_hinder(read):
    deep, secret = await read("deep"), await read("secret")
    assert (deep.bus_sharing, deep.hardware_version, deep.min_evc) == (("physicalSharing",), 19, "intel-broadwell")
    assert (deep.memory_reservation, deep.change_tracking) == (GIB, True)
    assert (secret.encrypted, secret.key_provider, secret.disks[0].encrypted) == (True, "native-1", True)
    assert [device.kind for device in secret.devices] == ["tpm"]


async def test_devices_of_every_kind(read):
    devices = (await read("laden")).devices
    assert sorted(device.kind for device in devices) == [
        "cdrom-client", "cdrom-host", "cdrom-iso", "floppy", "nvdimm", "parallel", "pci", "serial", "usb", "vgpu",
    ]  # fmt: skip
    assert Device(3000, "cdrom-iso", "CD/DVD drive 1", "[ds-c1-01] tools/linux.iso", connected=True) in devices
    assert not next(device for device in devices if device.kind == "cdrom-client").connected


async def test_whom_it_belongs_to(read):
    owned = await read("owned")
    assert (owned.linked_clone, owned.fault_tolerance, owned.replication) == (True, True, True)
    assert (owned.managed_by, owned.tools_running) == ("com.vmware.vcDr", True)


async def test_a_vm_in_a_vapp(read, played):
    facts = await read("shop01")
    assert (facts.vapp, facts.path, facts.datacenter) == ("shop", "/DC1/vm/Web/shop/shop01", "DC1")
    assert [vm.path for vm in await played.find_vms("shop01")] == [facts.path]


async def test_interfaces_and_routes_of_both_ends(player_peer, played, read):
    on = (await read("web01")).on
    assert on.name == player_peer.host
    assert {vmk.device: vmk.services for vmk in on.interfaces} == {
        "vmk0": ("management",), "vmk1": ("vmotion",), "vmk2": ("vSphereProvisioning",),
    }  # fmt: skip
    assert [vmk.gateway for vmk in on.interfaces] == ["10.1.0.1", "", ""]
    assert Route("defaultTcpipStack", ANYWHERE, 0, "10.1.0.1") in on.routes
    assert Route("defaultTcpipStack", "10.2.2.0", 24, "10.1.2.1") in on.routes
    first, second = (await played.read_site(player_peer.target)).hosts
    vmk = first.interfaces[2]
    assert (vmk.netstack, vmk.gateway, vmk.mtu) == ("vSphereProvisioning", "10.2.2.1", 9000)
    assert Route("vSphereProvisioning", ANYWHERE, 0, "10.2.2.1") in first.routes
    assert (first.evc, first.max_evc, first.crypto_safe) == ("intel-skylake", "intel-icelake", True)
    assert (on.evc, on.crypto_safe) == ("", False)
    assert (first.quarantined, second.quarantined) == (False, True)


async def test_copies_under_way_are_seen_on_their_source(player_peer, played, read):
    plan = await player_peer.plan(played, "slow01")
    task = await played.relocate(plan, op_id="cm-ab2cd3ef-a1")
    async for snapshot in played.follow(task):
        if snapshot.state is TaskState.RUNNING:
            break
    source = await played.read_site(player_peer.source)
    assert {host.name: host.copies for host in source.hosts}[plan.source.host] == 1
    assert (await read("slow01")).on.copies == 1
    await played.cancel(task)


async def test_what_is_left_to_grow_and_the_largest_file(player_peer, played):
    store = next(one for one in (await played.read_site(player_peer.source)).datastores if one.name == "ds-c1-01")
    assert store.max_file == 62 * 2**40
    assert store.uncommitted > 100 * GIB


async def test_addresses_of_network_cards_at_the_site(player_peer, played, read):
    site, facts = await played.read_site(player_peer.source), await read("web01")
    assert {site.macs[nic.mac] for nic in facts.nics} == {"web01"}
    assert site.unread == ()


async def test_what_is_kept_back_is_named_and_everything_else_told(player_peer, read):
    half = player_peer.connect(user="half")
    facts, site = await read("deep", half), await half.read_site(player_peer.target)
    assert set(facts.unread) == {"layoutEx", "config.hardware.device", "config.hardware.memoryMB"}
    assert (facts.disks, facts.snapshots.count, facts.snapshots.size, facts.path) == ((), 3, None, "/DC1/vm/deep")
    (host, _), store = site.hosts, site.datastores[0]
    assert facts.on.unread == host.unread
    assert set(host.unread) == {
        "config.network.vnic", "config.network.netStackInstance", "config.network.routeTableInfo",
    }  # fmt: skip
    assert (host.interfaces, host.version, host.datastores) == ((), "8.0.3", ("ds-c2-01",))
    assert (store.unread, store.free, store.capacity > 0) == (("summary.freeSpace",), 0, True)
    assert set((await half.read_site(player_peer.source)).unread) == {"config.hardware.device", "macs"}
    assert site.unread == ()


async def test_objects_that_may_only_be_seen_or_not_even_that(player_peer, read):
    blind = player_peer.connect(user="blind")
    facts, site = await read("web01", blind), await blind.read_site(player_peer.target)
    assert (facts.on.name, facts.host, facts.unread) == (player_peer.host, player_peer.host, ())
    assert {"runtime.connectionState", "vm", "config.network.vnic"} <= set(facts.on.unread)
    assert (facts.on.copies, facts.on.crypto_safe) == (None, None)
    assert [host.name for host in site.hosts] == ["esx-site2-02.example.net"]
    (store,) = site.datastores
    assert (store.name, "summary.freeSpace" in store.unread) == ("ds-c2-01", True)


class TestCrowd:
    @pytest.fixture
    def world_text(self):
        crowd = (f'[[vms]]\nname = "n{number}"\nsite = "site2"\npower = "on"\n' for number in range(CARDS_OF + 1))
        return WORLD + "".join(crowd)

    async def test_nobody_reads_the_cards_of_a_large_site(self, player_peer, played, player):
        await played.now()
        before = sum(player.calls.values())
        site = await played.read_site(player_peer.target)
        assert sum(player.calls.values()) - before == 3
        assert (site.macs, site.unread) == ({}, ("macs",))
        assert sum(host.running_vms for host in site.hosts) == CARDS_OF + 1
        assert site.names_in_folder == ()
