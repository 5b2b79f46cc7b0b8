"""What was measured between two hosts: counts with their intervals, never bare percentages. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.migration.path import DataPath


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


@dataclass(frozen=True, slots=True)
class PathMeasurement:
    """One look at a copy's path, from the source host. What could not be looked at is in `unread`, a sentence each.

    `small`: many small packets; `full`: packets of the interface's full size with don't-fragment set; `sizes`: what
    passes whole, by size, where full size did not. `resolves`: whether each host resolves the other's name, by the host
    that resolved; `listening`: by port, whether the destination itself has a listener there.
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
    connections: tuple[Connection, ...] = ()
    nics: tuple[NicCounters, ...] = ()
    listening: Mapping[int, bool] = field(default_factory=dict)
    resolves: Mapping[str, bool] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


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
