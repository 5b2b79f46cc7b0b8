"""Tasks of the past and present: how a TaskInfo is told, and all relocations of a VM since a moment.

vCenter forgets task objects some minutes after their end, so both the VM's recent tasks and the task history are
asked. A relocation that is in neither has not been queued.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pyVmomi import vim

from bot.vsphere.collectors import task_collector
from bot.vsphere.faults import kind_of, text_of
from bot.vsphere.inventory import require_vm
from bot.vsphere.port import TaskSnapshot, TaskState
from bot.vsphere.properties import read_through
from bot.vsphere.session import Connected

RELOCATE_ID = "VirtualMachine.relocate"
RELOCATE_NAME = "relocatevm"  # RelocateVM_Task on a vCenter, RelocateVm in govmomi's simulator
LIVE = frozenset({"queued", "running"})
"""The states of a task that has not ended."""
BATCH = 100
SLACK = timedelta(seconds=1)  # the history's filter may round; what is too old is dropped here


def find_relocations(connected: Connected, uuid: str, *, since: datetime) -> list[TaskSnapshot]:
    """Return the relocations of this VM that were queued at or after `since`, oldest first, each once."""
    vm = require_vm(connected, uuid)
    # History first: a task that leaves the recent ones in between is then still met once, never missed.
    infos = [*_from_history(connected, vm, since), *_from_recent(connected, vm)]
    found = {info.key: snapshot_of(info) for info in infos if is_relocation(info)}
    ours = [task for task in found.values() if task.queued_at is not None and task.queued_at >= since]
    return sorted(ours, key=lambda task: (task.queued_at, task.task))


def _from_recent(connected: Connected, vm: Any) -> Iterable[Any]:
    rows = read_through(connected, vm, "recentTask", {vim.Task: ("info",)})
    return [row["info"] for row in rows if row["info"] is not None]


def _from_history(connected: Connected, vm: Any, since: datetime) -> Iterable[Any]:
    by_entity = vim.TaskFilterSpec.ByEntity(entity=vm, recursion="self")
    by_time = vim.TaskFilterSpec.ByTime(timeType="queuedTime", beginTime=since - SLACK)
    filter_spec = vim.TaskFilterSpec(entity=by_entity, time=by_time)
    with task_collector(connected, filter_spec) as collector:
        return list(_batches(collector))


def _batches(collector: Any) -> Iterator[Any]:
    while batch := collector.ReadNextTasks(BATCH):
        yield from batch


def is_relocation(info: Any) -> bool:
    return info.descriptionId == RELOCATE_ID or task_name(info).removesuffix("_Task").lower() == RELOCATE_NAME


def task_name(info: Any) -> str:
    """Return what people know a task by: the method's name, or its description."""
    return task_label(info.name, info.descriptionId)


def task_label(name: Any, description: str | None) -> str:
    """Do what `task_name` does with the two properties that it takes."""
    if isinstance(name, str) and name:  # as a property of its own it has no type that pyVmomi would look up
        return name
    known = getattr(name, "info", None)  # pyVmomi turns the name into its own method object where it knows it
    return str(known.wsdlName if known else getattr(name, "name", None) or description or "task")


def user_of(reason: Any) -> str:
    """Return who started a task, or by what it was started."""
    if isinstance(reason, vim.TaskReasonUser):
        return reason.userName
    return type(reason).__name__.rpartition(".TaskReason")[2].lower() if reason is not None else ""


def snapshot_of(info: Any) -> TaskSnapshot:
    """Tell a whole TaskInfo."""
    names = ("state", "progress", "error", "cancelled", "cancelable", "queueTime", "completeTime", "descriptionId")
    return snapshot(info.key, {f"info.{name}": getattr(info, name) for name in (*names, "reason")})


def snapshot(task: str, values: dict[str, Any]) -> TaskSnapshot:
    """Tell a task by its properties, as the property collector names them."""
    error = values.get("info.error")
    return TaskSnapshot(
        task=task,
        state=TaskState(str(values["info.state"])),
        progress=values.get("info.progress"),
        cancelable=bool(values.get("info.cancelable")),
        cancelled=bool(values.get("info.cancelled")),
        fault=kind_of(error) if error is not None else None,
        message=text_of(error) if error is not None else "",
        user=user_of(values.get("info.reason")),
        queued_at=_utc(values.get("info.queueTime")),
        completed_at=_utc(values.get("info.completeTime")),
        description_id=values.get("info.descriptionId") or "",
    )


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment is not None else None
