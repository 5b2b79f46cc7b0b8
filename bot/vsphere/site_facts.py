"""All facts of a site in three round trips: the tree, what the site has, and the VMs that are near.

Nothing is asked of VMs that are neither in the target folder nor on the site's hosts, and of those that are next to
nothing, so that a site of thousands costs a page or two, of which one is in memory at a time.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from pyVmomi import vim

from bot.errors import UserError
from bot.migration.facts import DatastoreFacts, HostFacts, NetworkFacts, SiteFacts, SiteSpec
from bot.vsphere.host_rows import HOST, TASK, copied_vms, host_facts, recent_tasks
from bot.vsphere.inventory import require_datacenter
from bot.vsphere.networks import WANTED as NETWORKS
from bot.vsphere.networks import is_opaque, is_portgroup, network_facts
from bot.vsphere.properties import Row, Wanted, again, moid, read_along, start, step, stream_along
from bot.vsphere.session import Connected
from bot.vsphere.tree import Tree, read_tree, shown

PARTS: Final[Wanted] = {
    vim.Datacenter: ("vmFolder",),
    vim.ComputeResource: ("name", "resourcePool"),
    vim.HostSystem: HOST,
    vim.Task: TASK,
    vim.Datastore: (
        "name",
        "summary.type",
        "summary.capacity",
        "summary.freeSpace",
        "summary.uncommitted",
        "summary.accessible",
        "summary.maintenanceMode",
        "info.maxFileSize",
    ),
    vim.DistributedVirtualSwitch: ("uuid",),
    **NETWORKS,
}
NEAR: Final = ("name", "parent", "runtime.powerState")
CARDS: Final = "config.hardware.device"
CARDS_OF: Final = 200
"""So many VMs on the site's hosts are read with their network cards, which takes some milliseconds and kilobytes each.

vCenter has no index of MAC addresses. At a larger site nobody waits for tens of megabytes: `macs` is in `unread` then.
"""


@dataclass(frozen=True)
class Site:
    """A site as read: its hosts, and what is in its datacenter."""

    spec: SiteSpec
    tree: Tree
    datacenter: Row
    hosts: Sequence[Row]
    parts: Sequence[Row]

    def each(self, kind: type) -> list[Row]:
        return [part for part in self.parts if isinstance(part.ref, kind)]


@dataclass
class Near:
    """What is known of VMs that are on the site's hosts or in the folder: what their pages were folded into."""

    names: set[str] = field(default_factory=set)
    running: set[str] = field(default_factory=set)
    macs: dict[str, str] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)

    def take(self, vm: Row, *, folder: str | None) -> None:
        name = shown(vm["name"])
        if vm["parent"] is not None and moid(vm["parent"]) == folder:
            self.names.add(name)
        if vm["runtime.powerState"] == "poweredOn":
            self.running.add(vm.moid)
        for device in vm[CARDS] or ():
            if isinstance(device, vim.vm.device.VirtualEthernetCard) and device.macAddress:
                self.macs.setdefault(device.macAddress.lower(), name)
        self.unread.update(vm.unread)


def read_site(connected: Connected, spec: SiteSpec) -> SiteFacts:
    """Read a site. UserError names what the config says that does not exist, and what does."""
    tree = read_tree(connected)
    datacenter = require_datacenter(tree, spec.datacenter, site=spec.name)
    hosts = _hosts_of(tree, datacenter, spec)
    parts = read_along(connected, [*_starts(hosts, datacenter), recent_tasks(connected)], PARTS)
    chosen = {row.moid for row in hosts}
    rows = [part for part in parts if part.moid in chosen]
    site = Site(spec, tree, datacenter, rows, parts)
    folder, folder_moid = _folder(site)
    with_cards = sum(len(row["vm"] or ()) for row in rows) <= CARDS_OF
    near = _near(connected, rows, folder_moid, with_cards=with_cards)
    return SiteFacts(
        spec=spec,
        hosts=_hosts(site, frozenset(near.running)),
        datastores=tuple(_datastore(entry) for entry in site.each(vim.Datastore)),
        networks=_networks(site),
        folder=folder,
        folder_moid=folder_moid,
        names_in_folder=tuple(sorted(near.names)),
        read_at=datetime.now(UTC),
        macs=near.macs,
        unread=_unread(site, near, with_cards=with_cards),
    )


def _unread(site: Site, near: Near, *, with_cards: bool) -> tuple[str, ...]:
    known = with_cards and CARDS not in near.unread
    kept_back = near.unread.union(*(row.unread for row in site.each(vim.Datacenter)))
    return (*sorted(kept_back), *(() if known else ("macs",)))


