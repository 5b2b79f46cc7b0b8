"""ReconfigVM_Task, as far as it is played: name, notes, extra configuration, what cards and drives are plugged to.

Privileges are those that its page in the API reference lists. A spec with anything else is refused with NotSupported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.inventory import Nic, Vm
from bot.playground.vcenter.methods_tree import give_name, new_name
from bot.playground.vcenter.properties_devices import FIRST_DRIVE, ON_IDE, OTHERS
from bot.playground.vcenter.questions import DOOR_LOCKED, YES
from bot.playground.vcenter.relocate_spec import network_of
from bot.playground.vcenter.tasks import Task
from bot.playground.vcenter.wire import Data, Node

_PLAYED = {"changeVersion", "name", "annotation", "extraConfig", "deviceChange"}
_MEDIA = {
    "VirtualCdromIsoBackingInfo": ("iso", "fileName"),
    "VirtualCdromAtapiBackingInfo": ("host-cd", "deviceName"),
    "VirtualCdromRemotePassthroughBackingInfo": ("client-cd", ""),
    "VirtualCdromRemoteAtapiBackingInfo": ("client-cd", ""),
    "VirtualFloppyImageBackingInfo": ("floppy", "fileName"),
    "VirtualFloppyRemoteDeviceBackingInfo": ("client-floppy", ""),
}
_FLOPPIES = {"floppy", "client-floppy"}

Change = Callable[[], None]


@method("ReconfigVM_Task", on="VirtualMachine")
async def reconfigure_vm(call: Call) -> str:
    """Change a VM's configuration, all of it or nothing."""
    vm, spec = call.vm(), call.args.one("spec")
    if spec is None:
        raise faults.invalid_argument("spec")
    for child in spec.children:
        if child.tag not in _PLAYED:
            raise faults.not_supported(f"spec.{child.tag} is not played")
    version, inventory = spec.value("changeVersion"), call.estate.inventory
    stale = bool(version) and version != str(inventory.changes.of(vm.ref))
    changes = list(_changes(call, vm, spec))
    wish = _wish(call, vm, spec)
    task = call.new_task(vm)
    fault = _obstacle(call, vm, stale=stale)
    call.estate.tasks.start(task)
    try:
        name = new_name(wish, beside=vm.parent) if wish and not fault else None
    except Fault as misnomer:
        fault = misnomer

    def carry_out() -> None:
        if name:
            give_name(call, vm, name, chain=task.chain)
        for change in changes:
            change()
        inventory.changes.touch(vm.ref, *(network.ref for network in vm.networks))

    if fault is None and _is_held(vm, spec):
        _ask(call, vm, task, carry_out)
        return returned(task.ref, "Task")  # it runs until the question is answered
    if fault is None:
        carry_out()
    call.estate.tasks.finish(task, fault)
    return returned(task.ref, "Task")


def _is_held(vm: Vm, spec: Node) -> bool:
    """Say whether a guest that is on holds the door of a drive whose medium is to change."""
    if vm.power != "poweredOn" or not vm.hardware.locks_drive:
        return False
    backings = [device.one("backing") for change in spec.all("deviceChange") if (device := change.one("device"))]
    return any(backing.type.startswith("VirtualCdrom") for backing in backings if backing)


def _ask(call: Call, vm: Vm, task: Task, carry_out: Change) -> None:
    """Let the VM ask, and go on with the answer. That a "no" ends the task with this fault is invented."""

    def answered(choice: str) -> None:
        if choice == YES:
            carry_out()
        refused = None if choice == YES else faults.vm_config("The guest has locked the door of the CD drive.")
        call.estate.tasks.finish(task, refused)

    vm.question, vm.on_answer = DOOR_LOCKED, answered
    call.estate.inventory.changes.touch(vm.ref)


def _wish(call: Call, vm: Vm, spec: Node) -> str | None:
    """Return the new name that is asked for, None for none."""
    wish = spec.value("name")
    if wish is None or wish in {vm.name, vm.wire_name}:
        return None
    call.require("VirtualMachine.Config.Rename", vm)
    return wish


def _obstacle(call: Call, vm: Vm, *, stale: bool) -> Fault | None:
    for task in call.estate.tasks.live(vm):
        return faults.task_in_progress(task.ref)
    if not vm.host.connected:
        return faults.host_not_connected(vm.host.name)
    if stale:
        return Fault(Data("ConcurrentAccess"), "The configuration was changed by somebody else in the meantime.")
    return None


def _changes(call: Call, vm: Vm, spec: Node) -> Iterator[Change]:
    """Yield what is to be done. Refuses what is no change of this VM, and with NoPermission what one may not change."""
    notes = spec.value("annotation")
    if notes is not None:
        call.require("VirtualMachine.Config.Annotation", vm)
        yield lambda: setattr(vm, "annotation", notes)
    for option in spec.all("extraConfig"):
        call.require("VirtualMachine.Config.AdvancedConfig", vm)
        yield _extra(vm, option)
    for number, change in enumerate(spec.all("deviceChange")):
        argument, device = f"spec.deviceChange[{number}]", change.one("device")
        if change.value("operation") != "edit" or device is None:
            raise faults.not_supported(f"{argument}: only network cards and drives are edited, none added or removed")
        yield from _of_a_device(call, vm, device, argument=f"{argument}.device")


