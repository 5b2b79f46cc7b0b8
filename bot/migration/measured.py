"""What was measured between two hosts: counts with their intervals, never bare percentages. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.migration.path import DataPath, Leg


class When(StrEnum):
    """Why it was measured at that moment: what a person, or a network team, asks first."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Pings:
    """Echo requests of one kind. `size`: bytes of an IP packet; `whole`: with don't-fragment set.

    `too_long`: the host itself refused to send such a packet whole (its interface's MTU).
    """

    sent: int
    received: int
    size: int
    whole: bool
    rtt_min: timedelta | None = None
    rtt_avg: timedelta | None = None
    rtt_max: timedelta | None = None
    too_long: bool = False

    @property
    def lost(self) -> int:
        return self.sent - self.received


@dataclass(frozen=True, slots=True)
class Connection:
    """A TCP connection of a host as `esxcli network ip connection list` shows it; queues in bytes."""

    host: str
    local: str  # "10.1.0.11:54321"
    foreign: str
    state: str
    send_queue: int
    receive_queue: int
    world: str


@dataclass(frozen=True, slots=True)
class NicCounters:
    """An uplink's counters since the host booted, and whether its link is up."""

    host: str
    nic: str
    up: bool
    received: int
    sent: int
    receive_errors: int
    crc_errors: int
    receive_dropped: int
    transmit_dropped: int
    transmit_errors: int

    def since(self, earlier: NicCounters) -> NicCounters | None:
        """What was counted since an earlier look. None: of another NIC, or it has begun anew (the host booted)."""
        if (self.host, self.nic) != (earlier.host, earlier.nic) or self.received < earlier.received:
            return None
        counts = {name: getattr(self, name) - getattr(earlier, name) for name in COUNTED}
        return replace(self, **counts) if min(counts.values()) >= 0 else None

    @property
    def faults(self) -> int:
        """Packets that the NIC itself lost or found damaged; CRC errors are among its receive errors."""
        received = max(self.receive_errors, self.crc_errors)
        return received + self.receive_dropped + self.transmit_dropped + self.transmit_errors


COUNTED: Final = (
    "received", "sent", "receive_errors", "crc_errors", "receive_dropped", "transmit_dropped", "transmit_errors",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PathMeasurement:
    """One look at a copy's path, from the source host. What could not be looked at is in `unread`, a sentence each.

    `path` None: it is not known, and the packets went to the destination by its name, by whatever interface the
    source's routes chose. `small`: many small packets; `full`: packets of the interface's full size with don't-fragment
    set; `sizes`: what passes whole, by size, where full size did not; all on the leg that carries the data. `control`:
    small packets on that of NFC's control, where it is another one (UDT). `nics` are of both hosts; `nics_before` of a
    look at them `nics_apart` earlier, if there was one. `resolves`: whether each host resolves the other's name, by the
    host that resolved; `listening`: by port, whether the destination itself has a listener there.

    What it cannot show: whether a port is open on the way. esxcli makes no TCP connection, so all there is of that are
    listeners at the destination and, while a copy runs, the state of its connections.
    """

    at: datetime
    when: When
    link: str
    source_host: str
    target_host: str
    path: DataPath | None
    small: Pings | None = None
    full: Pings | None = None
    sizes: tuple[Pings, ...] = ()
    control: Pings | None = None
    connections: tuple[Connection, ...] = ()
    nics: tuple[NicCounters, ...] = ()
    nics_before: tuple[NicCounters, ...] = ()
    nics_apart: timedelta | None = None
    listening: Mapping[int, bool] = field(default_factory=dict)
    resolves: Mapping[str, bool] = field(default_factory=dict)
    unread: tuple[str, ...] = ()

    @property
    def passes_whole(self) -> int | None:
        """The largest packet that came back whole. None: none did, or none was tried."""
        tried = (*self.sizes, *((self.full,) if self.full else ()))
        return max((pings.size for pings in tried if pings.received), default=None)

    @property
    def stops_whole(self) -> int | None:
        """The smallest packet larger than that of which none came back. None: full size passes, or none was tried."""
        passes = self.passes_whole or 0
        tried = (*self.sizes, *((self.full,) if self.full else ()))
        return min((pings.size for pings in tried if not pings.received and pings.size > passes), default=None)

    @property
    def own_connections(self) -> tuple[Connection, ...]:
        """Those between the addresses of the predicted path; without a path none is known to be the copy's own."""
        if self.path is None:
            return ()
        legs = (self.path.data, self.path.control)
        pairs = [{leg.source.address, leg.target.address} for leg in legs]
        return tuple(one for one in self.connections if {address_of(one.local), address_of(one.foreign)} in pairs)

    def nic_deltas(self) -> tuple[NicCounters, ...]:
        """What the NICs counted between the two looks; of those that were looked at twice."""
        earlier = {(one.host, one.nic): one for one in self.nics_before}
        pairs = ((one, earlier.get((one.host, one.nic))) for one in self.nics)
        deltas = (one.since(before) for one, before in pairs if before is not None)
        return tuple(delta for delta in deltas if delta is not None)


def address_of(end: str) -> str:
    """The address of an end such as `10.1.0.11:902`."""
    return end.rpartition(":")[0]


def port_of(end: str) -> int:
    """The port of an end; 0 where there is none."""
    port = end.rpartition(":")[2]
    return int(port) if port.isdecimal() else 0


def opens(door: str, leg: Leg) -> bool:
    """Whether a listener takes what comes to this leg: one on all addresses or on the leg's own.

    Where the leg is to a name and not to an address, one that others can reach at all counts.
    """
    address = address_of(door)
    known = bool(leg.source.address)
    return port_of(door) == leg.port and (
        address in _ALL_ADDRESSES or (address == leg.target.address if known else address not in _LOOPBACK)
    )


_ALL_ADDRESSES: Final = frozenset({"0.0.0.0", "*", "::", "[::]"})  # noqa: S104 - what others listen on
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "[::1]"})


class SampleKind(StrEnum):
    """Where a sample of a link's history comes from."""

    PROBE = "probe"
    COPY = "copy"
    CANARY = "canary"


@dataclass(frozen=True, slots=True)
class LinkSample:
    """One point of a link's history. `sent`, `lost`: packets; `rate`: bytes per second of a copy that went well."""

    at: datetime
    link: str
    kind: SampleKind
    source_host: str
    target_host: str
    sent: int = 0
    lost: int = 0
    rtt: timedelta | None = None
    rate: float | None = None


def to_sample(measured: PathMeasurement) -> LinkSample | None:
    """What the history of the link keeps of it: small packets alone, for large ones tell of the MTU too.

    None: no packet was sent.
    """
    small = measured.small
    if small is None or not small.sent:
        return None
    return LinkSample(
        at=measured.at,
        link=measured.link,
        kind=SampleKind.PROBE,
        source_host=measured.source_host,
        target_host=measured.target_host,
        sent=small.sent,
        lost=small.lost,
        rtt=small.rtt_avg,
    )
