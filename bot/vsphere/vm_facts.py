"""All facts of one VM, in four round trips: the VM, the tree, what it refers to, its tasks."""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

from bot.migration.facts import Nic, RunningTask, VmFacts
from bot.migration.request import VCenterName, VmRef
from bot.vsphere.files import PATHS, disks_of
from bot.vsphere.history import task_name, user_of
from bot.vsphere.inventory import require_vm, uuid_of
from bot.vsphere.networks import PATHS as NETWORK_PATHS
from bot.vsphere.networks import Networks
from bot.vsphere.properties import Row, moid, read_each, read_through
from bot.vsphere.session import Connected
from bot.vsphere.tree import Tree, read_tree, shown

VM = (
    *PATHS,
    "name",
    "parent",
    "parentVApp",
    "config.instanceUuid",
    "summary.config.instanceUuid",
    "config.template",
    "summary.storage.committed",
    "runtime.host",
    "runtime.powerState",
    "runtime.connectionState",
    "runtime.question",
    "disabledMethod",
    "snapshot",
    "datastore",
    "network",
)


def read_vm(connected: Connected, vcenter: VCenterName, uuid: str) -> VmFacts:
    """Read everything a plan wants to know; FaultError of kind ManagedObjectNotFound if the VM is gone."""
    vm = require_vm(connected, uuid)
    rows = read_each(connected, [vm], {vim.VirtualMachine: VM})
    if not rows:
        require_vm(connected, uuid)  # it vanished between the two questions
        rows = read_each(connected, [vm], {vim.VirtualMachine: VM})
    row = rows[0]
    related = read_each(
        connected,
        [*(row["datastore"] or []), *(row["network"] or [])],
        {vim.Datastore: ("name",), vim.Network: ("name",), vim.dvs.DistributedVirtualPortgroup: NETWORK_PATHS},
    )
    tasks = read_through(connected, vm, "recentTask", {vim.Task: ("info",)})
    return _facts(vcenter, row, tree=read_tree(connected), related=related, tasks=[task["info"] for task in tasks])


def _facts(vcenter: VCenterName, row: Row, *, tree: Tree, related: list[Row], tasks: list[Any]) -> VmFacts:
    parent = row["parent"] or row["parentVApp"]
    datacenter = tree.datacenter(parent or row["runtime.host"])
    question = row["runtime.question"]
    return VmFacts(
        ref=VmRef(vcenter, uuid_of(row), shown(row["name"])),
        moid=row.moid,
        path=tree.path(parent, row["name"]),
        datacenter=shown(datacenter["name"]) if datacenter else "",
        folder=tree.path(parent),
        host=tree.name(row["runtime.host"]),
        host_moid=moid(row["runtime.host"]) if row["runtime.host"] is not None else "",
        vm_path_name=row["config.files.vmPathName"] or "",
        datastores=tuple(shown(entry["name"]) for entry in related if isinstance(entry.ref, vim.Datastore)),
        power=str(row["runtime.powerState"] or ""),
        connection=str(row["runtime.connectionState"] or ""),
        template=bool(row["config.template"]),
        disks=disks_of(row),
        nics=_nics(row, Networks(related)),
        committed=int(row["summary.storage.committed"] or 0),
        disabled_methods=tuple(map(str, row["disabledMethod"] or ())),
        running_tasks=tuple(_running(info) for info in tasks if info is not None and info.state in LIVE),
        question=question.text if question is not None else None,
        has_snapshots=row["snapshot"] is not None,
    )


LIVE = ("queued", "running")


def _running(info: Any) -> RunningTask:
    return RunningTask(name=task_name(info), user=user_of(info.reason))


def _nics(row: Row, networks: Networks) -> tuple[Nic, ...]:
    devices = row["config.hardware.device"] or []
    cards = (device for device in devices if isinstance(device, vim.vm.device.VirtualEthernetCard))
    return tuple(
        Nic(
            key=int(card.key),
            label=card.deviceInfo.label if card.deviceInfo else f"network adapter {card.key}",
            mac=card.macAddress or "",
            network=networks.name_of(card.backing),
        )
        for card in cards
    )
