"""The inventory's tree: who stands below whom, and the paths people know things by.

One read of folders, datacenters, clusters and hosts serves every question of "where": asking each object for its
parent would be a round trip per step. It is one round trip, and VMs are passed without being told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pyVmomi import vim

from bot.vsphere.properties import Row, again, moid, start, step, stream_along
from bot.vsphere.session import Connected

NODES = {
    vim.Folder: ("name", "parent"),
    vim.Datacenter: ("name", "parent"),
    vim.ComputeResource: ("name", "parent"),
    vim.HostSystem: ("name", "parent"),
    vim.VirtualApp: ("name", "parentFolder", "parent"),
}
UP = (
    step(vim.ManagedEntity, "parent", again(vim.ManagedEntity, "parent"), again(vim.VirtualApp, "parentFolder")),
    step(vim.VirtualApp, "parentFolder", again(vim.ManagedEntity, "parent")),
    step(
        vim.VirtualMachine,
        "parentVApp",
        again(vim.ManagedEntity, "parent"),
        again(vim.VirtualApp, "parentFolder"),
    ),
)
"""The way from an object to all above it; a vApp is in a pool and in a folder."""


def shown(name: str | None) -> str:
    """Return a name as its owner typed it: vCenter keeps slash, backslash and percent escaped."""
    text = name or ""
    for escaped, plain in (("%2f", "/"), ("%2F", "/"), ("%5c", "\\"), ("%5C", "\\"), ("%25", "%")):
        text = text.replace(escaped, plain)
    return text


@dataclass(frozen=True, slots=True)
class Tree:
    """Folders, datacenters, compute resources, hosts and vApps by id, and the id of the root folder."""

    root: str
    nodes: dict[str, Row]

    def above(self, parent: Any) -> Iterator[Row]:
        """Yield `parent` and everything above it, the root folder left out."""
        at = moid(parent) if parent is not None else self.root
        while at != self.root and (node := self.nodes.get(at)) is not None:
            yield node
            over = node["parentFolder"] or node["parent"]
            at = moid(over) if over is not None else self.root

    def path(self, parent: Any, name: str | None = None) -> str:
        """Return an inventory path such as `/DC1/vm/Apps/web01`, names escaped as vCenter does."""
        steps = [str(node["name"]) for node in self.above(parent)]
        return "/" + "/".join([*reversed(steps), *([name] if name else [])])

    def datacenter(self, parent: Any) -> Row | None:
        return next((node for node in self.above(parent) if isinstance(node.ref, vim.Datacenter)), None)

    def name(self, reference: Any) -> str:
        """Return a node's name for people, or empty."""
        node = self.nodes.get(moid(reference)) if reference is not None else None
        return shown(node["name"]) if node else ""

    def each(self, kind: type) -> Iterator[Row]:
        return (node for node in self.nodes.values() if isinstance(node.ref, kind))


def read_tree(connected: Connected) -> Tree:
    """Read the whole tree."""
    root = connected.content.rootFolder
    return tree_of(root, stream_along(connected, [start(root, _down(), itself=True)], NODES))


def tree_of(root: Any, rows: Iterable[Row]) -> Tree:
    """Make a tree of rows that were read together with others."""
    return Tree(moid(root), {row.moid: row for row in rows if isinstance(row.ref, tuple(NODES))})


def _down() -> Any:
    """Make the way from a folder to all below it that is a part of the tree."""
    return step(
        vim.Folder,
        "childEntity",
        again(vim.Folder, "childEntity"),
        step(vim.Datacenter, "vmFolder", again(vim.Folder, "childEntity")),
        step(vim.Datacenter, "hostFolder", again(vim.Folder, "childEntity")),
        step(vim.ComputeResource, "host"),
        step(vim.VirtualApp, "resourcePool", again(vim.VirtualApp, "resourcePool")),
    )
