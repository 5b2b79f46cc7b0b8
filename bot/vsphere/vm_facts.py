"""All facts of one VM in three round trips: who it is, the VM with what it refers to, and its host with what that has.

The host is read by its id, because the way from a VM to its host is a property of a property (`properties.step`).
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from pyVmomi import vim, vmodl

from bot.migration.facts import HostFacts, Nic, RunningTask, VmFacts
from bot.migration.request import VCenterName, VmRef
from bot.vsphere import devices, snapshots
from bot.vsphere.faults import translate
from bot.vsphere.files import PATHS as FILE_PATHS
from bot.vsphere.files import disks_of, is_linked_clone
from bot.vsphere.history import LIVE, task_label, user_of
from bot.vsphere.host_rows import HOST, TASK, copied_vms, host_facts, recent_tasks
from bot.vsphere.inventory import require_vm, uuid_of
from bot.vsphere.networks import WANTED as NETWORKS
from bot.vsphere.networks import Networks
from bot.vsphere.properties import Row, Wanted, moid, read_along, start, step
from bot.vsphere.session import Connected
from bot.vsphere.tree import NODES, UP, Tree, shown, tree_of

VM: Final = (
    *FILE_PATHS,
    *snapshots.PATHS,
    "name",
    "parent",
    "parentVApp",
    "config.instanceUuid",
    "summary.config.instanceUuid",
    "config.template",
    "config.version",
    "config.keyId",
    "config.hardware.memoryMB",
    "config.memoryAllocation.reservation",
    "config.changeTrackingEnabled",
    "config.extraConfig",
    "config.managedBy.extensionKey",
    "config.ftInfo",
    "runtime.faultToleranceState",
    "runtime.minRequiredEVCModeKey",
    "summary.storage.committed",
    "guest.toolsRunningStatus",
    "runtime.host",
    "runtime.powerState",
    "runtime.connectionState",
    "runtime.question",
    "disabledMethod",
    "datastore",
    "network",
    "recentTask",
)
_TASK: Final = ("info.state", "info.name", "info.descriptionId", "info.reason")
_MEGABYTE: Final = 2**20
_VERSION: Final = re.compile(r"vmx-0*(\d+)")
_REPLICATED: Final = re.compile(r"(?:^|\.)hbr_filter\.")
"""What vSphere Replication writes into the configuration of a VM and of its disks, and takes out again."""


def read_vm(connected: Connected, vcenter: VCenterName, uuid: str) -> VmFacts:
    """Read everything a plan wants to know; FaultError of kind ManagedObjectNotFound if the VM is gone."""
    row, rows = _look(connected, uuid)
    beside = _host_rows(connected, row["runtime.host"])
    tree = tree_of(connected.content.rootFolder, [*rows, *beside])
    return _facts(VmRef(vcenter, uuid_of(row) or uuid, shown(row["name"])), row, rows, tree=tree, on=_on(row, beside))


def _look(connected: Connected, uuid: str) -> tuple[Row, list[Row]]:
    """Return the VM's row and all that were read with it; twice, if it vanished between two questions."""
    for _ in range(2):
        vm = require_vm(connected, uuid)
        lists = (step(vim.VirtualMachine, path) for path in ("datastore", "network", "recentTask"))
        wanted: Wanted = {vim.VirtualMachine: VM, vim.Datastore: ("name",), vim.Task: _TASK, **NETWORKS, **NODES}
        rows = read_along(connected, [start(vm, *UP, *lists, itself=True)], wanted)
        for row in rows:
            if row.moid == moid(vm):
                return row, rows
    text = f"The VM with the instance UUID {uuid} is just being removed"
    raise translate(vmodl.fault.ManagedObjectNotFound(msg=text))


def _host_rows(connected: Connected, host: Any | None) -> list[Row]:
    if host is None:
        return []
    lists = (step(vim.HostSystem, path) for path in ("datastore", "network"))
    wanted: Wanted = {
        **NODES,
        vim.HostSystem: HOST,
        vim.ComputeResource: (*NODES[vim.ComputeResource], "resourcePool"),
        vim.Datastore: ("name",),
        vim.Task: TASK,
        **NETWORKS,
    }
    starts = [start(vim.HostSystem(moid(host)), *UP, *lists, itself=True), recent_tasks(connected)]
    return read_along(connected, starts, wanted)


