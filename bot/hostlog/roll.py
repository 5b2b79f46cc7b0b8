"""The hosts there are, and how a line from the wire finds its host: by name, else by address. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.hostlog.line import HostKey


class SourceKind(StrEnum):
    """How a host's logs come to us. NONE: they do not, because the config says so."""

    SYSLOG = "syslog"
    SSH = "ssh"
    HTTPS = "https"
    API = "api"
    FILES = "files"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class WatchedHost:
    """One host. `name` as vCenter has it; `addresses` are those of its vmkernel interfaces.

    `site` is empty for a host that is at none of the config's sites. `source` is the number of the `[[sources]]` table,
    counted from 0, that says how it is read, or None for what goes without saying.
    """

    key: HostKey
    site: str
    kind: SourceKind
    source: int | None = None
    addresses: frozenset[str] = frozenset()

    @property
    def vcenter(self) -> str:
        return self.key.partition("/")[0]

    @property
    def name(self) -> str:
        return self.key.partition("/")[2]


class Roll:
    """All hosts that are known, by every name that is theirs alone. Immutable."""

    def __init__(self, hosts: Iterable[WatchedHost] = ()) -> None:
        self.hosts: Mapping[HostKey, WatchedHost] = {host.key: host for host in hosts}
        self._by_name = _unique((name, host) for host in self.hosts.values() for name in names_of(host.name))
        self._by_address = _unique((address, host) for host in self.hosts.values() for address in host.addresses)

    def named(self, name: str) -> WatchedHost | None:
        """The host of this name, long or short, in any case; None if there is none, or more than one."""
        return self._by_name.get(name.casefold().rstrip("."))

    def at(self, address: str) -> WatchedHost | None:
        """The host that has this address; None if there is none, or more than one."""
        return self._by_address.get(address)


def names_of(name: str) -> set[str]:
    """What a host of this name may be called, in lower case: as it is, and short. An address has no short form."""
    folded = name.casefold().rstrip(".")
    short = folded if folded.replace(".", "").isdigit() else folded.partition(".")[0]
    return {folded, short}


def _unique(pairs: Iterable[tuple[str, WatchedHost]]) -> dict[str, WatchedHost]:
    """What two hosts share names neither of them."""
    every = list(pairs)
    count = Counter(name for name, _ in every)
    return dict(_alone(every, count))


def _alone(every: list[tuple[str, WatchedHost]], count: Counter[str]) -> Iterator[tuple[str, WatchedHost]]:
    return ((name, host) for name, host in every if count[name] == 1)
