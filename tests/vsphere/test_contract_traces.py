"""What the door promises of traces, asked of both vCenters: written, read, taken away, whoever else is about."""

from __future__ import annotations

import asyncio

import pytest
from pyVmomi import vim

from bot.vsphere.port import FaultError, Trace
from bot.vsphere.traces import ATTRIBUTE
from tests.vsphere.raw import outcome

NOBODY = "00000000-0000-4000-8000-000000000000"
TEXT = 'cm-ab2cd3ef a1 <&> "ü"'


async def one(vcenter, query):
    (found,) = await vcenter.find_vms(query)
    return found.ref


async def test_a_trace_is_read_as_it_was_written(peer, vcenter):
    vm = await one(vcenter, peer.vm_path)
    assert await vcenter.read_trace(vm.uuid) == ""
    assert list(await vcenter.traces()) == []
    await vcenter.write_trace(vm.uuid, TEXT)
    assert await vcenter.read_trace(vm.uuid) == TEXT
    assert list(await vcenter.traces()) == [Trace(vm, TEXT)]
    await vcenter.write_trace(vm.uuid, "another")
    assert list(await vcenter.traces()) == [Trace(vm, "another")]


async def test_a_trace_is_taken_away(peer, vcenter):
    vm = await one(vcenter, peer.vm_path)
    await vcenter.write_trace(vm.uuid, TEXT)
    await vcenter.write_trace(vm.uuid, "")
    assert await vcenter.read_trace(vm.uuid) == ""
    assert list(await vcenter.traces()) == []


async def test_another_process_sees_it(peer, vcenter):
    vm = await one(vcenter, peer.vm_path)
    await vcenter.write_trace(vm.uuid, TEXT)
    other = peer.connect()
    assert await other.read_trace(vm.uuid) == TEXT
    await other.write_trace(vm.uuid, "")
    assert await vcenter.read_trace(vm.uuid) == ""


async def test_of_processes_that_race_all_write_and_one_defines(peer, raw):
    rivals = [peer.connect() for _ in range(4)]
    vms = sorted(await rivals[0].list_vms(), key=lambda vm: vm.path)[: len(rivals)]
    await asyncio.gather(*(rival.writer_session() for rival in rivals))
    await asyncio.gather(*(rival.write_trace(vm.ref.uuid, vm.path) for rival, vm in zip(rivals, vms, strict=True)))
    assert {trace.vm: trace.text for trace in await rivals[0].traces()} == {vm.ref: vm.path for vm in vms}
    fields = await asyncio.to_thread(lambda: raw.content.customFieldsManager.field)
    assert [field.name for field in fields].count(ATTRIBUTE) == 1


async def test_a_vm_that_is_not_there_bears_no_trace(peer, vcenter):
    for call in (vcenter.read_trace(NOBODY), vcenter.write_trace(NOBODY, TEXT)):
        with pytest.raises(FaultError) as caught:
            await call
        assert caught.value.kind == "vmodl.fault.ManagedObjectNotFound"
    await vcenter.write_trace(NOBODY, "")


async def test_what_others_write_is_left_alone(peer, vcenter, raw):
    vm = await one(vcenter, peer.vm_path)

    def write_as_an_operator():
        manager = raw.content.customFieldsManager
        field = manager.AddCustomFieldDef("Owner", vim.VirtualMachine)
        manager.SetField(raw.vm, field.key, "payroll")
        return field.key

    key = await asyncio.to_thread(write_as_an_operator)
    await vcenter.write_trace(vm.uuid, TEXT)
    await vcenter.write_trace(vm.uuid, "")
    values = await asyncio.to_thread(lambda: {value.key: value.value for value in raw.vm.customValue})
    assert values[key] == "payroll"
    assert list(await vcenter.traces()) == []


async def test_a_definition_made_by_hand_is_used(peer, vcenter, raw):
    vm = await one(vcenter, peer.vm_path)
    define = raw.content.customFieldsManager.AddCustomFieldDef
    field = await asyncio.to_thread(lambda: define(ATTRIBUTE, vim.VirtualMachine))
    await vcenter.write_trace(vm.uuid, TEXT)
    values = await asyncio.to_thread(lambda: {value.key: value.value for value in raw.vm.customValue})
    assert values == {field.key: TEXT}


async def test_a_definition_for_everything_is_used_too(peer, vcenter, raw):
    vm = await one(vcenter, peer.vm_path)
    define = raw.content.customFieldsManager.AddCustomFieldDef
    told = await asyncio.to_thread(outcome, lambda: define(ATTRIBUTE, None).managedObjectType)
    assert told == peer.says("a field for everything")
    if told is None:
        await vcenter.write_trace(vm.uuid, TEXT)
        assert len(await asyncio.to_thread(lambda: raw.content.customFieldsManager.field)) == 1
        assert await vcenter.read_trace(vm.uuid) == TEXT
