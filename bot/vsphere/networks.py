"""Networks and the backings of network cards: standard networks go by name, port groups by key, NSX by its own id."""

# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from pyVmomi import vim

from bot.migration.facts import NetworkFacts
from bot.migration.plan import NicMove
from bot.vsphere.properties import Row, Wanted, moid
from bot.vsphere.tree import shown

PATHS = ("name", "key", "config.distributedVirtualSwitch", "config.uplink")
WANTED: Final[Wanted] = {
    vim.Network: ("name",),
    vim.OpaqueNetwork: ("name", "summary.opaqueNetworkId"),
    vim.dvs.DistributedVirtualPortgroup: PATHS,
}
LOGICAL_SWITCH = "nsx.LogicalSwitch"
"""What the API calls an NSX network that is not a distributed port group."""

Card = vim.vm.device.VirtualEthernetCard


class Networks:
    """The networks that were read, and the name of the one that a backing stands for."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = [row for row in rows if isinstance(row.ref, vim.Network)]
        self._portgroups = {_key(row): shown(row["name"]) for row in self.rows if is_portgroup(row)}

    def name_of(self, backing: Any) -> str:
        """Return the network's name for people, or empty when the card has none that we can see."""
        match backing:
            case Card.DistributedVirtualPortBackingInfo():
                return self._portgroups.get(backing.port.portgroupKey or "", "")
            case Card.NetworkBackingInfo():
                return backing.deviceName or ""
            case Card.OpaqueNetworkBackingInfo():  # its name is not in the backing; most VMs are on one such network
                opaque = [shown(row["name"]) for row in self.rows if is_opaque(row)]
                return opaque[0] if len(opaque) == 1 else backing.opaqueNetworkId or ""
            case _:
                return ""


def is_opaque(row: Row) -> bool:
    return isinstance(row.ref, vim.OpaqueNetwork)


def is_portgroup(row: Row) -> bool:
    return isinstance(row.ref, vim.dvs.DistributedVirtualPortgroup)


def _key(row: Row) -> str:
    return row["key"] or row.moid


def network_facts(row: Row, *, switches: dict[str, str]) -> NetworkFacts:
    """Make the facts of a network; `switches` maps a distributed switch's id to its UUID."""
    switch = row["config.distributedVirtualSwitch"]
    uuid = switches.get(moid(switch)) if switch is not None else None
    key = _key(row) if is_portgroup(row) and uuid else None
    return NetworkFacts(
        name=shown(row["name"]),
        moid=row.moid,
        portgroup_key=key,
        switch_uuid=uuid if key else None,
        opaque_id=row["summary.opaqueNetworkId"],
    )


def is_network_of(row: Row, move: NicMove) -> bool:
    """Say whether a network of the target host is the one that a card goes to."""
    if is_portgroup(row):
        return move.portgroup_key == _key(row)
    if is_opaque(row):
        return move.opaque_id is not None and move.opaque_id == row["summary.opaqueNetworkId"]
    return move.portgroup_key is move.opaque_id is None and shown(row["name"]) == move.target_network


def target_backing(move: NicMove) -> Any:
    """Make the backing that puts a card on the network it is to be on."""
    if move.opaque_id is not None:
        return Card.OpaqueNetworkBackingInfo(opaqueNetworkId=move.opaque_id, opaqueNetworkType=LOGICAL_SWITCH)
    if move.portgroup_key is None:
        return Card.NetworkBackingInfo(deviceName=move.target_network)
    port = vim.dvs.PortConnection(portgroupKey=move.portgroup_key, switchUuid=move.switch_uuid)
    return Card.DistributedVirtualPortBackingInfo(port=port)


def already_there(backing: Any, move: NicMove) -> bool:
    """Say whether a card needs no change: port groups of one name in two datacenters are different networks."""
    match backing:
        case Card.DistributedVirtualPortBackingInfo():
            return bool(backing.port.portgroupKey == move.portgroup_key)
        case Card.NetworkBackingInfo():
            return move.portgroup_key is move.opaque_id is None and backing.deviceName == move.target_network
        case Card.OpaqueNetworkBackingInfo():
            return bool(backing.opaqueNetworkId == move.opaque_id)
        case _:
            return False
