"""What a diagnosis is about, once it is found: a failure's hosts, its time, and what is known of it. Values only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bot.diagnosis.event import Side
from bot.diagnosis.facts import Facts
from bot.migration.plan import Plan
from bot.migration.request import VCenterName
from bot.vsphere.host_log_window import Window
from bot.vsphere.port import VCenterEvent

BEFORE: Final = timedelta(minutes=1)
AFTER: Final = timedelta(minutes=5)
"""Hosts write on for a while after a failure, and the first sign of it may precede vCenter's."""

LONGEST: Final = timedelta(hours=1)
"""Of a copy that took all night, what came before its last hour tells little of its end."""


@dataclass(frozen=True, slots=True)
class HostAt:
    """A host to read, by its name in the inventory of a vCenter, and which end of the copy it was."""

    vcenter: VCenterName
    name: str
    side: Side | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Everything that is needed to read and to judge. All moments are by the clock of the vCenter `home`.

    `op_id` or `task`: lines of another operation do not count. `failed_at`: when vCenter gave the copy up, if it did.
    `exact`: every incident is an answer (a host was asked about). `when` says the window in words, `notes` what of
    the question could not be followed.
    """

    title: str
    home: VCenterName
    hosts: tuple[HostAt, ...]
    window: Window
    when: str
    facts: Facts
    vm_uuid: str = ""
    op_id: str = ""
    task: str = ""
    failed_at: datetime | None = None
    exact: bool = False
    plan: Plan | None = None
    """Of a migration of ours."""
    clocks: Mapping[VCenterName, datetime] = field(default_factory=dict)
    """What time it was at each vCenter that can be asked, all at one moment."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ends:
    """From where to where a VM went or was to go."""

    source: str = ""
    destination: str = ""
    source_datastore: str = ""
    destination_datastore: str = ""


def window_of(started: datetime, ended: datetime | None) -> Window:
    """The time to read for a copy: its last hour at most, and some minutes after its end."""
    if ended is None:
        return Window(started - BEFORE)
    return Window(max(started - BEFORE, ended - LONGEST), ended + AFTER)


def ends_of(events: Iterable[VCenterEvent]) -> Ends:
    """The ends of the last move that these events tell of. An arrival is told at its end, all else at its source."""
    moves = [event for event in events if event.from_host or event.to_host]
    if not moves:
        return Ends()
    last = moves[-1]
    return Ends(
        source=last.from_host or last.host,
        destination=last.to_host or last.host,
        source_datastore="" if last.from_host else last.datastore,
        destination_datastore=last.to_datastore or (last.datastore if last.from_host else ""),
    )


def sided(vcenters: Iterable[tuple[VCenterName, str]], ends: Ends) -> tuple[HostAt, ...]:
    """Hosts with the side that the move gives them, its two ends first."""
    sides: dict[str, Side] = {ends.destination: "destination", ends.source: "source"}
    found = [HostAt(vcenter, name, sides.get(name)) for vcenter, name in dict.fromkeys(vcenters) if name]
    return tuple(sorted(found, key=lambda host: {"source": 0, "destination": 1}.get(host.side or "", 2)))
