"""Tasks of any kind as a diagnosis needs them: one by its id, or all of a VM that moved its disks and failed."""

# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from pyVmomi import vim, vmodl

from bot.migration.request import VCenterName
from bot.vsphere.collectors import task_collector
from bot.vsphere.history import BATCH, SLACK, snapshot_of, task_name
from bot.vsphere.inventory import LINE, find_by_uuid, vm_lines
from bot.vsphere.port import TaskRecord
from bot.vsphere.properties import read_each, read_through
from bot.vsphere.session import Connected
from bot.vsphere.tree import read_tree, shown

COPYING: Final = ("relocate", "clone", "migrate", "copy", "export", "import", "nfc", "deploy")
"""Parts of the names of tasks that move disks from host to host."""

LOOKED_THROUGH: Final = 5_000
"""Tasks of the history among which one is sought by its id, the newest first."""


def last_failed_copy(connected: Connected, vcenter: VCenterName, uuid: str, *, since: datetime) -> TaskRecord | None:
    """Return the latest copy of this VM that failed since then."""
    vm = find_by_uuid(connected, uuid)
    if vm is None:
        return None
    recent = [row["info"] for row in read_through(connected, vm, "recentTask", {vim.Task: ("info",)}) if row["info"]]
    infos = {info.key: info for info in [*_history(connected, since, entity=vm), *recent]}
    failed = [info for info in infos.values() if str(info.state) == "error" and is_copy(info) and info.completeTime]
    last = max((info for info in failed if info.completeTime >= since), key=_completed, default=None)
    return _record(connected, vcenter, last) if last is not None else None


def find_task(connected: Connected, vcenter: VCenterName, task: str, *, since: datetime) -> TaskRecord | None:
    """Return the task of this id, from vCenter's memory or from its history since a moment."""
    with suppress(vmodl.fault.ManagedObjectNotFound):
        if (info := vim.Task(task, connected.wire).info) is not None:
            return _record(connected, vcenter, info)
    known = next((info for info in _history(connected, since) if info.key == task), None)
    return _record(connected, vcenter, known) if known is not None else None


def is_copy(info: Any) -> bool:
    """Say whether a task moves a disk over the network."""
    named = f"{info.descriptionId or ''} {task_name(info)}".casefold()
    return any(word in named for word in COPYING)


def _completed(info: Any) -> datetime:
    moment: datetime = info.completeTime
    return moment


def _record(connected: Connected, vcenter: VCenterName, info: Any) -> TaskRecord:
    vm = None
    if isinstance(info.entity, vim.VirtualMachine):
        rows = read_each(connected, [info.entity], {vim.VirtualMachine: LINE})
        vm = next(iter(vm_lines(vcenter, read_tree(connected), rows)), None) if rows else None
    return TaskRecord(
        snapshot=snapshot_of(info),
        what=task_name(info),
        entity=shown(info.entityName),
        vm=vm,
        is_host=isinstance(info.entity, vim.HostSystem),
        started_at=info.startTime or info.queueTime,
        chain=int(info.eventChainId or 0),
    )


def _history(connected: Connected, since: datetime, *, entity: Any = None) -> Iterator[Any]:
    """Yield tasks queued since then, the newest first, as many as are worth looking through."""
    spec = vim.TaskFilterSpec(time=vim.TaskFilterSpec.ByTime(timeType="queuedTime", beginTime=since - SLACK))
    if entity is not None:
        spec.entity = vim.TaskFilterSpec.ByEntity(entity=entity, recursion="self")
    with task_collector(connected, spec) as collector:
        collector.SetCollectorPageSize(BATCH)
        collector.ResetCollector()
        seen = 0
        page: Iterable[Any] = collector.latestPage
        while (batch := list(page or ())) and seen < LOOKED_THROUGH:
            yield from batch
            seen += len(batch)
            page = collector.ReadPreviousTasks(BATCH)
