"""What the event log says of a relocation as its task starts and ends.

Which class is written where (source: the two families of the WSDL and tools that follow them; that a cold move to
another host is of the first family is unverified): another host gives VmBeingMigrated, VmMigrated, VmFailedMigrate; new
storage on the same host VmBeingRelocated, VmRelocated, VmRelocateFailed. A move to another vCenter ends in EventEx of
the ids that the event catalogue of vSphere 7 and 8 lists (github.com/lamw/vcenter-event-mapping).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.happenings import EventLog, argument
from bot.playground.vcenter.inventory import Datacenter, Datastore, Host, Vm
from bot.playground.vcenter.relocate_spec import Plan
from bot.playground.vcenter.tasks import Task
from bot.playground.vcenter.wire import Data

_SRC_DONE = "com.vmware.vc.vm.SrcVmMigratedEvent"
_SRC_FAILED = "com.vmware.vc.vm.SrcVmMigrateFailedEvent"
_DST_DONE = "com.vmware.vc.vm.DstVmMigratedEvent"


@dataclass
class RelocationStory:
    """The events of one relocation, all in the chain of its task. Tells the vCenter it arrives at too."""

    events: EventLog
    far_events: EventLog
    vm: Vm
    plan: Plan
    task: Task
    _host: Host = field(init=False)
    _store: Datastore = field(init=False)
    _datacenter: Datacenter | None = field(init=False)

    def __post_init__(self) -> None:
        self._set_out()

    def _set_out(self) -> None:
        """Note where the VM is; while its task waits, another one may move it."""
        self._host, self._store, self._datacenter = self.vm.host, self.vm.datastore, self.vm.datacenter

    @property
    def _leaves(self) -> bool:
        return self.plan.host.home is not self._host.home

    @property
    def _stays_on_host(self) -> bool:
        return self.plan.host is self._host

    def started(self) -> None:
        self._set_out()
        plan, place = self.plan, f"{self._host.wire_name}, {self._store.wire_name}"
        to = f"{plan.host.wire_name}, {plan.datastore.wire_name} in {_name(plan.host.datacenter)}"
        type_ = "VmBeingRelocatedEvent" if self._stays_on_host else "VmBeingMigratedEvent"
        text = f"Relocating {self.vm.wire_name} from {place} in {_name(self._datacenter)} to {to}"
        self._record(type_, text, **self._destination())

    def ended(self, fault: Fault | None) -> None:
        if fault:
            self._failed(fault)
        elif self._leaves:
            self._left()
        elif self._stays_on_host:
            self._record("VmRelocatedEvent", "Completed the relocation of the virtual machine", **self._source())
        else:
            plan = self.plan
            text = (
                f"Migration of virtual machine {self.vm.wire_name} from {self._host.wire_name}, "
                f"{self._store.wire_name} to {plan.host.wire_name}, {plan.datastore.wire_name} completed"
            )
            self._record("VmMigratedEvent", text, **self._source())

    def _failed(self, fault: Fault) -> None:
        name = self.vm.wire_name
        if self._leaves:
            text = f"Migration of virtual machine {name} from {self._host.wire_name} failed"
            self._extended(_SRC_FAILED, text, severity="error", fault=fault.localized)
        elif self._stays_on_host:
            text = f"Cannot relocate virtual machine '{name}' in {_name(self._datacenter)}"
            self._record("VmRelocateFailedEvent", text, reason=fault.localized, **self._destination())
        else:
            to = f"{self.plan.host.wire_name}, {self.plan.datastore.wire_name} in {_name(self.plan.host.datacenter)}"
            text = f"Cannot migrate {name} from {self._host.wire_name}, {self._store.wire_name} to {to}"
            self._record("VmFailedMigrateEvent", text, reason=fault.localized, **self._destination())

    def _left(self) -> None:
        text = f"Virtual machine {self.vm.wire_name} was migrated to another vCenter Server"
        self._extended(_SRC_DONE, text, severity="info")
        arrived = next((vm for vm in self.plan.folder.children if _is(vm, self.vm)), None)
        if isinstance(arrived, Vm):
            said = f"Virtual machine {arrived.wire_name} was migrated from another vCenter Server"
            self.far_events.record("VmRegisteredEvent", arrived, user=self.task.user)
            self.far_events.record(
                "EventEx", arrived, text=said, user=self.task.user, eventTypeId=_DST_DONE, severity="info", message=said
            )

    def _extended(self, type_id: str, text: str, **fields: Any) -> None:
        self._record("EventEx", text, eventTypeId=type_id, message=text, **fields)

    def _record(self, type_: str, text: str, **fields: Any) -> None:
        where = argument(self.vm.datastore)
        self.events.record(type_, self.vm, user=self.task.user, chain=self.task.chain, text=text, ds=where, **fields)

    def _destination(self) -> dict[str, Data | None]:
        return {f"dest{word}": value for word, value in _places(self.plan.host, self.plan.datastore).items()}

    def _source(self) -> dict[str, Data | None]:
        return {f"source{word}": value for word, value in _places(self._host, self._store).items()}


def _places(host: Host, store: Datastore) -> dict[str, Data | None]:
    datacenter = host.datacenter
    return {
        "Host": argument(host),
        "Datacenter": argument(datacenter) if datacenter else None,
        "Datastore": argument(store),
    }


def _name(datacenter: Datacenter | None) -> str:
    return datacenter.wire_name if datacenter else ""


def _is(entity: object, vm: Vm) -> bool:
    return isinstance(entity, Vm) and entity.instance_uuid == vm.instance_uuid
