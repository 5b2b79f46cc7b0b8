"""The door to vCenter: what operations may ask, in domain types. Managed objects stay behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bot.diagnosis.facts import DEFAULT_STACK, HostFacts
from bot.errors import OutsideError
from bot.migration.facts import SiteFacts, SiteSpec, VmFacts
from bot.migration.measured import Connection, NicCounters, Pings
from bot.migration.path import Leg
from bot.migration.plan import FarVCenter, Plan
from bot.migration.request import VCenterName, VmRef
from bot.migration.survey import Advice, MissingPrivilege


class FaultError(OutsideError):
    """vCenter answered with a fault: a definite answer, nothing was started by this call.

    `kind` is the type's name as pyVmomi has it (`vim.fault.TaskInProgress`); the message is vCenter's own text.
    """

    def __init__(self, message: str, *, kind: str, transient: bool = False) -> None:
        super().__init__(message, transient=transient)
        self.kind = kind


QUESTION = "question"
"""The `kind` of a FaultError that says: the VM waits for an answer that a person has to give, in its text."""


class TaskState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class TaskSnapshot:
    """A task as last heard of. Times are vCenter's. `fault` is the type's name, `message` its localized text."""

    task: str  # moid, "task-10646"
    state: TaskState
    progress: int | None = None
    cancelable: bool = False
    cancelled: bool = False
    fault: str | None = None
    message: str = ""
    user: str = ""
    queued_at: datetime | None = None
    completed_at: datetime | None = None
    description_id: str = ""

    @property
    def ended(self) -> bool:
        return self.state in (TaskState.SUCCESS, TaskState.ERROR)


@dataclass(frozen=True, slots=True)
class VmPlace:
    """Where a VM really is: every file that belongs to it counts, not the inventory's word alone.

    `nics`: each card's label and the name of its network, empty for none that we see; `macs`: its label and address.
    `disks`: each disk's key and path; `thin`: the keys of those that are thin.
    """

    host: str
    host_moid: str
    folder_moid: str | None
    vm_path_name: str
    disk_paths: tuple[str, ...]
    datastores: tuple[str, ...]
    datastore_moids: tuple[str, ...]
    networks: tuple[str, ...]
    nics: tuple[tuple[str, str], ...] = ()
    macs: tuple[tuple[str, str], ...] = ()
    disks: tuple[tuple[int, str], ...] = ()
    thin: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class InventoryVm:
    """One row of the inventory that the bot resolves names with."""

    ref: VmRef
    path: str
    host: str
    site_hint: str  # datacenter name
    power: str


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task of any kind, told for somebody who asks what went wrong. `vm` is None for one of something else.

    `what` is the method's name; `entity` what it was on, a host if `is_host`. `chain` joins it to its events.
    """

    snapshot: TaskSnapshot
    what: str
    entity: str
    vm: InventoryVm | None
    is_host: bool
    started_at: datetime | None
    chain: int


class EventWeight(StrEnum):
    """How bad an event is, as vCenter says or as its name does."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class VCenterEvent:
    """One event, by vCenter's clock. Names as they were then; `from_host` and `to_host` are those of a move."""

    key: int
    at: datetime
    kind: str  # "VmFailedMigrateEvent", or the id of an extended event
    weight: EventWeight
    text: str
    chain: int
    vm: str = ""
    host: str = ""
    datastore: str = ""
    from_host: str = ""
    to_host: str = ""
    to_datastore: str = ""


@dataclass(frozen=True, slots=True)
class HostGlance:
    """A host by name, whether vCenter has it ("connected", "notResponding" ...) and what runs on it."""

    name: str
    connection: str
    version: str


@dataclass(frozen=True, slots=True)
class HostEntry:
    """A host of the roll: where it stands in the inventory, and the addresses of its vmkernel interfaces."""

    name: str
    datacenter: str
    cluster: str
    connection: str
    addresses: frozenset[str] = frozenset()


class HostRoll(Protocol):
    """Which hosts a vCenter has. Raises UnreachableError, LoginError and FaultError."""

    async def roll(self) -> Sequence[HostEntry]:
        """All hosts, by name, in a few round trips however many there are."""
        ...


