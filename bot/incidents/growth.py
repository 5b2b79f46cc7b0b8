"""An incident that a failure is added to, and one that another goes up in. Pure; every list is bounded, counts are not.

A failure counts once, its lines as often as there are more of them than before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar

from bot.diagnosis.causes import Cause
from bot.hostlog.line import HostKey
from bot.incidents.incident import Client, Failure, HostCount, Incident, IncidentId
from bot.incidents.likeness import PATHS, end_of, is_path, known_as

MOST_HOSTS: Final = 1_000
MOST_FAILURES: Final = 2_000
"""More than a judge remembers, mostly: whoever takes over reads again what is remembered, and counts none twice."""
MOST_NAMES: Final = 200
MOST_VMS_OF_HOST: Final = 20
_WEIGHT: Final = (Client.OURS, Client.MIGRATION, Client.OTHER, Client.REPLICATION, Client.BACKUP)

T = TypeVar("T")


def begun(failure: Failure, incident: IncidentId, *, now: datetime) -> Incident:
    """An incident of this one failure."""
    empty = Incident(
        id=incident,
        cause=failure.cause,
        confidence=failure.confidence,
        basis=failure.basis,
        client=failure.client,
        first=failure.first,
        last=failure.last,
        count=0,
        lines=0,
        hosts={},
        verdict=failure.verdict,
        spokesman=failure.id,
    )
    return grown(empty, failure, now=now)


def grown(incident: Incident, failure: Failure, *, now: datetime) -> Incident:
    """The incident with this failure, or with what is new of it. The same incident if nothing is."""
    name = known_as(failure, incident)
    more = failure.lines if name is None else _more(incident, failure, incident.failures[name])
    name = name or failure.id
    larger = _counted(incident, failure, name, more) if more else incident
    return _ended(_told(_named(larger, failure), failure, name), failure, name, now=now, heard=bool(more))


def merged(incident: Incident, other: Incident) -> Incident:
    """The incident with all that the other one was."""
    surer = other if _surer(other.cause, other.confidence, incident) else incident
    hosts = dict(incident.hosts)
    for host, count in other.hosts.items():
        hosts[host] = _sum(hosts[host], count) if host in hosts else count
    return replace(
        incident,
        cause=surer.cause,
        confidence=surer.confidence,
        basis=surer.basis,
        verdict=surer.verdict,
        spokesman=surer.spokesman,
        client=weightier(incident.client, other.client),
        first=min(incident.first, other.first),
        last=max(incident.last, other.last),
        count=incident.count + other.count,
        lines=incident.lines + other.lines,
        failed=incident.failed + other.failed,
        hosts=_newest_hosts(hosts),
        failures=_newest({**other.failures, **incident.failures}, MOST_FAILURES),
        ended=_joined(other.ended, incident.ended, most=MOST_FAILURES),
        sites=_joined(incident.sites, other.sites),
        links=(links := _joined(incident.links, other.links)),
        link=_only(links),
        peers=_joined(incident.peers, other.peers),
        vms=_joined(incident.vms, other.vms),
        op_ids=_joined(incident.op_ids, other.op_ids),
        tasks=_joined(incident.tasks, other.tasks),
        datastores=_joined(incident.datastores, other.datastores),
        storm=incident.storm or other.storm,
        flaps=max(incident.flaps, other.flaps),
        heard=max(filter(None, (incident.heard, other.heard)), default=None),
        merged=_joined(incident.merged, (*other.merged, other.id), most=MOST_HOSTS),
    )


def weightier(one: Client, other: Client) -> Client:
    """Whose incident it is if it is about both."""
    return min(one, other, key=_WEIGHT.index)


def _more(incident: Incident, failure: Failure, known: int) -> int:
    """How many lines are new. Where old ones were forgotten meanwhile nobody can tell; of a later one, one is."""
    later = failure.last > max(
        (count.last for host in failure.hosts if (count := incident.hosts.get(host))), default=incident.last
    )
    return max(failure.lines - known, int(later))


def _counted(incident: Incident, failure: Failure, name: str, more: int) -> Incident:
    new = name not in incident.failures
    failures = dict(incident.failures)
    failures[name] = failures.pop(name, 0) + more  # the last is the newest
    hosts = dict(incident.hosts)
    for host in failure.hosts:
        hosts[host] = _heard(hosts.get(host), failure, more, new=new or host not in hosts)
    return replace(
        incident,
        first=min(incident.first, failure.first),
        last=max(incident.last, failure.last),
        count=incident.count + new,
        lines=incident.lines + more,
        hosts=_newest_hosts(hosts),
        failures=_newest(failures, MOST_FAILURES),
    )


def _heard(count: HostCount | None, failure: Failure, more: int, *, new: bool) -> HostCount:
    one = HostCount(failures=int(new), lines=more, last=failure.last)
    return one if count is None else _sum(count, one)


def _sum(one: HostCount, other: HostCount) -> HostCount:
    return HostCount(
        failures=one.failures + other.failures,
        lines=one.lines + other.lines,
        last=max(one.last, other.last),
        vms=_joined(one.vms, other.vms, most=MOST_VMS_OF_HOST),
    )


def _named(incident: Incident, failure: Failure) -> Incident:
    """Add the names that the failure bears. A copy that ended for another reason says nothing of the way."""
    alike = (failure.cause in PATHS) == is_path(incident)
    links = _joined(incident.links, (failure.link,)) if failure.link and alike and is_path(incident) else incident.links
    peer = end_of(failure) if alike else None
    return replace(
        incident,
        hosts=_with_vm(incident.hosts, failure),
        sites=_joined(incident.sites, failure.sites),
        links=links,
        link=_only(links),
        peers=_joined(incident.peers, (peer,) if peer else ()),
        vms=_joined(incident.vms, (failure.vm,) if failure.vm else ()),
        op_ids=_joined(incident.op_ids, failure.op_ids),
        tasks=_joined(incident.tasks, (failure.task,) if failure.task else ()),
        datastores=_joined(incident.datastores, (failure.datastore,) if failure.datastore else ()),
        job=incident.job or failure.job,
    )


def _with_vm(hosts: Mapping[HostKey, HostCount], failure: Failure) -> Mapping[HostKey, HostCount]:
    """The VM of a failure may become known long after its lines."""
    vm = failure.vm
    lacking = [host for host in failure.hosts if vm and host in hosts and vm not in hosts[host].vms]
    if not vm or not lacking:
        return hosts
    named = {host: replace(hosts[host], vms=_joined(hosts[host].vms, (vm,), most=MOST_VMS_OF_HOST)) for host in lacking}
    return {**hosts, **named}


def _told(incident: Incident, failure: Failure, name: str) -> Incident:
    """Whoever is surest speaks for all; and who has spoken may change their mind."""
    client = failure.client if incident.count == 1 else weightier(incident.client, failure.client)
    mine = incident.spokesman == name
    if not mine and not _surer(failure.cause, failure.confidence, incident):
        return replace(incident, client=client)
    return replace(
        incident,
        client=client,
        cause=failure.cause,
        confidence=failure.confidence,
        basis=failure.basis,
        verdict=failure.verdict,
        spokesman=name,
    )


def _surer(cause: Cause, confidence: float, incident: Incident) -> bool:
    """A storm of the network is not explained by one copy that ended for another reason."""
    if incident.storm and is_path(incident) and cause not in PATHS:
        return False
    return confidence > incident.confidence


def _ended(incident: Incident, failure: Failure, name: str, *, now: datetime, heard: bool) -> Incident:
    failed, ended = incident.failed, incident.ended
    if failure.failed and name not in ended:
        failed, ended = failed + 1, _joined(ended, (name,), most=MOST_FAILURES, newest=True)
    elif failure.failed is False and name in ended:
        failed, ended = failed - 1, tuple(one for one in ended if one != name)
    return replace(incident, failed=failed, ended=ended, heard=now if heard else incident.heard)


def _joined(one: tuple[T, ...], other: Iterable[T], *, most: int = MOST_NAMES, newest: bool = False) -> tuple[T, ...]:
    new = [item for item in dict.fromkeys(other) if item not in one]
    if not new:
        return one
    return (*one, *new)[-most:] if newest else (*one, *new)[:most]


def _only(links: tuple[str, ...]) -> str | None:
    return links[0] if len(links) == 1 else None


def _newest(failures: Mapping[str, int], most: int) -> dict[str, int]:
    """Those that were added or grew last."""
    return dict(failures if len(failures) <= most else list(failures.items())[-most:])


def _newest_hosts(hosts: Mapping[HostKey, HostCount]) -> dict[HostKey, HostCount]:
    if len(hosts) <= MOST_HOSTS:
        return dict(hosts)
    latest = sorted(hosts.items(), key=lambda one: (one[1].last, one[0]))
    return dict(latest[-MOST_HOSTS:])
