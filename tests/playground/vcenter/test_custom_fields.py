"""Custom fields: definitions, values on entities, and how both are seen by whoever watches."""

import asyncio

import pytest
from pyVmomi import vim, vmodl

PC = vmodl.query.PropertyCollector
VM = "DC1/vm/Web/web01"


async def test_a_field_is_defined_set_read_and_removed(player, client, in_thread):
    def go():
        manager, vm, folder = client.content.customFieldsManager, client.find(VM), client.find("DC1/vm/Web")
        trace = manager.AddFieldDefinition("coldmigrate", vim.VirtualMachine, None, None)
        anywhere = manager.AddFieldDefinition("owner", None, None, None)
        assert (trace.name, trace.managedObjectType, anywhere.managedObjectType) == (
            "coldmigrate", vim.VirtualMachine, None,
        )  # fmt: skip
        assert {field.key for field in manager.field} == {trace.key, anywhere.key}
        assert {field.name for field in vm.availableField} == {"coldmigrate", "owner"}
        assert {field.name for field in folder.availableField} == {"owner"}
        manager.SetField(vm, trace.key, "job cm-1 & <x>")
        vm.SetCustomValue("owner", "web team")
        assert {value.key: value.value for value in vm.customValue} == {
            trace.key: "job cm-1 & <x>", anywhere.key: "web team",
        }  # fmt: skip
        assert [value.value for value in vm.value] == [value.value for value in vm.customValue]
        manager.RenameFieldDefinition(trace.key, "migration")
        manager.RemoveFieldDefinition(anywhere.key)
        assert [field.name for field in manager.field] == ["migration"]
        assert [value.key for value in vm.customValue] == [trace.key]
        events = client.content.eventManager.QueryEvents(vim.event.EventFilterSpec(eventTypeId=["CustomFieldEvent"]))
        return [type(event).__name__.rpartition(".")[2] for event in events[::-1]], trace.key

    told, _ = await in_thread(go)
    assert told == [
        "CustomFieldDefAddedEvent", "CustomFieldDefAddedEvent", "CustomFieldValueChangedEvent",
        "CustomFieldValueChangedEvent", "CustomFieldDefRenamedEvent", "CustomFieldDefRemovedEvent",
    ]  # fmt: skip


async def test_a_value_survives_a_migration_and_wakes_who_watches(player, client, in_thread):
    def begin():
        field = client.content.customFieldsManager.AddFieldDefinition("coldmigrate", vim.VirtualMachine, None, None)
        pc = client.content.propertyCollector.CreatePropertyCollector()
        pc.CreateFilter(client.all_of(vim.VirtualMachine, ["customValue"]), True)
        return field, pc, pc.WaitForUpdatesEx("", PC.WaitOptions(maxWaitSeconds=1)).version

    field, pc, version = await in_thread(begin)
    waiting = asyncio.create_task(in_thread(pc.WaitForUpdatesEx, version, PC.WaitOptions(maxWaitSeconds=20)))
    await player.until_called("WaitForUpdatesEx", 2)

    def go():
        vm = client.find(VM)
        client.content.customFieldsManager.SetField(vm, field.key, "cm-1")
        client.watch(client.relocate(vm, client.spec(deviceChange=client.network_map(vm))))
        return vm.customValue[0].value

    assert await in_thread(go) == "cm-1"
    (change,) = (await waiting).filterSet[0].objectSet[0].changeSet
    assert change.val[0].value == "cm-1"


async def test_what_is_refused(player, client, client_of, in_thread):
    reader = await in_thread(client_of, player, user="reader@vsphere.local")

    def go():
        manager, vm, folder = client.content.customFieldsManager, client.find(VM), client.find("DC1/vm/Web")
        field = manager.AddFieldDefinition("coldmigrate", vim.VirtualMachine, None, None)
        for call, fault in (
            (
                lambda: manager.AddFieldDefinition("coldmigrate", vim.VirtualMachine, None, None),
                vim.fault.DuplicateName,
            ),
            (lambda: manager.SetField(vm, 4711, "x"), vmodl.fault.InvalidArgument),
            (lambda: manager.SetField(folder, field.key, "x"), vmodl.fault.InvalidArgument),
            (lambda: vm.SetCustomValue("nothing", "x"), vmodl.fault.InvalidArgument),
        ):
            with pytest.raises(fault):
                call()
        theirs = reader.content.customFieldsManager
        with pytest.raises(vim.fault.NoPermission) as refused:
            theirs.AddFieldDefinition("mine", None, None, None)
        assert refused.value.privilegeId == "Global.ManageCustomFields"
        with pytest.raises(vim.fault.NoPermission) as refused:
            theirs.SetField(reader.find(VM), field.key, "x")
        assert (refused.value.privilegeId, refused.value.object) == ("Global.SetCustomField", reader.find(VM))

    await in_thread(go)