class TaskGoneError(OutsideError):
    """vCenter no longer has the task object (it forgets ended tasks after some minutes)."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What is written on a VM for as long as a migration of it may be under way (`bot.operations.trace` reads it)."""

    vm: VmRef
    text: str


@dataclass(frozen=True, slots=True)
class RunningRelocation:
    """A relocation that has not ended, and whose."""

    vm: VmRef
    task: TaskSnapshot


@dataclass(frozen=True, slots=True)
class Guest:
    """The VM as it is now, for somebody who is about to shut it down or power it on."""

    power: str  # poweredOn, poweredOff, suspended
    tools_running: bool
    question: str | None


@dataclass(frozen=True, slots=True)
class Leftover:
    """A file at the destination that no registered VM owns, and that lies in a directory of the VM's name."""

    path: str  # "[ds-c2-01] web01/web01-flat.vmdk"
    size: int
    changed_at: datetime


class VCenter(Protocol):
    """One vCenter. Reads are retried by the machine; mutating calls are put on the wire once, ever.

    All methods raise UnreachableError (nobody answered), LoginError, FaultError. None blocks the event loop.
    """

    @property
    def name(self) -> VCenterName: ...

    @property
    def user(self) -> str:
        """Who we are logged in as, the way tasks name it (`VSPHERE.LOCAL` and the account)."""
        ...

    async def now(self) -> datetime:
        """vCenter's own clock, UTC."""
        ...

    async def alive(self) -> None:
        """Return if vCenter answers, as of some seconds ago: however many ask, it is asked once.

        What it answered to anybody else, the long poll of `follow` included, counts. OutsideError tells what happened.
        """
        ...

    async def find_vms(self, query: str) -> Sequence[InventoryVm]:
        """VMs whose name, inventory path or (instance or BIOS) UUID is exactly `query`."""
        ...

    async def read_vm(self, uuid: str) -> VmFacts:
        """All facts of the VM with this instance UUID. FaultError kind `vmodl.fault.ManagedObjectNotFound` if gone."""
        ...

    async def read_site(self, site: SiteSpec) -> SiteFacts:
        """All facts of a site, in few round trips. UserError names what the config says that does not exist."""
        ...

    async def place(self, uuid: str) -> VmPlace | None:
        """Where the VM is now, or None when this vCenter has no such VM."""
        ...

    async def missing_privileges(self, plan: Plan) -> Sequence[MissingPrivilege]:
        """What our account lacks for this very plan, asked on the objects that it touches; two round trips.

        Of a plan to another vCenter each of both tells what is lacking on its own objects.
        """
        ...

    async def check_relocate(self, plan: Plan) -> Sequence[Advice]:
        """What CheckRelocate_Task says of the plan, asked of the VM's vCenter. Nothing is changed.

        It may take a minute, which is its own limit. FaultError: there is no such check, it failed, or it is not over.
        """
        ...

    async def identity(self) -> FarVCenter:
        """Who this vCenter is to another one that moves a VM to it; the thumbprint is that which was verified."""
        ...

    async def guest(self, uuid: str) -> Guest:
        """Power state and VMware Tools of the VM, now. FaultError kind ManagedObjectNotFound if it is gone."""
        ...

    async def shut_down_guest(self, uuid: str, *, session: str = "") -> None:
        """Ask the guest's operating system to shut down; returns when it was asked. FaultError
        `vim.fault.ToolsUnavailable` without VMware Tools. A VM that is off already counts as asked.

        This and the following are looked for before they are sent: asking again after any error does no harm, what
        another worker has started is waited for. FaultError of kind `question` (QUESTION): the VM waits for a person,
        who is told by its text what it asks; nothing is answered for him. With `session` as of `relocate`.
        """
        ...

    async def power_off(self, uuid: str, *, session: str = "") -> None:
        """Power the VM off, hard; returns when it is off. One that is off already counts as done."""
        ...

    async def power_on(self, uuid: str, *, session: str = "") -> None:
        """Power the VM on; returns when it is on. One that is on already counts as done."""
        ...

    async def disconnect_drives(self, uuid: str, *, session: str = "") -> None:
        """Take images, and drives of the host, out of the VM's CD and floppy drives; returns when it is done.

        The drives stay, as client devices; nothing else of them is changed.
        """
        ...

    async def consolidate(self, uuid: str, *, session: str = "") -> None:
        """Merge deltas that no snapshot owns (ConsolidateVMDisks_Task); returns when it is done, which may take hours.

        Snapshots that people see are not touched.
        """
        ...

    async def leftovers(self, plan: Plan) -> Sequence[Leftover]:
        """What a failed copy of this plan left at its destination, the largest first; a read.

        Only whole directories that nobody can own: what is in doubt is not listed. FaultError of kind
        `vim.fault.TaskInProgress`, transient: something is being copied that cannot be told apart from it. A plan that
        goes to another vCenter is asked of that one.
        """
        ...

    async def delete_leftovers(self, plan: Plan, files: Sequence[str]) -> Sequence[str]:
        """Delete those of these files that are leftovers of the plan still; what was deleted. Asks for each anew.

        A disk goes with its extents. Directories stay, empty. Takes some seconds: files that still change stay.
        """
        ...

    async def writer_session(self) -> str:
        """The key of the session that mutating calls of this process use; logs in if there is none."""
        ...

    async def relocate(self, plan: Plan, *, op_id: str, session: str = "") -> str:
        """RelocateVM_Task, once; the task's moid.

        With `session` (of `writer_session`, as journalled) it goes through that session or not at all: should it have
        ended meanwhile, that is a FaultError of kind `vim.fault.NotAuthenticated`, transient. Without, any session
        will do. FaultError: a definite refusal. MaybeSentError: sent, and no reply came. UnreachableError: never sent.
        The calling coroutine may be cancelled only after the thread has come back: the machine joins it.
        """
        ...

    async def end_session(self, key: str) -> None:
        """Terminate another session of ours. A session that is no longer there counts as ended."""
        ...

    async def read_trace(self, uuid: str) -> str:
        """The trace on this VM, or empty. A custom attribute, so it is there whatever happens to Redis and to us."""
        ...

    async def write_trace(self, uuid: str, text: str, *, session: str = "") -> None:
        """Write the trace on this VM, or take it away with an empty text; in place when this returns.

        With `session` it goes through that session or not at all, as `relocate` does: whoever lost a job and wakes up
        late cannot write over the trace of its successor, who has ended that session.

        Through the writer; asking twice does no harm, so a lost reply is asked for again. FaultError of kind
        `vim.fault.NoPermission` names the privilege. At most 250 characters.
        """
        ...

    async def traces(self) -> Sequence[Trace]:
        """All VMs that bear a trace."""
        ...

    async def running_relocations(self) -> Sequence[RunningRelocation]:
        """Relocations by our account that have not ended, on VMs that still exist; a few calls for however many."""
        ...

    async def end_writers(self) -> None:
        """Terminate every session of ours, in whatever process, that mutating calls go through: nobody knows which.

        Whoever had one is told NotAuthenticated at the next call, and asks Redis again before the one after it.
        """
        ...

    async def find_relocations(self, uuid: str, *, since: datetime) -> Sequence[TaskSnapshot]:
        """Relocations of this VM that were queued at or after `since` (vCenter's clock), by whomever.

        From the VM's recentTask and from task history; oldest first; each task once.
        """
        ...

    def follow(self, task: str) -> AsyncIterator[TaskSnapshot]:
        """Every change of the task from now on, the present state first; ends with the snapshot that has ended.

        One long poll per vCenter serves all followers. TaskGoneError when vCenter does not know the task; survives
        lost sessions and reconnects by itself, for `UnreachableError` only after its own patience is over.
        """
        ...

    async def cancel(self, task: str) -> None:
        """CancelTask. FaultError when it cannot be cancelled (any more)."""
        ...


