"""Methods of HttpNfcLease, and the two that hand leases out."""

from __future__ import annotations

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.exports import Export, exported_devices
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.import_spec import parse_import_spec
from bot.playground.vcenter.imports import Import, add_vm, imported_devices
from bot.playground.vcenter.inventory import Cluster, Entity, Folder, Host, Pool
from bot.playground.vcenter.leases import Lease, LeaseState
from bot.playground.vcenter.wire import Data

_ALL = 100


@method("ExportVm", on="VirtualMachine", privilege="VApp.Export")
async def export_vm(call: Call) -> str:
    """Lease a VM's disks for reading. Refuses with what the API reference lists: power, tasks, and a host that is away.

    An encrypted VM is refused with NotSupported (vSphere Security, "Virtual Machine Encryption Interoperability").
    """
    vm = call.vm()
    if vm.power != "poweredOff":
        raise faults.invalid_power_state(vm.power)
    if vm.hardware.encrypted:
        raise faults.not_supported("an encrypted virtual machine cannot be exported")
    if not vm.host.connected:
        raise faults.host_not_connected(vm.host.name)
    for task in call.estate.tasks.live(vm):
        raise faults.task_in_progress(task.ref)
    for disk in vm.disks:
        if disk.flaw:
            raise disk.flaw
    task = call.new_task(vm)
    devices = list(exported_devices(call.estate, vm))
    purpose = Export(call.estate, vm)
    return _hand_out(call, Lease(call.estate, call.session, vm, vm.host, task, devices, purpose, importing=False))


@method("ImportVApp", on="ResourcePool", privilege="VApp.Import")
async def import_vapp(call: Call) -> str:
    """Make a VM and lease its disks for writing."""
    pool, spec = call.estate.inventory.find(call.request.target), call.args.one("spec")
    if not isinstance(pool, Pool) or spec is None:
        raise faults.invalid_argument("spec")
    host, folder = host_of(call, pool), vm_folder(call.estate.inventory.find(call.args.reference("folder")))
    plan = parse_import_spec(spec, host=host, pool=pool, folder=folder)
    call.require("VApp.Import", folder)
    call.require("Datastore.AllocateSpace", plan.store)
    for network in plan.networks:
        call.require("Network.Assign", network)
    vm = add_vm(call.estate, plan)
    task = call.new_task(vm)
    devices, purpose = imported_devices(vm, plan), Import(call.estate, vm)
    return _hand_out(call, Lease(call.estate, call.session, vm, host, task, devices, purpose, importing=True))


def _hand_out(call: Call, lease: Lease) -> str:
    lease.ref = call.session.keep("HttpNfcLease", lease)
    call.estate.doors.leases.hold(lease)
    return returned(lease.ref, "HttpNfcLease")


def host_of(call: Call, pool: Pool) -> Host:
    """Return the host that was named, or one of the pool's that works, as vCenter picks one."""
    cluster = pool.parent
    hosts = cluster.hosts if isinstance(cluster, Cluster) else []
    ref = call.args.reference("host")
    fit = [host for host in hosts if host.connected and not host.maintenance and ref in {None, host.ref}]
    if not fit:
        raise faults.invalid_argument("host", "it is not of this pool, not connected, or in maintenance mode")
    return fit[0]


def vm_folder(found: Entity | None) -> Folder:
    """Return a folder that holds VMs. Refuses anything else with InvalidArgument."""
    if not isinstance(found, Folder) or "VirtualMachine" not in found.child_types:
        raise faults.invalid_argument("folder")
    return found


def _lease(call: Call, *states: LeaseState) -> Lease:
    """Return the lease of a call. Refuses with Timedout one that lapsed, with InvalidState one in another state."""
    call.estate.doors.leases.sweep()
    lease = call.reader.find(call.request.target)
    if not isinstance(lease, Lease):
        raise faults.not_found(call.request.target)
    if lease.state not in states:
        if lease.fault and lease.fault.data.type == "Timedout":
            raise faults.timed_out()
        text = f"The operation is not allowed in the current state: the lease is in the state {lease.state}."
        raise Fault(Data("InvalidState"), text)
    return lease


@method("HttpNfcLeaseProgress", on="HttpNfcLease")
async def report_progress(call: Call) -> str:
    lease, percent = _lease(call, LeaseState.READY), call.args.number("percent")
    if percent is None or not 0 <= percent <= _ALL:
        raise faults.invalid_argument("percent")
    lease.report(percent)
    return ""


@method("HttpNfcLeaseComplete", on="HttpNfcLease")
async def complete(call: Call) -> str:
    """End a lease well. A disk that was never uploaded is empty then: nobody but the client knows what it meant."""
    _lease(call, LeaseState.READY).complete()
    return ""


@method("HttpNfcLeaseAbort", on="HttpNfcLease")
async def abort(call: Call) -> str:
    """End a lease with the caller's fault, or with RequestCanceled."""
    lease = _lease(call, LeaseState.READY, LeaseState.INITIALIZING)
    told = call.args.one("fault")
    lease.fail(faults.system_error(told.value("reason") or "aborted") if told else faults.request_canceled())
    return ""


@method("HttpNfcLeaseGetManifest", on="HttpNfcLease")
async def get_manifest(call: Call) -> str:
    lease = _lease(call, LeaseState.READY, LeaseState.DONE)
    entries = [entry for device in lease.devices if (entry := device.manifest_entry)]
    return returned(entries, "HttpNfcLeaseManifestEntry")
