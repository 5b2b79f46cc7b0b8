"""All hosts of a vCenter, for those who watch their logs: where each stands, and the addresses it may speak from.

Two round trips for some hundred hosts and one more for each five hundred: the tree, and the hosts' own interfaces.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pyVmomi import vim

from bot.vsphere.port import HostEntry
from bot.vsphere.properties import Row, read_below
from bot.vsphere.session import Connected
from bot.vsphere.tree import Tree, read_tree, shown

_NICS: Final = "config.network.vnic"
_HOST: Final = ("name", "parent", "runtime.connectionState", _NICS)


def read_roll(connected: Connected) -> list[HostEntry]:
    """Return all hosts by name. One whose interfaces are not told has no addresses."""
    tree = read_tree(connected)
    rows = read_below(connected, connected.content.rootFolder, {vim.HostSystem: _HOST})
    return sorted((_entry(row, tree) for row in rows if row["name"]), key=lambda entry: entry.name)


def _entry(row: Row, tree: Tree) -> HostEntry:
    datacenter = tree.datacenter(row["parent"])
    return HostEntry(
        name=shown(row["name"]),
        datacenter=shown(datacenter["name"]) if datacenter else "",
        cluster=tree.name(row["parent"]),
        connection=str(row["runtime.connectionState"] or ""),
        addresses=frozenset(_addresses(row[_NICS] or ())),
    )


def _addresses(nics: Any) -> Iterator[str]:
    for nic in nics:
        ip = nic.spec.ip if nic.spec is not None else None
        if ip is None:
            continue
        if ip.ipAddress:
            yield ip.ipAddress
        if ip.ipV6Config is not None:
            yield from (entry.ipAddress.lower() for entry in ip.ipV6Config.ipV6Address or () if entry.ipAddress)