class Scene(Protocol):
    """What a vCenter can tell of a failure: logs, events, tasks, hosts. For somebody who waits for the answer.

    Nothing is asked twice in the hope of a better answer, and each call has a time-out of its own, so that one silent
    host costs no more than that. At most a few calls are under way at once, whoever asks. Moments are vCenter's.
    All raise UnreachableError, LoginError and FaultError, which names a missing privilege.
    """

    @property
    def name(self) -> VCenterName: ...

    async def look_at_clock(self) -> datetime:
        """vCenter's own clock, UTC."""
        ...

    async def look_for_vms(self, query: str) -> Sequence[InventoryVm]:
        """VMs whose name, inventory path or UUID is exactly `query`."""
        ...

    async def hosts(self) -> Sequence[HostGlance]:
        """All hosts, by name."""
        ...

    async def describe_hosts(self, names: Sequence[str]) -> Sequence[HostFacts]:
        """Versions and vmkernel interfaces of hosts."""
        ...

    async def clock_offset(self, host: str) -> timedelta:
        """How far a host's clock is ahead of vCenter's; zero when that is too little to be measured."""
        ...

    async def browse(self, host: str, log: str, *, start: int, lines: int) -> tuple[int, Sequence[str]]:
        """Lines of a host's log from `start` on (1-based; at most 500 come), and the number of the last line.

        Of vCenter's own log `vpxd` with an empty `host`.
        """
        ...

    async def vm_events(self, uuid: str, *, since: datetime, until: datetime | None) -> Sequence[VCenterEvent]:
        """What happened to a VM, oldest first; the newest thousand."""
        ...

    async def host_events(
        self, names: Sequence[str], *, since: datetime, until: datetime | None
    ) -> Sequence[VCenterEvent]:
        """What happened to hosts, oldest first; the newest thousand of each."""
        ...

    async def chain_events(self, chain: int) -> Sequence[VCenterEvent]:
        """What belongs to one task, oldest first."""
        ...

    async def last_failed_copy(self, uuid: str, *, since: datetime) -> TaskRecord | None:
        """The latest relocation, clone or other copy of this VM that failed since then."""
        ...

    async def find_task(self, task: str, *, since: datetime) -> TaskRecord | None:
        """The task of this id, if vCenter remembers it or its history of that time does."""
        ...


