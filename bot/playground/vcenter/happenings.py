"""The event log of one vCenter: what happened, to whom, in which chain. What it looks like in a filter is in `views`.

An event keeps the references it had when it happened, so that it can be found after its VM has gone. Sources:
class choice and fields are those of the published WSDL; the sample of a VmMigratedEvent with its chain is from
gist.github.com/embano1/981bb15802f8b9aa45af3f493a78fc50; sentences are from the event catalogue that govmomi's
simulator carries (v0.52.0, simulator/esx/event_manager.go); those marked `invented` are ours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bot.playground.vcenter.inventory import Cluster, Datacenter, Datastore, Entity, Folder, Host, Network, Vm
from bot.playground.vcenter.schema import schema
from bot.playground.vcenter.wire import Data, Ref

if TYPE_CHECKING:
    from bot.playground.vcenter.changes import Changes

EVENT_MANAGER = Ref("EventManager", "EventManager")
_KEPT = 20_000
_TEXTS = {
    "VmStartingEvent": "{vm} on host {host} in {dc} is starting",
    "VmPoweredOnEvent": "{vm} on {host} in {dc} is powered on",
    "VmStoppingEvent": "{vm} on host {host} in {dc} is stopping",
    "VmPoweredOffEvent": "{vm} on {host} in {dc} is powered off",
    "VmGuestShutdownEvent": "Guest OS shut down for {vm} on {host} in {dc}",
    "VmFailedToPowerOnEvent": "Cannot power on {vm} on {host} in {dc}: {why}",
    "VmRenamedEvent": "Renamed {vm} from {old} to {new} in {dc}",
    "VmRegisteredEvent": "Registered {vm} on {host} in {dc}",
    "VmRemovedEvent": "Removed {vm} on {host} from {dc}",
    "EnteredMaintenanceModeEvent": "Host {host} in {dc} has entered maintenance mode",
    "ExitMaintenanceModeEvent": "Host {host} in {dc} has exited maintenance mode",
    "HostConnectedEvent": "Connected to {host} in {dc}",
    "HostConnectionLostEvent": "Host {host} in {dc} is not responding",
    "DatastoreRenamedEvent": "Renamed datastore from {old} to {new} in {dc}",
    "UserLoginSessionEvent": "User {user}@{address} logged in as {agent}",
    "UserLogoutSessionEvent": "User {user}@{address} logged out (login time: {since}, number of API invocations: {calls}, user agent: {agent})",  # noqa: E501 - one sentence
    "BadUsernameSessionEvent": "Cannot login {user}@{address}",
    "SessionTerminatedEvent": "A session for user '{whose}' has stopped",
    "CustomFieldDefAddedEvent": "Created new custom field definition {field}",
    "CustomFieldDefRemovedEvent": "Removed field definition {field}",
    "CustomFieldDefRenamedEvent": "Renamed field definition from {field} to {new}",
    "CustomFieldValueChangedEvent": "Changed custom field {field} on {what} in {dc} to {value}",
}


def argument(entity: Entity) -> Data:
    """Return an entity as events carry it: its name of that time and its reference."""
    kinds: tuple[tuple[type[Entity], str, str], ...] = (
        (Vm, "VmEventArgument", "vm"),
        (Host, "HostEventArgument", "host"),
        (Datastore, "DatastoreEventArgument", "datastore"),
        (Datacenter, "DatacenterEventArgument", "datacenter"),
        (Cluster, "ComputeResourceEventArgument", "computeResource"),
        (Network, "NetworkEventArgument", "network"),
        (Folder, "FolderEventArgument", "folder"),
    )
    for kind, name, field in kinds:
        if isinstance(entity, kind):
            return Data(name, name=entity.wire_name, **{field: entity.ref})
    return any_argument(entity)


def any_argument(entity: Entity) -> Data:
    """Return an entity as events of any entity carry it."""
    return Data("ManagedEntityEventArgument", name=entity.wire_name, entity=entity.ref)


@dataclass(frozen=True, eq=False)
class Happening:
    """One event. `subject` is what it happened to; `around` are the things above that and those it happened on."""

    key: int
    chain: int
    at: datetime
    user: str
    subject: Ref | None
    around: frozenset[Ref]
    data: Data

    def is_a(self, type_id: str) -> bool:
        """Say whether an EventFilterSpec's type id means this event: its class, a class above it, or its own id."""
        if self.data.type == "EventEx":
            return type_id in {self.data.fields.get("eventTypeId"), "EventEx", "vim.event.EventEx"}
        return schema().extends(self.data.type, type_id.removeprefix("vim.event."))


class EventLog:
    """All events of one vCenter, oldest first; the oldest fall out."""

    def __init__(self, changes: Changes, *, root: Ref, clock: Callable[[], datetime]) -> None:
        self._changes = changes
        self._root = root
        self._clock = clock
        self._log: deque[Happening] = deque(maxlen=_KEPT)
        self._key = 1000

    @property
    def upcoming(self) -> int:
        """The key of the event that will be recorded next; whoever begins a chain takes it as the chain's."""
        return self._key + 1

    @property
    def latest(self) -> Happening | None:
        return self._log[-1] if self._log else None

    def __iter__(self) -> Iterator[Happening]:
        return iter(self._log)

    def record(
        self,
        type_: str,
        subject: Entity | None = None,
        *,
        user: str = "",
        chain: int | None = None,
        text: str | None = None,
        words: Mapping[str, object] | None = None,
        **fields: Any,
    ) -> Happening:
        """Write an event down. `text` is its sentence; without it the type's own is filled from `words`."""
        self._key += 1
        chain = self._key if chain is None else chain
        where = _where(subject)
        message = text if text is not None else _TEXTS[type_].format(**_names(where), user=user, **(words or {}))
        if schema().extends(type_, "VmEvent"):
            fields["template"] = isinstance(subject, Vm) and subject.template
        now = self._clock()
        data = Data(
            type_, key=self._key, chainId=chain, createdTime=now, userName=user,
            **{name: argument(entity) for name, entity in where.items()}, fullFormattedMessage=message, **fields,
        )  # fmt: skip
        around = {above.ref for above in subject.ancestors} if subject else {self._root}
        around |= {entity.ref for entity in where.values()}
        happening = Happening(
            self._key, chain, now, user, subject.ref if subject else None,
            frozenset(around - ({subject.ref} if subject else set())), data,
        )  # fmt: skip
        self._log.append(happening)
        self._changes.touch(EVENT_MANAGER)
        return happening


def _where(subject: Entity | None) -> dict[str, Entity]:
    """Return the arguments that every event of this subject has."""
    if subject is None:
        return {}
    host = subject.host if isinstance(subject, Vm) else subject if isinstance(subject, Host) else None
    places: dict[str, Entity | None] = {
        "datacenter": subject.datacenter,
        "computeResource": host.parent if host else None,
        "host": host,
        "vm": subject if isinstance(subject, Vm) else None,
        "ds": subject if isinstance(subject, Datastore) else None,
    }
    return {name: entity for name, entity in places.items() if entity is not None}


def _names(where: dict[str, Entity]) -> dict[str, str]:
    short = {"datacenter": "dc", "vm": "vm", "host": "host", "ds": "ds"}
    return {short[name]: entity.wire_name for name, entity in where.items() if name in short}
