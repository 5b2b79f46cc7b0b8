"""Finding VMs: by name, by inventory path, by UUID; and all of them at once for the bot's type-ahead.

Names are not unique in a vCenter and paths change; what everybody else keeps is the instance UUID.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pyVmomi import vim, vmodl

from bot.errors import UserError
from bot.migration.request import VCenterName, VmRef
from bot.vsphere.faults import translate
from bot.vsphere.port import InventoryVm
from bot.vsphere.properties import Row, moid, read_below, read_each
from bot.vsphere.session import Connected
from bot.vsphere.tree import Tree, read_tree, shown

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

LINE = (
    "name",
    "parent",
    "parentVApp",
    "config.instanceUuid",
    "summary.config.instanceUuid",
    "runtime.host",
    "runtime.powerState",
)


def list_vms(connected: Connected, vcenter: VCenterName) -> list[InventoryVm]:
    """Return every VM, sorted by path."""
    tree = read_tree(connected)
    rows = read_below(connected, connected.content.rootFolder, {vim.VirtualMachine: LINE})
    return vm_lines(vcenter, tree, rows)


def find_vms(connected: Connected, vcenter: VCenterName, query: str) -> list[InventoryVm]:
    """Return the VMs that `query` names exactly."""
    text = query.strip()
    found = _candidates(connected, text.lower() if UUID.fullmatch(text) else text)
    rows = read_each(connected, found, {vim.VirtualMachine: LINE})
    return vm_lines(vcenter, read_tree(connected), rows) if rows else []


def _candidates(connected: Connected, query: str) -> list[Any]:
    search = connected.content.searchIndex
    if UUID.fullmatch(query):  # clones by hand may share a BIOS UUID, so all are asked for
        found = [*search.FindAllByUuid(None, query, True, True), *search.FindAllByUuid(None, query, True, False)]
        return list({moid(vm): vm for vm in found}.values())
    if query.startswith("/"):
        at_path = search.FindByInventoryPath(query)
        return [at_path] if isinstance(at_path, vim.VirtualMachine) else []
    names = read_below(connected, connected.content.rootFolder, {vim.VirtualMachine: ("name",)})
    return [row.ref for row in names if query in {row["name"], shown(row["name"])}]


def vm_lines(vcenter: VCenterName, tree: Tree, rows: Iterable[Row]) -> list[InventoryVm]:
    """Return VMs as rows of the inventory, read with the paths of `LINE`."""
    lines = [_line(vcenter, tree, row) for row in rows if uuid_of(row) and row["name"]]
    return sorted(lines, key=lambda line: line.path)


def _line(vcenter: VCenterName, tree: Tree, row: Row) -> InventoryVm:
    parent = row["parent"] or row["parentVApp"]
    datacenter = tree.datacenter(parent or row["runtime.host"])
    return InventoryVm(
        ref=VmRef(vcenter, uuid_of(row), shown(row["name"])),
        path=tree.path(parent, row["name"]),
        host=tree.name(row["runtime.host"]),
        site_hint=shown(datacenter["name"]) if datacenter else "",
        power=str(row["runtime.powerState"] or ""),
    )


def uuid_of(row: Row) -> str:
    """Return the instance UUID; a VM whose files cannot be read has it only in its summary, or not at all."""
    return row["config.instanceUuid"] or row["summary.config.instanceUuid"] or ""


def find_by_uuid(connected: Connected, uuid: str) -> Any | None:
    """Return the VM with this instance UUID, if there is one."""
    return connected.content.searchIndex.FindByUuid(None, uuid, True, True)


def require_vm(connected: Connected, uuid: str) -> Any:
    """Return the VM with this instance UUID; FaultError of kind ManagedObjectNotFound without it."""
    found = find_by_uuid(connected, uuid)
    if found is None:
        text = f"This vCenter has no VM with the instance UUID {uuid} (any more), or {connected.user} may not see it"
        raise translate(vmodl.fault.ManagedObjectNotFound(msg=text))
    return found


def require_datacenter(tree: Tree, name: str, *, site: str) -> Row:
    """Return the datacenter of this name; UserError names those that exist."""
    datacenters = {shown(node["name"]): node for node in tree.each(vim.Datacenter)}
    if name not in datacenters:
        raise UserError(
            f"Site {site}: there is no datacenter {name!r} in this vCenter.",
            example=f"datacenter = {' or '.join(repr(known) for known in sorted(datacenters)) or '(none is visible)'}",
        )
    return datacenters[name]
