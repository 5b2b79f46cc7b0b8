"""Tasks: from queued to an end, the list of recent ones, and the history that outlives the objects.

What a task does is told by whoever runs it. A finished task object vanishes after the retention time, as on a vCenter;
its TaskInfo stays in the history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.playground.vcenter.changes import Changes
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.happenings import EventLog
from bot.playground.vcenter.inventory import Entity
from bot.playground.vcenter.wire import Data, Ref

TASK_MANAGER = Ref("TaskManager", "TaskManager")
_HISTORY = 20_000


@dataclass(eq=False)
class Task:
    """One task. `abort` stops the work behind it; None where nothing can be stopped."""

    id: str
    method: str
    entity: Entity
    user: str
    chain: int
    queued: datetime
    op_id: str
    state: str = "queued"
    progress: int | None = None
    started: datetime | None = None
    completed: datetime | None = None
    cancelled: bool = False
    fault: Fault | None = None
    abort: Callable[[], object] | None = None
    story: Story | None = None
    """Who writes down what else happens when it starts and ends."""
    result: object = None

    @property
    def ref(self) -> Ref:
        return Ref("Task", self.id)

    @property
    def ended(self) -> bool:
        return self.state in {"success", "error"}

    @property
    def description(self) -> str:
        name, _, _ = self.method.partition("_Task")
        known = DESCRIPTIONS.get(self.method, name[:1].lower() + name[1:])
        return known if "." in known else f"{self.entity.wire}.{known}"

    @property
    def info(self) -> Data:
        """TaskInfo as it is now."""
        return Data(
            "TaskInfo",
            key=self.id,
            task=self.ref,
            name=self.method,
            descriptionId=self.description,
            entity=self.entity.ref,
            entityName=self.entity.wire_name,
            state=self.state,
            cancelled=self.cancelled,
            cancelable=self.abort is not None and not self.ended and not self.cancelled,
            error=self.fault.localized if self.fault else None,
            result=self.result if self.state == "success" else None,
            progress=self.progress if self.state == "running" else None,
            reason=Data("TaskReasonUser", userName=self.user),
            queueTime=self.queued,
            startTime=self.started,
            completeTime=self.completed,
            eventChainId=self.chain,
        )


DESCRIPTIONS = {
    "RelocateVM_Task": "relocate",
    "PowerOnVM_Task": "powerOn",
    "PowerOffVM_Task": "powerOff",
    "CreateSnapshot_Task": "createSnapshot",
    "MoveIntoFolder_Task": "moveInto",
    "Rename_Task": "ManagedEntity.rename",
    "RegisterVM_Task": "Folder.registerVm",
    "ReconfigVM_Task": "reconfigure",
    "ConsolidateVMDisks_Task": "consolidateDisks",
    "SearchDatastore_Task": "host.DatastoreBrowser.search",
    "SearchDatastoreSubFolders_Task": "host.DatastoreBrowser.searchSubFolders",
    "CreateVirtualDisk_Task": "VirtualDiskManager.createVirtualDisk",
    "CopyVirtualDisk_Task": "VirtualDiskManager.copyVirtualDisk",
    "DeleteVirtualDisk_Task": "VirtualDiskManager.deleteVirtualDisk",
    "InflateVirtualDisk_Task": "VirtualDiskManager.inflateVirtualDisk",
    "ExportVm": "ExportVmLRO",
    "ImportVApp": "ResourcePool.ImportVAppLRO",
    "CopyDatastoreFile_Task": "FileManager.copyFile",
    "MoveDatastoreFile_Task": "FileManager.moveFile",
    "DeleteDatastoreFile_Task": "FileManager.deleteFile",
    "CheckRelocate_Task": "vm.check.ProvisioningChecker.checkRelocate",
}
"""What follows the type in descriptionId, or all of it where there is a dot (vCenter's own table, see govmomi)."""
_LABELS = {
    "RelocateVM_Task": "Relocate virtual machine",
    "PowerOnVM_Task": "Power On virtual machine",
    "PowerOffVM_Task": "Power Off virtual machine",
    "CreateSnapshot_Task": "Create virtual machine snapshot",
    "ConsolidateVMDisks_Task": "Consolidate virtual machine disk files",
}


class Story(Protocol):
    """Hears how a task goes on."""

    def started(self) -> None: ...

    def ended(self, fault: Fault | None) -> None: ...


class TaskBoard:
    """All tasks of one vCenter."""

    def __init__(
        self, changes: Changes, events: EventLog, *, clock: Callable[[], datetime], retention: timedelta
    ) -> None:
        self._changes = changes
        self._events = events
        self._clock = clock
        self.retention = retention
        self._objects: dict[str, Task] = {}
        self.history: list[Task] = []
        self._number = 1000

    def create(self, method: str, *, entity: Entity, user: str, op_id: str) -> Task:
        """Queue a task. Its TaskEvent begins the chain of events that `eventChainId` leads to."""
        self._number += 1
        task = Task(f"task-{self._number}", method, entity, user, self._events.upcoming, self._clock(), op_id)
        label = _LABELS.get(method, method.removesuffix("_Task"))
        self._events.record("TaskEvent", entity, user=user, text=f"Task: {label}", info=task.info)
        self._objects[task.id] = task
        self.history.append(task)
        del self.history[:-_HISTORY]
        self._changes.touch(task.ref, entity.ref, TASK_MANAGER)
        return task

    def start(self, task: Task) -> None:
        task.state, task.started, task.progress = "running", self._clock(), 0
        self._changes.touch(task.ref)
        if task.story:
            task.story.started()

    def report(self, task: Task, percent: int) -> None:
        task.progress = percent
        self._changes.touch(task.ref)

    def finish(self, task: Task, fault: Fault | None = None) -> None:
        """End a task, with its fault or well. One that has ended stays as it is: a restart may have been faster."""
        if task.ended:
            return
        task.fault, task.completed = fault, self._clock()
        task.state = "error" if fault else "success"
        if task.story:
            task.story.ended(fault)
        self._changes.touch(task.ref, task.entity.ref, TASK_MANAGER)

    def cancel(self, task: Task) -> None:
        """Ask the work behind a task to stop; the caller has seen that it is cancelable."""
        task.cancelled = True
        self._changes.touch(task.ref)
        if task.abort:
            task.abort()

    def find(self, id_: str) -> Task | None:
        """Return a task object that still exists."""
        return self._objects.get(id_)

    def recent(self, entity: Entity | None = None) -> list[Task]:
        """Return the task objects of an entity, or all, oldest first."""
        return [task for task in self._objects.values() if entity is None or task.entity is entity]

    def live(self, entity: Entity) -> Iterator[Task]:
        """Yield the tasks of an entity that are running now, queued ones left out."""
        return (task for task in self._objects.values() if task.entity is entity and task.state == "running")

    def sweep(self) -> None:
        """Let finished task objects vanish whose time is over; never in the middle of an answer, which lists them."""
        horizon = self._clock() - self.retention
        for task in [task for task in self._objects.values() if task.completed and task.completed <= horizon]:
            self._forget(task)

    def forget_ended(self) -> None:
        """Let every finished task object vanish now; the history keeps what it was."""
        for task in [task for task in self._objects.values() if task.ended]:
            self._forget(task)

    def _forget(self, task: Task) -> None:
        del self._objects[task.id]
        self._changes.touch(task.ref, task.entity.ref, TASK_MANAGER)
