"""What our account lacks for a plan, asked on the very objects that it touches: they are read, then asked about.

What stays as it is needs nothing: a VM that keeps its folder, its pool, a datastore or a network.

A plan to another vCenter has two halves, and each vCenter is asked for its own.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from pyVmomi import vim

from bot.migration.plan import Plan
from bot.migration.request import VCenterName
from bot.migration.survey import MissingPrivilege
from bot.vsphere.needs import Need, Object, needs_of
from bot.vsphere.networks import WANTED as NETWORKS
from bot.vsphere.networks import is_network_of
from bot.vsphere.properties import Row, Wanted, moid, read_along, start, step
from bot.vsphere.session import Connected
from bot.vsphere.tree import shown

_READ: Final[Wanted] = {
    vim.VirtualMachine: ("parent", "resourcePool", "datastore", "network"),
    vim.Folder: ("name",),
    **NETWORKS,
}


@dataclass(frozen=True, slots=True)
class Touched:
    """An object that a plan touches, as what, and its name for people."""

    role: Object
    reference: Any
    name: str


def missing_privileges(connected: Connected, vcenter: VCenterName, plan: Plan) -> list[MissingPrivilege]:
    """Return what we lack at this vCenter, in two round trips. What the plan has not chosen cannot be asked about."""
    touched = _touched(connected, vcenter, plan)
    changed = {None, *(thing.role for thing in touched)}
    needs = [need for need in needs_of(plan) if need.only_with in changed]
    asked = [(need, thing) for need in needs for thing in touched if need.on is thing.role]
    if not asked:
        return []
    held = held_on(connected, (thing.reference for _, thing in asked), {need.privilege for need, _ in asked})
    lacking = (pair for pair in asked if (moid(pair[1].reference), pair[0].privilege) not in held)
    return list(dict.fromkeys(_missing(*pair) for pair in lacking))


def held_on(connected: Connected, references: Iterable[Any], privileges: Iterable[str]) -> set[tuple[str, str]]:
    """Return which of these privileges we have on which of these objects, as pairs of id and name; one round trip."""
    objects = {moid(one): one for one in references}
    manager = connected.content.authorizationManager
    answers = manager.HasUserPrivilegeOnEntities(list(objects.values()), connected.user, sorted(privileges))
    return {(moid(answer.entity), one.privId) for answer in answers for one in answer.privAvailability if one.isGranted}


def _missing(need: Need, thing: Touched) -> MissingPrivilege:
    return MissingPrivilege(need.privilege, thing.role.value, thing.name, need.what_for, need.needed)


def _touched(connected: Connected, vcenter: VCenterName, plan: Plan) -> list[Touched]:
    """Return what the plan changes in this vCenter, each object once for each of its roles."""
    here, there = vcenter == plan.request.vm.vcenter, vcenter == (plan.far.name if plan.far else vcenter)
    rows = _read(connected, plan, here=here, there=there)
    vm = next((row for row in rows if isinstance(row.ref, vim.VirtualMachine)), None)
    kept = _kept(vm) if vm is not None else set()
    found = [Touched(Object.ROOT, connected.content.rootFolder, "the root folder")]
    if here:
        found.append(Touched(Object.VM, vim.VirtualMachine(plan.vm_moid), plan.request.vm.name))
        if plan.source.host_moid:
            found.append(Touched(Object.HOST, vim.HostSystem(plan.source.host_moid), plan.source.host))
        folders = (row for row in rows if isinstance(row.ref, vim.Folder))
        found += [Touched(Object.VM_FOLDER, row.ref, shown(row["name"])) for row in folders]
    if there:
        new = (*_places(plan), *_networks(plan, rows))
        found += [thing for thing in new if moid(thing.reference) not in kept]
    return found


def _kept(vm: Row) -> set[str]:
    """Return the ids of what the VM is in or uses now."""
    single = [one for path in ("parent", "resourcePool") if (one := vm[path]) is not None]
    return {moid(one) for one in (*single, *(vm["datastore"] or ()), *(vm["network"] or ()))}


def _read(connected: Connected, plan: Plan, *, here: bool, there: bool) -> list[Row]:
    starts = []
    if here:
        starts.append(start(vim.VirtualMachine(plan.vm_moid), step(vim.VirtualMachine, "parent"), itself=True))
    if there and plan.target.host_moid and plan.nics:
        starts.append(start(vim.HostSystem(plan.target.host_moid), step(vim.HostSystem, "network")))
    return read_along(connected, starts, _READ) if starts else []


def _places(plan: Plan) -> Iterator[Touched]:
    target = plan.target
    if target.host_moid:
        yield Touched(Object.HOST, vim.HostSystem(target.host_moid), target.host)
    if target.pool_moid:
        yield Touched(Object.POOL, vim.ResourcePool(target.pool_moid), f"of {target.host}")
    if target.folder_moid:
        yield Touched(Object.FOLDER, vim.Folder(target.folder_moid), target.folder)
    stores = {target.datastore_moid: target.datastore}
    stores |= {move.datastore_moid: move.datastore for move in plan.disk_moves}
    for store, name in stores.items():
        if store:
            yield Touched(Object.DATASTORE, vim.Datastore(store), name)


def _networks(plan: Plan, rows: Iterable[Row]) -> Iterator[Touched]:
    """Yield the networks of the target host that cards go to. One that the host does not have is another concern."""
    for row in rows:
        if isinstance(row.ref, vim.Network) and any(is_network_of(row, move) for move in plan.nics):
            yield Touched(Object.NETWORK, row.ref, shown(row["name"]))
