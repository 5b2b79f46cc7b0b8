"""What our account lacks, on the very objects of the config: their root, hosts, pools, datastores, networks and VMs.

The table is that of `needs`, as far as the config makes use of it. What a migration fails without is an error, and so
is what [allow] promises and vCenter refuses; the rest is a warning with what goes without it.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from pyVmomi import vim

from bot.finding import Finding, error, fine, warning
from bot.migration.facts import NetworkFacts, SiteFacts, SiteSpec
from bot.vsphere.examination_look import Check, Look
from bot.vsphere.examination_site import names
from bot.vsphere.needs import Need, Object
from bot.vsphere.privileges import Touched, held_on
from bot.vsphere.properties import moid, read_along, start, step
from bot.vsphere.roles import PART_OF, needs_for
from bot.vsphere.session import Connected
from bot.vsphere.traces import ATTRIBUTE
from bot.vsphere.tree import shown

VMS: Final = 50
"""So many VMs of a site are asked about: permissions of single VMs are rare, and thousands are many."""

_DEFINE: Final = "Global.ManageCustomFields"


def checks(look: Look) -> list[tuple[str, Check]]:
    """What is needed of the vCenter as a whole."""
    return [(f"vcenter.{look.name}.privileges", partial(_of_root, look, f"vcenter.{look.name}"))]


def site_checks(look: Look, site: SiteSpec) -> list[tuple[str, Check]]:
    """What is needed of a site that was read."""
    return [(f"site.{site.name}.privileges", partial(_of_site, look, site, f"site.{site.name}"))]


def _of_root(look: Look, about: str) -> Iterator[Finding]:
    needs = [need for need in needs_for(look.patient.extent) if need.on is Object.ROOT]
    if look.ask(_is_defined):
        needs = [need for need in needs if need.privilege != _DEFINE]
    yield from _judged(look, about, needs, look.ask(_root))


def _root(connected: Connected) -> list[Touched]:
    return [Touched(Object.ROOT, connected.content.rootFolder, "the root folder")]


def _is_defined(connected: Connected) -> bool:
    """Whether somebody has defined the attribute already, for VMs or for all."""
    fields = connected.content.customFieldsManager.field or ()
    return any(field.name == ATTRIBUTE and field.managedObjectType in {None, vim.VirtualMachine} for field in fields)


def _of_site(look: Look, site: SiteSpec, about: str) -> Iterator[Finding]:
    facts = look.seen.get(site.name)
    if facts is None:
        return
    needs = [need for need in needs_for(look.patient.extent) if need.on is not Object.ROOT]
    yield from _judged(look, about, needs, look.ask(lambda connected: _objects(connected, facts)))


def _judged(look: Look, about: str, needs: Sequence[Need], objects: Sequence[Touched]) -> Iterator[Finding]:
    asked = [(need, thing) for need in needs for thing in objects if need.on is thing.role]
    privileges = {need.privilege for need, _ in asked}
    if not asked:
        return
    held = look.ask(lambda connected: held_on(connected, (thing.reference for _, thing in asked), privileges))
    lacking: dict[str, list[tuple[Need, Touched]]] = {}
    for need, thing in asked:
        if (moid(thing.reference), need.privilege) not in held:
            lacking.setdefault(need.privilege, []).append((need, thing))
    for privilege, found in lacking.items():
        yield _missing(f"{about}.privilege.{privilege}", privilege, found, look)
    if not lacking:
        each = len({moid(thing.reference) for _, thing in asked})
        yield fine(
            f"{about}.privileges",
            f"All {len(privileges)} privileges are there, on {each} object{'s' if each > 1 else ''}.",
        )


def _missing(about: str, privilege: str, found: Sequence[tuple[Need, Touched]], look: Look) -> Finding:
    need = found[0][0]
    allowed = sorted(look.patient.extent.allow.intersection(need.allow))
    says = f"Our account lacks {privilege} on {_places(found)}, {need.what_for}."
    do = f"Grant it: `coldmigrate role {look.name}` (role coldmigrate-{PART_OF[need.on]}). Without it"
    if allowed:
        keys = " and ".join(f"allow.{key}" for key in allowed)
        return error(about, f"{says} The config says {keys} = true.", do=f"{do}: {need.without}.")
    return (error if need.needed else warning)(about, says, do=f"{do}: {need.without}.")


def _places(found: Sequence[tuple[Need, Touched]]) -> str:
    by_kind: dict[str, set[str]] = {}
    for _, thing in found:
        by_kind.setdefault(thing.role.value, set()).add(thing.name)
    return "; ".join(f"{kind} {names(every)}" for kind, every in by_kind.items())


def _objects(connected: Connected, facts: SiteFacts) -> list[Touched]:
    """What a site has of each kind, and VMs on its hosts with the folders that they are in."""
    pools = {host.pool_moid: host.name for host in facts.hosts if host.pool_moid}
    found = [Touched(Object.HOST, vim.HostSystem(host.moid), host.name) for host in facts.hosts]
    found += [Touched(Object.POOL, vim.ResourcePool(pool), f"of {name}") for pool, name in pools.items()]
    found += [
        Touched(Object.DATASTORE, vim.Datastore(store.moid), store.name)
        for store in facts.datastores
        if store.name == facts.spec.datastore
    ]
    if facts.folder_moid:
        found.append(Touched(Object.FOLDER, vim.Folder(facts.folder_moid), facts.folder))
    wanted = set(facts.spec.networks.values())
    found += [
        Touched(Object.NETWORK, _network(network), network.name)
        for network in facts.networks
        if not wanted or network.name in wanted
    ]
    vms = _vms(connected, facts)
    if not vms and facts.folder_moid:  # what holds for those that will be there
        vms = [Touched(Object.VM, vim.Folder(facts.folder_moid), f"of {facts.folder}")]
    return [*found, *vms]


def _network(facts: NetworkFacts) -> Any:
    """A reference names the very type of its object, or vCenter finds none."""
    if facts.portgroup_key is not None:
        return vim.dvs.DistributedVirtualPortgroup(facts.moid)
    return vim.OpaqueNetwork(facts.moid) if facts.opaque_id is not None else vim.Network(facts.moid)


def _vms(connected: Connected, facts: SiteFacts) -> list[Touched]:
    up = step(vim.VirtualMachine, "parent")
    starts = [start(vim.HostSystem(host.moid), step(vim.HostSystem, "vm", up)) for host in facts.hosts]
    wanted = {vim.VirtualMachine: ("name", "parent"), vim.Folder: ("name",)}
    rows = read_along(connected, starts, wanted) if starts else []
    some = [row for row in rows if isinstance(row.ref, vim.VirtualMachine)][:VMS]
    above = {moid(row["parent"]) for row in some if row["parent"] is not None}
    return [
        *(Touched(Object.VM, row.ref, shown(row["name"])) for row in some),
        *(Touched(Object.VM_FOLDER, row.ref, shown(row["name"])) for row in rows if row.moid in above),
    ]
