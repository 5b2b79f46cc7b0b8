"""The least that our account needs, as roles and where each is granted: made of `needs`, for one vCenter at a time.

One role for each kind of object, because of several permissions of one account the nearest alone counts: a role that is
granted on an object must hold all that is needed there and below. Every role has `System.*` besides, as vCenter has it.
Data alone: what becomes of it (a script, a table, a world) is made elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.migration.facts import SiteSpec
from bot.vsphere.needs import ACROSS, ENCRYPTED, NEEDS, WITHIN, Need, Object

SYSTEM: Final = ("System.Anonymous", "System.Read", "System.View")
"""What vCenter puts into every role by itself."""


class Part(StrEnum):
    """What a role is for; its name ends so."""

    ROOT = "root"
    VMS = "vms"
    COMPUTE = "compute"
    DATASTORES = "datastores"
    NETWORKS = "networks"


PART_OF: Final = {
    Object.ROOT: Part.ROOT,
    Object.VM: Part.VMS,
    Object.VM_FOLDER: Part.VMS,
    Object.FOLDER: Part.VMS,
    Object.POOL: Part.COMPUTE,
    Object.HOST: Part.COMPUTE,
    Object.DATASTORE: Part.DATASTORES,
    Object.NETWORK: Part.NETWORKS,
}


class Kind(StrEnum):
    """What a permission is set on."""

    ROOT = "root folder"
    VM_FOLDER = "VM folder"
    CLUSTER = "cluster"
    OF_HOST = "cluster or compute resource of the host"
    DATASTORE = "datastore"
    NETWORK = "network"
    NETWORK_FOLDER = "network folder"


@dataclass(frozen=True, slots=True)
class Extent:
    """What is to be possible: the keys of [allow] that are true, moves within or to another vCenter, encrypted VMs.

    `without`: privileges that are not to be given, whatever goes without them.
    """

    allow: frozenset[str] = frozenset()
    within: bool = True
    across: bool = False
    encrypted: bool = False
    without: frozenset[str] = frozenset()

    def wants(self, need: Need) -> bool:
        """Whether this needs that."""
        if need.privilege in self.without:
            return False
        if need.allow:
            return bool(self.allow.intersection(need.allow))
        return {WITHIN: self.within, ACROSS: self.across, ENCRYPTED: self.encrypted}.get(need.when, True)


@dataclass(frozen=True, slots=True)
class Role:
    """A role, without `System.*`."""

    part: Part
    privileges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grant:
    """Where a role is granted: an object by its name within a datacenter; folders are the datacenter's own."""

    part: Part
    kind: Kind
    datacenter: str = ""
    name: str = ""

    @property
    def propagate(self) -> bool:
        """Whether it holds for what is below, too. Single datastores and networks have nothing below them."""
        return self.kind not in {Kind.DATASTORE, Kind.NETWORK}


def needs_for(extent: Extent) -> tuple[Need, ...]:
    """Return what this extent needs."""
    return tuple(need for need in NEEDS if extent.wants(need))


def roles_of(extent: Extent) -> tuple[Role, ...]:
    """Return the roles, in the order of `Part`; the one for the root is there whatever it holds, for reading."""
    held: dict[Part, set[str]] = {part: set() for part in Part}
    for need in needs_for(extent):
        held[PART_OF[need.on]].add(need.privilege)
    return tuple(Role(part, tuple(sorted(names))) for part, names in held.items())


def grants_of(sites: Sequence[SiteSpec]) -> tuple[Grant, ...]:
    """Return where the roles are granted for these sites, which are all of one vCenter; each once."""
    return tuple(dict.fromkeys([Grant(Part.ROOT, Kind.ROOT), *(one for site in sites for one in _of_site(site))]))


def _of_site(site: SiteSpec) -> Iterator[Grant]:
    """Yield what a site needs, as the one that VMs leave and the one that they go to."""
    yield Grant(Part.VMS, Kind.VM_FOLDER, site.datacenter)
    if site.host is not None:
        yield Grant(Part.COMPUTE, Kind.OF_HOST, site.datacenter, site.host)
    else:
        yield Grant(Part.COMPUTE, Kind.CLUSTER, site.datacenter, site.cluster or "")
    yield Grant(Part.DATASTORES, Kind.DATASTORE, site.datacenter, site.datastore)
    if not site.networks:  # networks keep their names then, so any of them may be meant
        yield Grant(Part.NETWORKS, Kind.NETWORK_FOLDER, site.datacenter)
    for network in dict.fromkeys(site.networks.values()):
        yield Grant(Part.NETWORKS, Kind.NETWORK, site.datacenter, network)


def extent_of(sites: Sequence[SiteSpec], everywhere: Sequence[SiteSpec], *, allow: frozenset[str]) -> Extent:
    """Return what is to be possible at the vCenter of `sites`; `everywhere` are all sites of the config."""
    return Extent(allow, within=len(sites) > 1, across=len(everywhere) > len(sites))
