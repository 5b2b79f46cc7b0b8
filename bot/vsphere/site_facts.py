"""All facts of a site in two round trips: the tree, and everything in the site's datacenter."""

# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyVmomi import vim

from bot.errors import UserError
from bot.migration.facts import DatastoreFacts, HostFacts, NetworkFacts, SiteFacts, SiteSpec
from bot.vsphere.inventory import require_datacenter
from bot.vsphere.networks import PATHS as NETWORK_PATHS
from bot.vsphere.networks import is_opaque, is_portgroup, network_facts
from bot.vsphere.properties import Row, moid, read_below
from bot.vsphere.session import Connected
from bot.vsphere.tree import Tree, read_tree, shown

PARTS = {
    vim.Folder: ("name", "parent", "childType"),
    vim.ComputeResource: ("name", "resourcePool"),
    vim.HostSystem: (
        "name",
        "parent",
        "runtime.connectionState",
        "runtime.inMaintenanceMode",
        "summary.config.product.version",
        "datastore",
        "network",
    ),
    vim.Datastore: (
        "name",
        "summary.type",
        "summary.capacity",
        "summary.freeSpace",
        "summary.accessible",
        "summary.maintenanceMode",
    ),
    vim.Network: ("name",),
    vim.dvs.DistributedVirtualPortgroup: NETWORK_PATHS,
    vim.DistributedVirtualSwitch: ("uuid",),
    vim.VirtualMachine: ("name", "parent", "runtime.host", "runtime.powerState"),
}


@dataclass(frozen=True)
class Datacenter:
    """One datacenter as read."""

    tree: Tree
    row: Row
    parts: Sequence[Row]

    def each(self, kind: type) -> list[Row]:
        return [part for part in self.parts if isinstance(part.ref, kind)]

    def names(self, references: Iterable[Any] | None) -> tuple[str, ...]:
        """Return the names of those references that lie in this datacenter, for people."""
        known = {part.moid: shown(part["name"]) for part in self.parts}
        return tuple(known[moid(reference)] for reference in references or () if moid(reference) in known)


def read_site(connected: Connected, spec: SiteSpec) -> SiteFacts:
    """Read a site. UserError names what the config says that does not exist, and what does."""
    tree = read_tree(connected)
    row = require_datacenter(tree, spec.datacenter, site=spec.name)
    site = Datacenter(tree, row, read_below(connected, row.ref, PARTS))
    folder, folder_moid = _folder(site, spec)
    return SiteFacts(
        spec=spec,
        hosts=_hosts(site, spec),
        datastores=tuple(_datastore(entry) for entry in site.each(vim.Datastore)),
        networks=_networks(site),
        folder=folder,
        folder_moid=folder_moid,
        names_in_folder=_names_in(site, folder_moid),
        read_at=datetime.now(UTC),
    )


def _hosts(site: Datacenter, spec: SiteSpec) -> tuple[HostFacts, ...]:
    if spec.host is not None:
        chosen = [row for row in site.each(vim.HostSystem) if shown(row["name"]) == spec.host]
        known = [shown(row["name"]) for row in site.each(vim.HostSystem)]
        wanted, kind = spec.host, "host"
    else:
        clusters = {shown(row["name"]): row.moid for row in site.each(vim.ClusterComputeResource)}
        above = clusters.get(spec.cluster or "")
        chosen = [row for row in site.each(vim.HostSystem) if above is not None and moid(row["parent"]) == above]
        known = list(clusters)
        wanted, kind = spec.cluster or "", "cluster"
    if wanted not in known:
        raise UserError(
            f"Site {spec.name}: there is no {kind} {wanted!r} in datacenter {spec.datacenter!r}.",
            example=f"{kind} = {' or '.join(repr(name) for name in sorted(known)) or '(none is visible)'}",
        )
    pools = {row.moid: row["resourcePool"] for row in site.each(vim.ComputeResource)}
    return tuple(_host(site, row, pool=pools.get(moid(row["parent"]))) for row in chosen)


def _host(site: Datacenter, row: Row, *, pool: Any | None) -> HostFacts:
    running = [
        vm
        for vm in site.each(vim.VirtualMachine)
        if vm["runtime.host"] == row.ref and vm["runtime.powerState"] == "poweredOn"
    ]
    return HostFacts(
        name=shown(row["name"]),
        moid=row.moid,
        connection=str(row["runtime.connectionState"] or ""),
        in_maintenance=bool(row["runtime.inMaintenanceMode"]),
        version=row["summary.config.product.version"] or "",
        pool_moid=moid(pool) if pool is not None else "",
        datastores=site.names(row["datastore"]),
        networks=site.names(row["network"]),
        running_vms=len(running),
    )


def _datastore(row: Row) -> DatastoreFacts:
    return DatastoreFacts(
        name=shown(row["name"]),
        moid=row.moid,
        kind=row["summary.type"] or "",
        capacity=int(row["summary.capacity"] or 0),
        free=int(row["summary.freeSpace"] or 0),
        accessible=bool(row["summary.accessible"]),
        maintenance=str(row["summary.maintenanceMode"] or "normal"),
    )


def _networks(site: Datacenter) -> tuple[NetworkFacts, ...]:
    switches = {row.moid: row["uuid"] for row in site.each(vim.DistributedVirtualSwitch) if row["uuid"]}
    return tuple(network_facts(row, switches=switches) for row in site.each(vim.Network) if _takes_cards(row))


def _takes_cards(row: Row) -> bool:
    """Say whether we can put a card there: not on an uplink group, and not on an opaque network before NSX 3."""
    return not is_opaque(row) and not (is_portgroup(row) and row["config.uplink"])


def _folder(site: Datacenter, spec: SiteSpec) -> tuple[str, str | None]:
    """Return the folder's path and id: the configured one below the VM folder, or the VM folder itself."""
    root = next(row for row in site.each(vim.Folder) if moid(row["parent"]) == site.row.moid and _keeps_vms(row))
    top = site.tree.path(site.row.ref, str(root["name"]))
    if not spec.folder:
        return top, root.moid
    at: Row | None = root
    for step in spec.folder.strip("/").split("/"):
        below = [row for row in site.each(vim.Folder) if at is not None and moid(row["parent"]) == at.moid]
        at = next((row for row in below if step in {row["name"], shown(row["name"])}), None)
    return f"{top}/{spec.folder.strip('/')}", at.moid if at is not None else None


def _keeps_vms(row: Row) -> bool:
    return any("VirtualMachine" in str(kind) for kind in row["childType"] or ())


def _names_in(site: Datacenter, folder: str | None) -> tuple[str, ...]:
    inside = [
        row for row in site.each(vim.VirtualMachine) if row["parent"] is not None and moid(row["parent"]) == folder
    ]
    return tuple(sorted(shown(row["name"]) for row in inside))