def _extra(vm: Vm, option: Node) -> Change:
    """Return the change of one key; an empty value removes it (VirtualMachineConfigSpec.extraConfig, API reference)."""
    key, value = option.value("key") or "", option.value("value") or ""
    if not key:
        raise faults.invalid_argument("spec.extraConfig.key")

    def change() -> None:
        vm.extra = {name: kept for name, kept in vm.extra.items() if name.lower() != key.lower()}
        if value:
            vm.extra[key] = value

    return change


def _of_a_device(call: Call, vm: Vm, device: Node, *, argument: str) -> Iterator[Change]:
    key = device.number("key")
    nic = next((nic for nic in vm.nics if nic.key == key), None)
    kinds = [kind for kind, _ in vm.hardware.devices]
    drives = {FIRST_DRIVE + place: place for place, kind in enumerate(kinds) if kind in ON_IDE}
    drives |= {OTHERS + place: place for place, kind in enumerate(kinds) if kind in _FLOPPIES}
    if nic:
        yield from _of_a_card(call, vm, nic, device, argument=argument)
    elif key in drives:
        yield from _of_a_drive(call, vm, drives[key], device)
    else:
        raise faults.invalid_argument(f"{argument}.key", f"no network card and no drive is device {key}")


def _of_a_card(call: Call, vm: Vm, nic: Nic, device: Node, *, argument: str) -> Iterator[Change]:
    if (device.value("macAddress") or nic.mac).lower() != nic.mac.lower():
        raise faults.not_supported(f"{argument}.macAddress is not changed by this player")
    backing, plug = device.one("backing"), device.one("connectable")
    if backing and not _is_same(backing, nic):
        network = network_of(backing, vm.host, argument=f"{argument}.backing")
        call.require("VirtualMachine.Config.EditDevice", vm)
        call.require("Network.Assign", network)
        before = nic.network.ref

        def assign() -> None:
            nic.network = network
            call.estate.inventory.changes.touch(before)

        yield assign
    if plug:
        starts, connected = plug.flag("startConnected"), plug.flag("connected")
        _require_to_plug(call, vm, starts=starts != nic.starts_connected, now=connected != nic.connected)

        def change() -> None:
            nic.starts_connected = starts
            nic.connected = connected if vm.power == "poweredOn" else starts

        yield change


def _is_same(backing: Node, nic: Nic) -> bool:
    """Say whether a client sends back the backing that the card has; one nobody reaches is known by its name."""
    port = backing.one("port")
    return (port.value("portgroupKey") if port else backing.value("deviceName")) in {nic.network.id, nic.network.name}


def _of_a_drive(call: Call, vm: Vm, place: int, device: Node) -> Iterator[Change]:
    backing, plug = device.one("backing"), device.one("connectable")
    kind, detail = vm.hardware.devices[place]
    if backing:
        media, tag = _MEDIA.get(backing.type, ("", ""))
        if not media:
            raise faults.not_supported(f"{backing.type} is not played")
        told = (backing.value(tag) or "") if tag else ""
        if (media in _FLOPPIES) is not (kind in _FLOPPIES):
            raise faults.invalid_argument("spec.deviceChange.device.backing")
        if media != kind or (media in {"iso", "floppy"} and told != detail):
            call.require(f"VirtualMachine.Interact.Set{'Floppy' if kind in _FLOPPIES else 'CD'}Media", vm)
            yield lambda: _put_in(vm, place, (media, told))
    if plug:
        starts = plug.flag("startConnected") if vm.power != "poweredOn" else plug.flag("connected")
        _require_to_plug(call, vm, starts=starts == (place in vm.hardware.unplugged), now=False)
        yield lambda: _plug(vm, place, plugged=starts)


def _put_in(vm: Vm, place: int, medium: tuple[str, str]) -> None:
    devices = vm.hardware.devices
    vm.hardware = replace(vm.hardware, devices=(*devices[:place], medium, *devices[place + 1 :]))


def _plug(vm: Vm, place: int, *, plugged: bool) -> None:
    unplugged = vm.hardware.unplugged - {place} if plugged else vm.hardware.unplugged | {place}
    vm.hardware = replace(vm.hardware, unplugged=unplugged)


def _require_to_plug(call: Call, vm: Vm, *, starts: bool, now: bool) -> None:
    if starts:
        call.require("VirtualMachine.Config.EditDevice", vm)
    if now and vm.power == "poweredOn":
        call.require("VirtualMachine.Interact.DeviceConnection", vm)
