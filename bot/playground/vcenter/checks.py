"""What stands against a move now: CheckRelocate_Task tells all of it, with warnings; a relocation ends of the first.

The groups of tests are those of the API reference (CheckTestType). Classes of faults are from the WSDL; which device
brings which fault is after the lists of "unsupported devices" in the vSphere documentation, wording ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bot.playground.vcenter import faults
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.freight import needs
from bot.playground.vcenter.inventory import Disk, Vm
from bot.playground.vcenter.relocate_spec import Plan
from bot.playground.vcenter.tasks import Task
from bot.playground.vcenter.universe import Estate
from bot.playground.vcenter.wire import Data


class TestGroup(StrEnum):
    SOURCE = "sourceTests"
    HOST = "hostTests"
    POOL = "resourcePoolTests"
    DATASTORE = "datastoreTests"
    NETWORK = "networkTests"


@dataclass(frozen=True)
class Finding:
    """One thing that a test group found. A warning does not keep the VM from moving."""

    group: TestGroup
    fault: Fault
    warning: bool = False


def findings(estate: Estate, vm: Vm, plan: Plan, *, asking: Task | None = None) -> Iterator[Finding]:
    """Yield what stands against moving a VM by this plan now, in the order in which a relocation comes upon it.

    `asking` is the relocation's own task, which does not stand in its own way.
    """
    yield from _of_the_vm(estate, vm, plan, asking)
    yield from _of_the_hosts(vm, plan)
    yield from _of_the_folder(vm, plan)
    yield from _of_the_networks(vm, plan)
    yield from _of_the_datastores(vm, plan)


def _of_the_vm(estate: Estate, vm: Vm, plan: Plan, asking: Task | None) -> Iterator[Finding]:
    for task in (task for task in estate.tasks.live(vm) if task is not asking):
        yield Finding(TestGroup.SOURCE, faults.task_in_progress(task.ref))
    if vm.power != "poweredOff":
        yield Finding(TestGroup.SOURCE, faults.invalid_power_state(vm.power))
    for disk in vm.disks:
        if disk.flaw:
            yield Finding(TestGroup.SOURCE, disk.flaw)
    if vm.snapshots and plan.moves_files(vm):
        text = f"Virtual machine '{vm.wire_name}' has snapshots; the whole chain is moved."
        yield Finding(TestGroup.SOURCE, Fault(Data("SnapshotMoveNotSupported"), text), warning=True)


def _of_the_hosts(vm: Vm, plan: Plan) -> Iterator[Finding]:
    for host, group in ((vm.host, TestGroup.SOURCE), (plan.host, TestGroup.HOST)):
        if not host.connected:
            yield Finding(group, faults.host_not_connected(host.name))
    if plan.host.connected and plan.host.maintenance:  # to leave such a host is what maintenance mode is for
        yield Finding(TestGroup.HOST, faults.host_state(plan.host.name, "is in maintenance mode"))
    if plan.host is vm.host:
        return
    for kind, detail in vm.hardware.devices:
        yield from _of_a_device(kind, detail, plan)
    for disk in vm.disks:
        if disk.raw == "physical" and plan.moves_files(vm):
            yield Finding(TestGroup.DATASTORE, _not_preserved(disk), warning=True)


def _of_a_device(kind: str, detail: str, plan: Plan) -> Iterator[Finding]:
    if kind == "iso" and detail[1:].partition("]")[0] not in {store.name for store in plan.host.datastores}:
        yield Finding(TestGroup.HOST, _device(f"CD/DVD drive backed by {detail}"), warning=True)
    if kind in {"host-cd", "usb", "serial"}:
        yield Finding(TestGroup.HOST, _device(f"{kind} device of the host"), warning=True)
    if kind in {"pci", "vgpu"}:
        yield Finding(TestGroup.HOST, _device(f"{kind} passthrough device"))


def _device(name: str) -> Fault:
    text = f"Device '{name}' is not supported or not accessible on the destination."
    return Fault(Data("DeviceNotSupported", device=name), text)


def _not_preserved(disk: Disk) -> Fault:
    text = f"The raw device mapping of '{disk.label}' is not preserved by the move."
    return Fault(Data("RDMNotPreserved", device=disk.label), text)


def _of_the_folder(vm: Vm, plan: Plan) -> Iterator[Finding]:
    for other in plan.folder.children:
        if other is not vm and other.name == vm.name:
            yield Finding(TestGroup.SOURCE, faults.duplicate_name(vm.name, other.ref))


def _of_the_networks(vm: Vm, plan: Plan) -> Iterator[Finding]:
    for nic in vm.nics:
        network = plan.nics.get(nic.key, nic.network)
        if network not in plan.host.networks:
            fault = faults.network_not_accessible(nic.label, network.ref, network.wire_name)
            yield Finding(TestGroup.NETWORK, fault)


def _of_the_datastores(vm: Vm, plan: Plan) -> Iterator[Finding]:
    for store, need in needs(vm, plan).items():
        if need > store.free:
            yield Finding(TestGroup.DATASTORE, faults.no_disk_space(vm.vmx_path, store.name))


def results(vm: Vm, plan: Plan, found: list[Finding]) -> list[Data]:
    """Return CheckResults: one for the destination host, with every error and warning."""
    errors = [finding.fault.localized for finding in found if not finding.warning]
    warnings = [finding.fault.localized for finding in found if finding.warning]
    return [Data("CheckResult", vm=vm.ref, host=plan.host.ref, warning=warnings or None, error=errors or None)]
