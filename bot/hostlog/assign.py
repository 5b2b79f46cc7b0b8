"""Which site each host is at, and how its logs come to us: the config's words applied to what vCenters have. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from bot.hostlog.line import HostKey
from bot.hostlog.roll import Roll, SourceKind, WatchedHost, names_of

UNWANTED: Final = "the config says that its logs are not read"
TOO_MANY: Final = "no [[sources]] table names it, and its vCenter has more hosts than [watch].api_hosts"


class Seat(Protocol):
    """A host as its vCenter tells it."""

    @property
    def name(self) -> str: ...
    @property
    def datacenter(self) -> str: ...
    @property
    def cluster(self) -> str: ...
    @property
    def addresses(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class SiteHosts:
    """Which hosts a site means: one, or those of a cluster."""

    site: str
    vcenter: str
    datacenter: str
    cluster: str | None = None
    host: str | None = None


@dataclass(frozen=True, slots=True)
class SourceRule:
    """A `[[sources]]` table: how the hosts that it names are read, and those of its sites that no other names."""

    kind: SourceKind
    sites: Collection[str] = ()
    hosts: Collection[str] = ()


def make_roll(
    found: Mapping[str, Iterable[Seat]],
    *,
    sites: Sequence[SiteHosts],
    sources: Sequence[SourceRule],
    api_hosts: int,
    syslog: bool,
) -> Roll:
    """Say of every host of every vCenter where it is and how it is read.

    The first source that names the host counts, by its long or its short name; else the first that names its site.
    What no source names comes by syslog where that is taken in (`syslog`), else through vCenter as long as that has at
    most `api_hosts` hosts, else not at all; `why_unread` has the reason. `WatchedHost.source` counts `sources` from 0.
    """
    return Roll(
        host
        for vcenter, seats in found.items()
        for host in _hosts(vcenter, list(seats), sites=sites, sources=sources, api_hosts=api_hosts, syslog=syslog)
    )


def why_unread(host: WatchedHost) -> str:
    """Why nobody reads this host; empty if somebody does."""
    if host.kind is not SourceKind.NONE:
        return ""
    return TOO_MANY if host.source is None else UNWANTED


def unknown_hosts(named: Iterable[Collection[str]], roll: Roll) -> Mapping[int, Sequence[str]]:
    """Of the hosts that each source names those that no vCenter has, by the number of the source, if there are any."""
    known = {name for host in roll.hosts.values() for name in names_of(host.name)}
    missed = ([name for name in names if name.casefold().rstrip(".") not in known] for names in named)
    return {number: names for number, names in enumerate(missed) if names}


def _hosts(
    vcenter: str,
    seats: Sequence[Seat],
    *,
    sites: Sequence[SiteHosts],
    sources: Sequence[SourceRule],
    api_hosts: int,
    syslog: bool,
) -> Iterable[WatchedHost]:
    here = [site for site in sites if site.vcenter == vcenter]
    alone = _alone(here)
    rest = SourceKind.SYSLOG if syslog else SourceKind.API if len(seats) <= api_hosts else SourceKind.NONE
    by_host = _first((name.casefold().rstrip("."), number) for number, s in enumerate(sources) for name in s.hosts)
    by_site = _first((site, number) for number, source in enumerate(sources) for site in source.sites)
    for seat in seats:
        site = _site(seat, here, alone)
        named = [by_host[name] for name in names_of(seat.name) if name in by_host]
        number = min(named) if named else by_site.get(site)
        kind = rest if number is None else sources[number].kind
        yield WatchedHost(HostKey(f"{vcenter}/{seat.name}"), site, kind, number, seat.addresses)


def _first(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    places: dict[str, int] = {}
    for name, number in pairs:
        places.setdefault(name, number)
    return places


def _alone(sites: Sequence[SiteHosts]) -> dict[str, str]:
    """Datacenters that one site uses: all their hosts are at that site, whatever cluster they are in."""
    uses = Counter(site.datacenter for site in sites)
    return {site.datacenter: site.site for site in sites if uses[site.datacenter] == 1}


def _site(seat: Seat, sites: Sequence[SiteHosts], alone: Mapping[str, str]) -> str:
    inside = [site for site in sites if site.datacenter == seat.datacenter]
    one = next((site.site for site in inside if site.host is not None and site.host == seat.name), None)
    many = next((site.site for site in inside if site.cluster is not None and site.cluster == seat.cluster), None)
    return one or many or alone.get(seat.datacenter, "")
