"""What operations on a worker are given: doors, and the few numbers that are policy. Compose fills it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot.diagnosis.engine import Engine
from bot.errors import UserError
from bot.hostlog.line import LogFeed
from bot.jobs.port import JobQueue
from bot.links.port import LinkHistory
from bot.migration.calendar import Calendar
from bot.migration.facts import SiteSpec, VmFacts
from bot.migration.request import SiteName, VCenterName
from bot.migration.stall import LEAST
from bot.slack.port import Outbox
from bot.vsphere.port import HostProbes, Inventory, Scene, VCenter

READ_ON: Final = timedelta(seconds=15)
"""Hosts write the last lines of a failure some seconds after vCenter calls the task ended."""

SILENCE: Final = timedelta(seconds=15)
"""A task of which nothing was heard for so long may be slow, or its vCenter may be away: then that is asked."""


GUEST_TIME: Final = timedelta(minutes=10)
"""How long a guest may take to shut down before a person is asked."""


def nowhere(_point: str) -> None:
    """No chaos is wanted."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """The vCenters and sites of the config, and when copies between sites may start."""

    vcenters: Mapping[VCenterName, VCenter]
    sites: Mapping[SiteName, SiteSpec]
    calendar: Calendar = field(default_factory=Calendar)
    max_loss: Mapping[str, float] = field(default_factory=dict)
    """The share of packets that each link may lose, by the link's name."""
    canaries: Mapping[str, str] = field(default_factory=dict)
    """The VM that tries each link that has one, by the link's name."""

    def vcenter(self, name: VCenterName) -> VCenter:
        """The vCenter of this name. UserError when the config has none."""
        if name in self.vcenters:
            return self.vcenters[name]
        raise UserError(f"The config has no vCenter '{name}'. It has: {', '.join(self.vcenters) or 'none'}.")

    def site(self, name: SiteName) -> SiteSpec:
        """The site of this name. UserError with the known ones when the config has none."""
        if name in self.sites:
            return self.sites[name]
        raise UserError(f"There is no site '{name}'. Sites: {', '.join(sorted(self.sites)) or 'none'}.")

    def site_of(self, vm: VmFacts) -> SiteName | None:
        """The site that a VM is at now, by its vCenter and datacenter; None when no site describes that."""
        here = [s for s in self.sites.values() if s.vcenter == vm.ref.vcenter and s.datacenter == vm.datacenter]
        return min((s.name for s in here), default=None)


@dataclass(frozen=True, slots=True)
class OnCallTools:
    """What answers to questions need besides. `scenes`: the vCenters as they can be asked about a failure.

    `material` gives the bytes that an edge kept, or None once their hour is over. `rules` are files of the operator's
    own rules, for the child that reads what strangers hand over.
    """

    scenes: Mapping[VCenterName, Scene]
    inventory: Inventory
    material: Callable[[str], Awaitable[bytes | None]]
    rules: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Allow:
    """What the config lets us do to VMs and datastores beyond a relocation ([allow]). Nothing, until it says so.

    `shutdown`: a guest, when asked to with --shutdown; `power_off`: a VM whose guest does not shut down, on a click;
    `power_on`: a VM, after its move or, on a click, at its source; `drives`, `consolidate`: as their options say;
    `delete_leftovers`: files of a failed copy, on a second click; `canary`: the relocation of a small VM of its own.
    """

    shutdown: bool = False
    power_off: bool = False
    power_on: bool = False
    drives: bool = False
    consolidate: bool = False
    delete_leftovers: bool = False
    canary: bool = False


@dataclass(frozen=True, slots=True)
class WorkerTools:
    """`settle`: how long after its session was ended a call may still land (submit time-out and 30 s, DESIGN 2).

    `patience`: how long a vCenter may refuse what we must read before a person is asked. `steady`: a clock that only
    counts on, for what must not be over because Redis' clock was moved by a failover; `whose_clock`
    names the server behind Redis' clock. `read_on`: how long host logs are
    read after a task's end. `look_again`: the pause between looks at a place that contradicts the task. `silence`:
    after how long without news vCenter is asked whether it is there. `still_after`: the shortest time without progress
    that is called a stall; `look_at_flow_every`: how often at most the connections of a slow copy are looked at.
    `reached` is told the named points of a run;
    chaos tests end or pause the process there.
    """

    queue: JobQueue
    fleet: Fleet
    outbox: Outbox
    feed: LogFeed
    engine: Engine
    on_call: OnCallTools
    settle: timedelta
    steady: Callable[[], Awaitable[timedelta]]
    whose_clock: Callable[[], Awaitable[str]]
    patience: timedelta = timedelta(hours=1)
    read_on: timedelta = READ_ON
    still_after: timedelta = LEAST
    look_at_flow_every: timedelta = 3 * LEAST
    silence: timedelta = SILENCE
    look_again: timedelta = timedelta(seconds=2)
    logs: tuple[str, ...] = ("vpxa", "hostd")
    probes: Mapping[VCenterName, HostProbes] = field(default_factory=dict)
    links: LinkHistory | None = None
    allow: Allow = Allow()
    guest_time: timedelta = GUEST_TIME
    reached: Callable[[str], None] = nowhere
    look_up: bool = True
    """Off only in the test that proves that the chaos checker can see a duplicate."""
