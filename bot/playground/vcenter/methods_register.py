"""Methods by which a VM enters the inventory from its files, and leaves it with them or without.

Privileges are those of the API reference (RegisterVM_Task, UnregisterVM, ManagedEntity.Destroy_Task). What an argument
cannot mean is refused at once; what the datastore or the folder says against it ends the task.
"""

from __future__ import annotations

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.datastore_paths import locate
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.inventory import Cluster, Host, Pool, Vm
from bot.playground.vcenter.methods_lease import host_of, vm_folder
from bot.playground.vcenter.methods_tree import new_name
from bot.playground.vcenter.naming import escaped
from bot.playground.vcenter.registering import Arrival, destroy, read_vmx, register, unregister
from bot.playground.vcenter.wire import Data

_ENDING = ".vmx"


@method("RegisterVM_Task", on="Folder", privilege="VirtualMachine.Inventory.Register")
async def register_vm(call: Call) -> str:
    """Make a VM of the .vmx in a place, switched off. A template is registered from a .vmx too (invented)."""
    folder = vm_folder(call.estate.inventory.find(call.request.target))
    template = call.args.flag("asTemplate")
    host, pool = _compute(call, template=template)
    store, path = locate(call.args.value("path") or "", call.estate.inventory, folder.datacenter)
    call.require("System.Read", store)
    if not template:
        call.require("Resource.AssignVMToPool", pool)
    if store not in host.datastores:
        fault = Data("InvalidDatastore", datastore=store.ref, name=store.wire_name)
        raise Fault(fault, f"The operation is not supported: {host.name} cannot reach datastore '{store.name}'.")
    if not path.endswith(_ENDING):
        raise faults.invalid_argument("path", "it does not end with .vmx")
    arrival = Arrival(store, path, folder, host, pool, call.args.value("name"), template)
    task = call.new_task(folder)
    call.estate.tasks.start(task)
    try:
        vm = _register(call, arrival)
    except Fault as fault:
        call.estate.tasks.finish(task, fault)
    else:
        call.estate.events.record("VmRegisteredEvent", vm, user=call.session.user, chain=task.chain)
        task.result = vm.ref
        call.estate.tasks.finish(task)
    return returned(task.ref, "Task")


def _register(call: Call, arrival: Arrival) -> Vm:
    if not arrival.host.connected:
        raise faults.host_not_connected(arrival.host.name)
    vmx = read_vmx(call.estate.universe.depot.shelf(arrival.store), arrival.path)
    wish = arrival.name or escaped(vmx.name or arrival.stem)
    name = new_name(wish, beside=arrival.folder)
    return register(call.estate, _named(arrival, name), vmx)


def _named(arrival: Arrival, name: str) -> Arrival:
    return Arrival(arrival.store, arrival.path, arrival.folder, arrival.host, arrival.pool, name, arrival.template)


def _compute(call: Call, *, template: bool) -> tuple[Host, Pool]:
    """Return where the VM will be: a pool and perhaps a host of it, or for a template a host alone."""
    inventory = call.estate.inventory
    if not template:
        pool = inventory.find(call.args.reference("pool"))
        if not isinstance(pool, Pool):
            raise faults.invalid_argument("pool")
        return host_of(call, pool), pool
    host = inventory.find(call.args.reference("host"))
    cluster = host.parent if host else None
    if call.args.one("pool"):
        raise faults.invalid_argument("pool", "a template belongs to no pool")
    if not isinstance(host, Host) or not isinstance(cluster, Cluster) or cluster.pool is None:
        raise faults.invalid_argument("host")
    return host, cluster.pool


@method("UnregisterVM", on="VirtualMachine")
async def unregister_vm(call: Call) -> str:
    """Take a VM out of the inventory and leave its files where they are. There is no task."""
    vm = call.vm()
    _require_to_remove(call, vm, "VirtualMachine.Inventory.Unregister")
    if call.request.method in vm.disabled_methods:
        raise faults.method_disabled(call.request.method, call.disabler)
    obstacle = _obstacle(call, vm)
    if obstacle:
        raise obstacle
    call.estate.events.record("VmRemovedEvent", vm, user=call.session.user)
    unregister(call.estate, vm)
    return ""


@method("Destroy_Task", on="ManagedEntity")
async def destroy_entity(call: Call) -> str:
    """Delete a VM with its files, which gives their space back. Other entities are not destroyed by this player."""
    vm = call.estate.inventory.find(call.request.target)
    if not isinstance(vm, Vm):
        raise faults.not_supported("only VMs are destroyed by this player")
    _require_to_remove(call, vm, "VirtualMachine.Inventory.Delete")
    task = call.new_task(vm)
    fault = _obstacle(call, vm)
    call.estate.tasks.start(task)
    try:
        if fault is None:
            call.estate.universe.depot.shelf(vm.datastore)
            call.estate.events.record("VmRemovedEvent", vm, user=call.session.user, chain=task.chain)
            destroy(call.estate, vm)
    except Fault as unreachable:
        fault = unreachable
    call.estate.tasks.finish(task, fault)
    return returned(task.ref, "Task")


def _require_to_remove(call: Call, vm: Vm, privilege: str) -> None:
    """Ask for a privilege on the VM and on what it hangs in (vSphere Security, "Virtual Machine Inventory")."""
    call.require(privilege, vm)
    call.require(privilege, vm.parent)


def _obstacle(call: Call, vm: Vm) -> Fault | None:
    """Return what keeps a VM in the inventory now."""
    for task in call.estate.tasks.live(vm):
        return faults.task_in_progress(task.ref)
    if not vm.host.connected:
        return faults.host_not_connected(vm.host.name)
    return None if vm.power == "poweredOff" else faults.invalid_power_state(vm.power)