def _on(vm: Row, rows: Sequence[Row]) -> HostFacts | None:
    """Return the facts of the VM's host; None where vCenter does not say which it is, or it is gone."""
    row = next((row for row in rows if row.ref == vm["runtime.host"]), None)
    if row is None:
        return None
    names = {other.moid: shown(other["name"]) for other in rows}
    above = next((other for other in rows if row["parent"] is not None and other.ref == row["parent"]), None)
    pool = above["resourcePool"] if above is not None else None
    return host_facts(row, names, pool=pool, copied=copied_vms(rows))


def _facts(ref: VmRef, row: Row, rows: Sequence[Row], *, tree: Tree, on: HostFacts | None) -> VmFacts:
    parent = row["parent"] or row["parentVApp"]
    datacenter = tree.datacenter(parent or row["runtime.host"])
    question, key = row["runtime.question"], row["config.keyId"]
    hardware = row["config.hardware.device"] or []
    version = _VERSION.fullmatch(row["config.version"] or "")
    return VmFacts(
        ref=ref,
        moid=row.moid,
        path=tree.path(parent, row["name"]),
        datacenter=shown(datacenter["name"]) if datacenter else "",
        folder=tree.path(parent),
        host=on.name if on is not None else "",
        host_moid=moid(row["runtime.host"]) if row["runtime.host"] is not None else "",
        vm_path_name=row["config.files.vmPathName"] or "",
        datastores=tuple(shown(entry["name"]) for entry in rows if isinstance(entry.ref, vim.Datastore)),
        power=str(row["runtime.powerState"] or ""),
        connection=str(row["runtime.connectionState"] or ""),
        template=bool(row["config.template"]),
        disks=disks_of(row),
        nics=_nics(hardware, Networks(rows)),
        committed=int(row["summary.storage.committed"] or 0),
        disabled_methods=tuple(map(str, row["disabledMethod"] or ())),
        running_tasks=tuple(_running(task) for task in rows if str(task["info.state"]) in LIVE),
        question=question.text if question is not None else None,
        has_snapshots=row["snapshot"] is not None,
        devices=devices.devices_of(hardware),
        snapshots=snapshots.snapshots_of(row),
        bus_sharing=devices.bus_sharing_of(hardware),
        encrypted=key is not None,
        key_provider=(key.providerId.id if key is not None and key.providerId is not None else "") or "",
        hardware_version=int(version[1]) if version else 0,
        min_evc=row["runtime.minRequiredEVCModeKey"] or "",
        memory=int(row["config.hardware.memoryMB"] or 0) * _MEGABYTE,
        memory_reservation=int(row["config.memoryAllocation.reservation"] or 0) * _MEGABYTE,
        change_tracking=bool(row["config.changeTrackingEnabled"]),
        linked_clone=is_linked_clone(row),
        fault_tolerance=_is_fault_tolerant(row),
        vapp=tree.name(row["parentVApp"]),
        replication=any(_REPLICATED.search(option.key) and option.value for option in row["config.extraConfig"] or ()),
        managed_by=row["config.managedBy.extensionKey"] or "",
        tools_running=row["guest.toolsRunningStatus"] == "guestToolsRunning",
        on=on,
        unread=row.unread,
    )


def _is_fault_tolerant(row: Row) -> bool:
    state = str(row["runtime.faultToleranceState"] or "notConfigured")
    return row["config.ftInfo"] is not None or state != "notConfigured"


def _running(task: Row) -> RunningTask:
    return RunningTask(
        name=task_label(task["info.name"], task["info.descriptionId"]), user=user_of(task["info.reason"])
    )


def _nics(hardware: Sequence[Any], networks: Networks) -> tuple[Nic, ...]:
    cards = (device for device in hardware if isinstance(device, vim.vm.device.VirtualEthernetCard))
    return tuple(
        Nic(
            key=int(card.key),
            label=card.deviceInfo.label if card.deviceInfo else f"network adapter {card.key}",
            mac=card.macAddress or "",
            network=networks.name_of(card.backing),
        )
        for card in cards
    )