class HostProbes(Protocol):
    """What hosts can say of the network themselves, by esxcli through vCenter. Host names as in the inventory.

    All raise UnreachableError, LoginError and FaultError, which names a missing privilege; and FaultError of kind
    `esxcli` with the host's own words. Each call has a time-out of its own.
    """

    async def ping(self, host: str, leg: Leg, *, count: int, size: int, whole: bool) -> Pings:
        """Echo requests from the leg's source interface to its target's address. `size`: bytes of the IP packet.

        They leave by the interface or, where it is in a stack of its own, by that stack.
        """
        ...

    async def resolves(self, host: str, name: str) -> bool:
        """Whether the host can make an address of a name."""
        ...

    async def connections(
        self, host: str, *, ports: Sequence[int], netstack: str = DEFAULT_STACK
    ) -> Sequence[Connection]:
        """TCP connections of one network stack of which one end has one of these ports, listeners included."""
        ...

    async def nic_counters(self, host: str) -> Sequence[NicCounters]:
        """The counters of all its uplinks."""
        ...


class HostLogs(Protocol):
    """Reads hosts' logs through vCenter (BrowseDiagnosticLog). Host names as in the inventory."""

    async def last_line(self, host: str, log: str) -> int:
        """The number of the last line there is now."""
        ...

    async def read(self, host: str, log: str, *, start: int, lines: int) -> tuple[int, Sequence[str]]:
        """Lines from `start` (1-based; at most 500 come) and the number of the last line of the file."""
        ...


class Inventory(Protocol):
    """The bot's view of all vCenters: what workers last wrote to Redis. Never talks to a vCenter."""

    async def find(self, query: str) -> Sequence[InventoryVm]:
        """Exactly matching name, path or UUID first; across all vCenters."""
        ...

    async def suggest(self, query: str, *, limit: int = 5) -> Sequence[InventoryVm]:
        """Near misses for an unknown name."""
        ...

    async def age(self) -> float | None:
        """Seconds since the oldest vCenter's inventory was refreshed; None when there is none yet."""
        ...

    async def trouble(self) -> Sequence[str]:
        """Why vCenters cannot be read at the moment, a sentence each."""
        ...
