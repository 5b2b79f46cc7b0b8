"""Methods that change the tree: folders, names, and where things hang."""

from __future__ import annotations

from bot.playground.vcenter import faults
from bot.playground.vcenter.calls import Call, method, returned
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.inventory import Datastore, Entity, Folder, Host, Vm
from bot.playground.vcenter.naming import unescaped
from bot.playground.vcenter.wire import Data

_LONGEST = 80
_RENAME = {"VirtualMachine": "VirtualMachine.Config.Rename", "Folder": "Folder.Rename", "Datastore": "Datastore.Rename"}
_MOVE = {"VirtualMachine": "VirtualMachine.Inventory.Move", "Folder": "Folder.Move"}


def _folder(call: Call) -> Folder:
    found = call.estate.inventory.find(call.request.target)
    if not isinstance(found, Folder):
        raise faults.not_found(call.request.target)
    return found


def new_name(wish: str | None, *, beside: Entity | None) -> str:
    """Return a name asked for. Refuses an impossible one with InvalidName, a taken one with DuplicateName."""
    name = unescaped(wish or "")
    if not 0 < len(name) <= _LONGEST:
        raise Fault(Data("InvalidName", name=name), f"The name '{name}' is invalid.")
    if isinstance(beside, Folder):
        _refuse_twin(beside, name)
    return name


def _refuse_twin(folder: Folder, name: str) -> None:
    twin = next((entity for entity in folder.children if entity.name == name), None)
    if twin is not None:
        raise faults.duplicate_name(twin.wire_name, twin.ref)


@method("CreateFolder", on="Folder", privilege="Folder.Create")
async def create_folder(call: Call) -> str:
    above, inventory = _folder(call), call.estate.inventory
    name = new_name(call.args.value("name"), beside=above)
    below = Folder(inventory.new_id("group-v"), name, above, child_types=above.child_types)
    inventory.add(below)
    inventory.changes.touch(above.ref)
    return returned(below.ref, "Folder")


@method("MoveIntoFolder_Task", on="Folder")
async def move_into_folder(call: Call) -> str:
    """Hang VMs and folders under another folder. What does not fit ends the task with its fault; nothing moves then."""
    folder, inventory = _folder(call), call.estate.inventory
    things = [found for node in call.args.all("list") if (found := inventory.find(node.ref))]
    for thing in things:
        privilege = _MOVE.get(thing.wire, "")
        for entity in (thing, thing.parent, folder) if privilege else ():
            call.require(privilege, entity)
    task = call.new_task(folder)
    call.estate.tasks.start(task)
    fault = next((misfit for thing in things if (misfit := _misfit(thing, folder))), None)
    if fault is None:
        for thing in things:
            inventory.put_into(folder, thing)
    call.estate.tasks.finish(task, fault)
    return returned(task.ref, "Task")


def _misfit(thing: Entity, folder: Folder) -> Fault | None:
    if thing.parent is folder:
        return None
    fits = thing.wire in folder.child_types and thing.datacenter is folder.datacenter
    if not fits or thing in (folder, *folder.ancestors):
        return Fault(Data("InvalidFolder", target=thing.ref), f"{thing.wire_name} cannot be moved into {folder.name}.")
    try:
        _refuse_twin(folder, thing.name)
    except Fault as fault:
        return fault
    return None


@method("Rename_Task", on="ManagedEntity")
async def rename(call: Call) -> str:
    """Give an entity another name. Paths of a VM's files stay as they are."""
    entity = call.estate.inventory.find(call.request.target)
    if entity is None or entity.wire not in _RENAME:
        raise faults.not_supported("this kind of thing is not renamed by this player")
    call.require(_RENAME[entity.wire], entity)
    task = call.new_task(entity)
    call.estate.tasks.start(task)
    try:
        name = new_name(call.args.value("newName"), beside=entity.parent)
    except Fault as fault:
        call.estate.tasks.finish(task, fault)
    else:
        give_name(call, entity, name, chain=task.chain)
        call.estate.tasks.finish(task)
    return returned(task.ref, "Task")


def give_name(call: Call, entity: Entity, name: str, *, chain: int) -> None:
    """Rename an entity and write down that it happened."""
    inventory, before = call.estate.inventory, entity.wire_name
    inventory.rename(entity, name)
    now = entity.wire_name
    if isinstance(entity, Vm):
        call.estate.events.record(
            "VmRenamedEvent", entity, user=call.session.user, chain=chain, words={"old": before, "new": now},
            oldName=before, newName=now,
        )  # fmt: skip
    if isinstance(entity, Datastore):
        using = [thing for thing in inventory.each(Vm) if entity in thing.datastores]
        mounting = [thing for thing in inventory.each(Host) if entity in thing.datastores]
        inventory.changes.touch(*(thing.ref for thing in (*using, *mounting)))
        call.estate.events.record(
            "DatastoreRenamedEvent", entity, user=call.session.user, chain=chain, words={"old": before, "new": now},
            oldName=before, newName=now,
        )  # fmt: skip