def _hosts_of(tree: Tree, datacenter: Row, spec: SiteSpec) -> list[Row]:
    """Return the hosts that the config means, as the tree knows them."""
    inside = {row.moid: row for row in tree.nodes.values() if datacenter in tree.above(row.ref)}
    hosts = [row for row in inside.values() if isinstance(row.ref, vim.HostSystem)]
    if spec.host is not None:
        chosen = [row for row in hosts if shown(row["name"]) == spec.host]
        known = [shown(row["name"]) for row in hosts]
        wanted, kind = spec.host, "host"
    else:
        clusters = {
            shown(row["name"]): row.ref for row in inside.values() if isinstance(row.ref, vim.ClusterComputeResource)
        }
        above = clusters.get(spec.cluster or "")
        chosen = [row for row in hosts if above is not None and row["parent"] == above]
        known = list(clusters)
        wanted, kind = spec.cluster or "", "cluster"
    if wanted not in known:
        raise UserError(
            f"Site {spec.name}: there is no {kind} {wanted!r} in datacenter {spec.datacenter!r}.",
            example=f"{kind} = {' or '.join(repr(name) for name in sorted(known)) or '(none is visible)'}",
        )
    return chosen


def _starts(hosts: Iterable[Row], datacenter: Row) -> list[Any]:
    """Begin at the hosts with what they are in, and at the datacenter with its datastores, networks and switches."""
    lists = [step(vim.Datacenter, path) for path in ("datastore", "network")]
    below = step(vim.Folder, "childEntity", again(vim.Folder, "childEntity"))
    lists.append(step(vim.Datacenter, "networkFolder", below))
    above = step(vim.HostSystem, "parent")
    return [start(datacenter.ref, *lists, itself=True), *(start(row.ref, above, itself=True) for row in hosts)]


def _near(connected: Connected, hosts: Iterable[Row], folder: str | None, *, with_cards: bool) -> Near:
    starts = [start(row.ref, step(vim.HostSystem, "vm")) for row in hosts]
    if folder is not None:
        starts.append(start(vim.Folder(folder), step(vim.Folder, "childEntity")))
    near = Near()
    wanted = {vim.VirtualMachine: (*NEAR, CARDS) if with_cards else NEAR}
    for row in stream_along(connected, starts, wanted) if starts else ():
        near.take(row, folder=folder)
    return near


def _hosts(site: Site, running: frozenset[str]) -> tuple[HostFacts, ...]:
    names = {part.moid: shown(part["name"]) for part in site.parts}
    pools = {row.moid: row["resourcePool"] for row in site.each(vim.ComputeResource)}
    copied = copied_vms(site.parts)
    return tuple(
        host_facts(
            row,
            names,
            pool=pools.get(moid(row["parent"])) if row["parent"] is not None else None,
            copied=copied,
            running=running,
        )
        for row in site.hosts
    )


def _datastore(row: Row) -> DatastoreFacts:
    longest = row["info.maxFileSize"]
    return DatastoreFacts(
        name=shown(row["name"]),
        moid=row.moid,
        kind=row["summary.type"] or "",
        capacity=int(row["summary.capacity"] or 0),
        free=int(row["summary.freeSpace"] or 0),
        accessible=bool(row["summary.accessible"]),
        maintenance=str(row["summary.maintenanceMode"] or "normal"),
        max_file=int(longest) if longest else None,
        uncommitted=int(row["summary.uncommitted"] or 0),
        unread=row.unread,
    )


def _networks(site: Site) -> tuple[NetworkFacts, ...]:
    switches = {row.moid: row["uuid"] for row in site.each(vim.DistributedVirtualSwitch) if row["uuid"]}
    return tuple(network_facts(row, switches=switches) for row in site.each(vim.Network) if _takes_cards(row))


def _takes_cards(row: Row) -> bool:
    """Say whether we can put a card there: not on an uplink group, nor on an opaque network without an id."""
    if is_opaque(row):
        return row["summary.opaqueNetworkId"] is not None
    return not (is_portgroup(row) and row["config.uplink"])


def _folder(site: Site) -> tuple[str, str | None]:
    """Return the folder's path and id: the configured one below the VM folder, or the VM folder itself."""
    top = next((row["vmFolder"] for row in site.each(vim.Datacenter)), None)
    if top is None:
        return site.spec.folder or "", None
    path = site.tree.path(top)
    if not site.spec.folder:
        return path, moid(top)
    at: Row | None = site.tree.nodes.get(moid(top))
    for name in site.spec.folder.strip("/").split("/"):
        below = [row for row in site.tree.each(vim.Folder) if at is not None and row["parent"] == at.ref]
        at = next((row for row in below if name in {row["name"], shown(row["name"])}), None)
    return f"{path}/{site.spec.folder.strip('/')}", at.moid if at is not None else None
