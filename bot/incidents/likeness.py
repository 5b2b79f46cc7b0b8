"""What one failure has to do with an incident, and one incident with another. Pure; docs/decisions/0008 says why."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import Final

from bot.diagnosis.causes import TRANSPORT, Cause
from bot.diagnosis.opid import op_base
from bot.hostlog.line import HostKey
from bot.incidents.identity import continued
from bot.incidents.incident import Client, Failure, Incident

PATHS: Final = TRANSPORT | {Cause.UNDETERMINED}
"""One dead link shows as any of these; which one, depends on the moment at which it died."""

_ALIKE: Final = frozenset({Client.MIGRATION, Client.OTHER})
"""Often lines do not tell whose copy it was, and then it is mostly a migration."""


class Tie(IntEnum):
    """Why a failure belongs to an incident, the weakest first."""

    NONE = 0
    BESIDE = 1
    """It names no other end, and hosts of the incident complain of a path at that time."""
    HOST = 2
    DATASTORE = 3
    VM = 4
    PEER = 5
    LINK = 6
    OPERATION = 7
    SAME = 8
    """It is in the incident already."""


@dataclass(frozen=True, slots=True)
class _Path:
    """What a failure or an incident says of the network: who complains, of whom, across which links, when."""

    keys: Collection[HostKey]
    peers: Collection[str]
    links: Collection[str]
    sites: Collection[str]
    sure: bool
    """A rule knows it as a trouble of the network; else the lines do not tell."""
    storm: bool

    @property
    def nameless(self) -> bool:
        return not self.peers and not self.links

    @property
    def hosts(self) -> set[str]:
        """By their names; in a storm there are many, and mostly nobody asks."""
        return {name_of(key) for key in self.keys}

    @property
    def link(self) -> str | None:
        """The only one."""
        return next(iter(self.links)) if len(self.links) == 1 else None


def end_of(failure: Failure) -> str | None:
    """The other end: its name in the inventory, else what the lines call it."""
    return name_of(failure.peer_host) if failure.peer_host else failure.peer


def name_of(host: HostKey) -> str:
    """A host as the inventory of its vCenter has it."""
    return host.partition("/")[2]


@lru_cache(maxsize=4096)
def base_of(op_id: str) -> str:
    """What all opIDs of one action share; the same few are asked for again and again."""
    return op_base(op_id).casefold()


def vcenters_of(hosts: Iterable[HostKey]) -> set[str]:
    return {host.partition("/")[0] for host in hosts}


def is_path(incident: Incident) -> bool:
    """Whether it is about the way between hosts; what it learned of that outweighs a verdict that came later."""
    return incident.cause in PATHS or bool(incident.links)


def known_as(failure: Failure, incident: Incident) -> str | None:
    """The name under which the incident has this failure already."""
    if failure.id in incident.failures:
        return failure.id
    until = max((count.last for host in failure.hosts if (count := incident.hosts.get(host))), default=None)
    if until is None:
        return None
    return continued(failure.id, first=failure.first, last=failure.last, told=incident.failures, until=until)


def tie(failure: Failure, incident: Incident, *, window: timedelta) -> Tie:
    """The strongest reason why the failure belongs to the incident. `window`: how far apart in time they may be."""
    if known_as(failure, incident):
        return Tie.SAME
    if Client.OURS in {failure.client, incident.client}:
        ours = failure.job is not None and failure.job == incident.job
        return Tie.OPERATION if ours else Tie.NONE
    if _same_operation(failure, incident):
        return Tie.OPERATION
    near = _near(failure.first, failure.last, incident, window)
    if not near or not (mixable(failure.client, incident.client) or incident.storm):
        return Tie.NONE
    return max(_path_tie(failure, incident), _other_tie(failure, incident))


def mixable(one: Client, other: Client) -> bool:
    """Whether failures of these clients may be one incident without a storm."""
    return one == other or {one, other} <= _ALIKE


def related(one: Incident, other: Incident, *, window: timedelta) -> bool:
    """Whether two incidents are one if either is a storm: the same link, peer or datastore at the same time."""
    if Client.OURS in {one.client, other.client} or not _near(one.first, one.last, other, window):
        return False
    if is_path(one) and is_path(other):
        here, there = _path_of(one), _path_of(other)
        return max(_paths(here, there), _paths(there, here)) > Tie.NONE
    if one.cause != other.cause:
        return False
    return bool({*one.peers} & {*other.peers}) or _same_store(one.datastores, other.datastores, one, other)


def _same_operation(failure: Failure, incident: Incident) -> bool:
    if {*map(base_of, failure.op_ids)} & {*map(base_of, incident.op_ids)}:
        return True
    if failure.task is None or failure.task not in incident.tasks:
        return False
    return bool(vcenters_of(failure.hosts) & vcenters_of(incident.hosts))


def _near(first: datetime, last: datetime, incident: Incident, window: timedelta) -> bool:
    return first - window <= incident.last and incident.first - window <= last


def _path_tie(failure: Failure, incident: Incident) -> Tie:
    if failure.cause not in PATHS or not is_path(incident):
        return Tie.NONE
    return _paths(_path_of_failure(failure), _path_of(incident))


def _paths(one: _Path, many: _Path) -> Tie:
    """Why the one belongs to the other. What crosses several links is about a host, not about any of them."""
    if one.link and one.link == many.link:
        return Tie.LINK
    if one.nameless or many.nameless:
        return _beside(one, many)
    if one.links and many.links and (_on_one_link(one) or _on_one_link(many)):
        return Tie.NONE
    if {*one.peers} & {*many.peers}:
        return Tie.PEER
    opposite = one.hosts & {*many.peers} and many.hosts & {*one.peers}
    return Tie.PEER if opposite else Tie.NONE


def _beside(one: _Path, many: _Path) -> Tie:
    """Where one names no other end: its hosts complain, or are complained of, or their site is in a storm."""
    if one.nameless and one.hosts <= {*many.hosts, *many.peers}:
        return Tie.BESIDE
    if many.nameless and many.hosts <= {*one.hosts, *one.peers}:
        return Tie.BESIDE
    in_storm = one.nameless and one.sure and many.storm and bool(many.links) and one.sites
    return Tie.BESIDE if in_storm and {*one.sites} <= {*many.sites} else Tie.NONE


def _on_one_link(path: _Path) -> bool:
    return path.storm and path.link is not None


def _path_of(incident: Incident) -> _Path:
    return _Path(
        incident.hosts,
        incident.peers,
        incident.links,
        incident.sites,
        incident.cause in TRANSPORT,
        incident.storm,
    )


def _path_of_failure(failure: Failure) -> _Path:
    peer, link = end_of(failure), failure.link
    sure = failure.cause in TRANSPORT
    return _Path(failure.hosts, (peer,) if peer else (), (link,) if link else (), failure.sites, sure, storm=False)


def _other_tie(failure: Failure, incident: Incident) -> Tie:
    """The same VM whatever the cause; else the same cause at the same place. In a storm one host says nothing."""
    if _same_vm(failure, incident) and not incident.storm:
        return Tie.VM
    if failure.cause != incident.cause:
        return Tie.NONE
    if failure.cause not in PATHS:
        if end_of(failure) in incident.peers:
            return Tie.PEER
        if failure.datastore and _same_store((failure.datastore,), incident.datastores, failure, incident):
            return Tie.DATASTORE
    elif failure.link and incident.links and failure.link not in incident.links:
        return Tie.NONE
    return Tie.HOST if not incident.storm and {*failure.hosts} & incident.hosts.keys() else Tie.NONE


def _same_vm(failure: Failure, incident: Incident) -> bool:
    known = failure.vm is not None and failure.vm in incident.vms
    return known and bool(vcenters_of(failure.hosts) & vcenters_of(incident.hosts))


def _same_store(
    mine: Collection[str], theirs: Collection[str], one: Failure | Incident, other: Failure | Incident
) -> bool:
    return bool({*mine} & {*theirs} and vcenters_of(one.hosts) & vcenters_of(other.hosts))
