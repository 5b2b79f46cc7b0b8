"""From a world file to the inventory of one vCenter: the same file always gives the same MoRefs, UUIDs and MACs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import PurePosixPath

from bot.playground.esxi.host_log import HostLogs
from bot.playground.vcenter.inventory import (
    Cluster,
    Datacenter,
    Datastore,
    Disk,
    Folder,
    Hardware,
    Host,
    Inventory,
    Network,
    Nic,
    Pool,
    Portgroup,
    Switch,
    VApp,
    Vm,
    file_name,
)
from bot.playground.vcenter.naming import mac_of, steady_uuid
from bot.playground.world import Site, VmSpec, World

_CHILDREN = {
    "vm": ("Folder", "VirtualMachine", "VirtualApp"),
    "host": ("Folder", "ComputeResource"),
    "datastore": ("Folder", "Datastore", "StoragePod"),
    "network": ("Folder", "Network", "DistributedVirtualSwitch"),
}
_POWER = {"on": "poweredOn", "off": "poweredOff", "suspended": "suspended"}
_LUN = 100 * 2**30
_CREATED = datetime(2025, 3, 1, 9, 0, tzinfo=UTC)


def build_inventory(world: World, vcenter: str) -> Inventory:
    """Build what the world file says belongs to this vCenter."""
    builder = _Builder(vcenter)
    for place, site in enumerate(world.sites, start=1):
        if site.vcenter == vcenter:
            builder.add_site(site, place)
            for spec in world.vms:
                if spec.site == site.name:
                    builder.add_vm(spec)
    builder.count_strangers()
    return builder.inventory


class _Builder:
    def __init__(self, vcenter: str) -> None:
        root = Folder("group-d1", "Datacenters", None, child_types=("Folder", "Datacenter"))
        self.inventory = Inventory(root)
        self._vcenter = vcenter
        self._datacenter: Datacenter
        self._cluster: Cluster
        self._datastores: dict[str, Datastore] = {}
        self._networks: dict[str, Network] = {}
        self._next_host = 0
        self._directories: dict[str, set[str]] = {}

    def _id(self, prefix: str) -> str:
        return self.inventory.new_id(prefix)

    def add_site(self, site: Site, place: int) -> None:
        dc = Datacenter(self._id("datacenter-"), site.datacenter, self.inventory.root, site=site.name)
        self.inventory.add(dc)
        self._datacenter = dc
        for kind, letter in (("vm", "v"), ("host", "h"), ("datastore", "s"), ("network", "n")):
            dc.folders[kind] = Folder(self._id(f"group-{letter}"), kind, dc, child_types=_CHILDREN[kind])
            self.inventory.add(dc.folders[kind])
        for path in site.folders:
            self._folder(path)
        self._add_storage(site)
        self._add_networks(site)
        self._add_hosts(site, place)

    def _add_storage(self, site: Site) -> None:
        self._datastores = {}
        for spec in site.datastores:
            digits = steady_uuid(self._vcenter, site.name, spec.name).replace("-", "")
            uuid = f"{digits[:8]}-{digits[8:16]}-{digits[16:20]}-{digits[20:]}"
            store = Datastore(
                self._id("datastore-"), spec.name, self._datacenter.folders["datastore"],
                site=site.name, capacity=spec.capacity, free=spec.free, uuid=uuid,
            )  # fmt: skip
            self.inventory.add(store)
            self._datastores[spec.name] = store

    def _add_networks(self, site: Site) -> None:
        folder = self._datacenter.folders["network"]
        self._networks = {name: Network(self._id("network-"), name, folder, site=site.name) for name in site.networks}
        if site.portgroups:
            switch_uuid = steady_uuid(self._vcenter, site.name, "dvs")
            switch = Switch(self._id("dvs-"), f"dvs-{site.name}", folder, uuid=switch_uuid)
            self.inventory.add(switch)
            for name in site.portgroups:
                self._networks[name] = Portgroup(self._id("dvportgroup-"), name, folder, site=site.name, switch=switch)
        for network in self._networks.values():
            self.inventory.add(network)

    def _add_hosts(self, site: Site, place: int) -> None:
        cluster = Cluster(self._id("domain-c"), site.cluster, self._datacenter.folders["host"])
        self.inventory.add(cluster)
        cluster.pool = Pool(self._id("resgroup-"), "Resources", cluster)
        self.inventory.add(cluster.pool)
        self._cluster, self._next_host = cluster, 0
        for number in range(1, site.hosts + 1):
            name = f"esx-{site.name}-{number:02d}.example.net"
            host = Host(
                self._id("host-"), name, cluster, site=site.name, version=site.version, uuid=steady_uuid(name),
                address=f"10.{place % 250}.0.{10 + number}", logs=HostLogs(site.version),
                datastores=list(self._datastores.values()), networks=list(self._networks.values()),
            )  # fmt: skip
            self.inventory.add(host)
            cluster.hosts.append(host)

    def count_strangers(self) -> None:
        """What the world file says is taken, and no VM of it takes, somebody else has."""
        for store in self.inventory.each(Datastore):
            ours = sum(file.size for vm in self.inventory.each(Vm) for file in vm.files if file.datastore is store)
            store.strangers = max(store.capacity - store.free - ours, 0)

    def _folder(self, path: str) -> Folder:
        """Return the VM folder of a path below the datacenter, made where it is missing."""
        here = self._datacenter.folders["vm"]
        for part in PurePosixPath(path).parts:
            below = next((c for c in here.children if isinstance(c, Folder) and c.name == part), None)
            if below is None:
                below = Folder(self._id("group-v"), part, here, child_types=_CHILDREN["vm"])
                self.inventory.add(below)
            here = below
        return here

    def _vapp(self, name: str, folder: Folder, pool: Pool) -> VApp:
        """Return the vApp of this name in a folder, made where it is missing."""
        found = next((c for c in folder.children if isinstance(c, VApp) and c.name == name), None)
        if found is None:
            found = VApp(self._id("resgroup-v"), name, folder, pool)
            self.inventory.add(found)
        return found

    def add_vm(self, spec: VmSpec) -> None:
        folder = self._folder(spec.folder)
        hosts = self._cluster.hosts
        place = self._next_host % len(hosts) if spec.host is None else spec.host - 1
        self._next_host += spec.host is None
        store = self._datastores[spec.datastore] if spec.datastore else next(iter(self._datastores.values()))
        words = (self._vcenter, spec.site, spec.folder, spec.name)
        taken = self._directories.setdefault(store.id, set())
        directory = free_directory(spec.name, taken)
        taken.add(directory)
        pool = self._cluster.pool
        if pool is None:
            raise LookupError(self._cluster.name)
        vm = Vm(
            self._id("vm-"), spec.name, self._vapp(spec.vapp, folder, pool) if spec.vapp else folder,
            host=hosts[place], pool=pool, datastore=store, directory=directory,
            instance_uuid=steady_uuid(*words, "instance"), bios_uuid=steady_uuid(*words, "bios"),
            disks=[], nics=[], stem=file_name(spec.name), created=_CREATED,
            power=_POWER[spec.power], template=spec.template,
            snapshots=tuple(self._id("snapshot-") for _ in range(spec.snapshots)), strays=spec.stray_deltas,
            hardware=_hardware(spec),
            question=spec.question, disabled_methods=spec.disabled_methods, held_by=spec.running_task,
            annotation=spec.annotation, extra=dict(_REPLICATED) if spec.replication else {},
            written_for="elsewhere" if spec.start == "asks" else "",
        )  # fmt: skip
        vm.disks = list(_disks(spec, store, directory, words))
        for number, network in enumerate(spec.networks):
            tail = steady_uuid(*words, "mac", number)
            vm.nics.append(Nic(4000 + number, f"Network adapter {number + 1}", mac_of(tail), self._networks[network]))
        self.inventory.add(vm)


def _disks(spec: VmSpec, store: Datastore, directory: str, words: tuple[str, ...]) -> Iterator[Disk]:
    raw = [device.detail for device in spec.devices if device.kind == "rdm"]
    plain = [
        (disk.capacity, disk.used, disk.written, disk.thin, disk.independent, disk.shared, disk.pmem, "")
        for disk in spec.disks
    ]
    mapped = [(_LUN, 0, 0, True, False, False, False, mode) for mode in raw]  # a pointer takes no space
    for number, (capacity, used, written, thin, independent, shared, pmem, mode) in enumerate([*plain, *mapped]):
        file = f"{directory}{f'_{number}' if number else ''}.vmdk"
        yield Disk(
            2000 + number, f"Hard disk {number + 1}", capacity, used, thin, store, file, steady_uuid(*words, number),
            independent=independent, shared=shared, raw=mode, written=written, pmem=pmem,
        )  # fmt: skip


_REPLICATED = {"hbr_filter.configGen": "1", "hbr_filter.destination": "198.51.100.7", "hbr_filter.rpo": "240"}
"""What vSphere Replication writes into a .vmx, shortened."""


def _hardware(spec: VmSpec) -> Hardware:
    return Hardware(
        version=spec.hardware_version,
        bus_sharing=spec.bus_sharing,
        encrypted=spec.encrypted,
        vtpm=spec.vtpm,
        change_tracking=spec.change_tracking,
        tools=spec.tools,
        ignores_shutdown=spec.ignores_shutdown,
        locks_drive=spec.locks_drive,
        start=spec.start,
        devices=tuple((device.kind, device.detail) for device in spec.devices if device.kind != "rdm"),
        reserved_mb=spec.memory_reservation // 2**20,
        fault_tolerance=spec.fault_tolerance,
        managed_by=spec.managed_by,
        linked_to=spec.linked_to,
        min_evc=spec.min_evc,
    )


def free_directory(name: str, taken: set[str]) -> str:
    """Return the name of a VM's directory as vCenter picks it: its own, or with a number behind it."""
    name = file_name(name)
    number, directory = 0, name
    while directory in taken:
        number += 1
        directory = f"{name}_{number}"
    return directory
