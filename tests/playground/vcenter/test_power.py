"""Power: tasks, the guest's own shutdown, questions; and what refuses them."""

import pytest
from pyVmomi import vim, vmodl

PC = vmodl.query.PropertyCollector


@pytest.fixture
def world_text(world_text):
    more = """
[[vms]]
name = "bare01"
site = "site1"
power = "on"
tools = false
"""
    return world_text.replace("[play]\n", '[play]\nguest_shutdown = "50 ms"\n', 1) + more


def until_power(client, vm, state):
    """Wait by long polls until a VM has this power state."""
    pc = client.content.propertyCollector.CreatePropertyCollector()
    wanted = [PC.PropertySpec(type=vim.VirtualMachine, pathSet=["runtime.powerState"])]
    pc.CreateFilter(PC.FilterSpec(objectSet=[PC.ObjectSpec(obj=vm)], propSet=wanted), True)
    version, now = "", None
    while now != state:
        update = pc.WaitForUpdatesEx(version, PC.WaitOptions(maxWaitSeconds=10))
        assert update is not None, f"still {now}"
        version, now = update.version, update.filterSet[0].objectSet[0].changeSet[0].val
    pc.Destroy()


async def test_a_guest_is_shut_down_and_then_the_vm_is_off(player, client, in_thread):
    def go():
        vm = client.find("DC1/vm/on01")
        assert vm.guest.toolsRunningStatus == "guestToolsRunning"
        assert vm.ShutdownGuest() is None  # no task
        until_power(client, vm, "poweredOff")
        with pytest.raises(vim.fault.InvalidPowerState):
            vm.ShutdownGuest()
        task = vm.PowerOnVM_Task()
        client.watch(task)
        return task.info.state, vm.runtime.powerState

    assert await in_thread(go) == ("success", "poweredOn")


async def test_without_tools_a_guest_cannot_be_asked(player, client, in_thread):
    def go():
        vm = client.find("DC1/vm/bare01")
        with pytest.raises(vim.fault.ToolsUnavailable):
            vm.ShutdownGuest()
        task = vm.PowerOffVM_Task()
        client.watch(task)
        return task.info.state, vm.runtime.powerState

    assert await in_thread(go) == ("success", "poweredOff")


@pytest.mark.parametrize(
    ("path", "spoil", "fault"),
    [
        ("DC1/vm/on01", {}, vim.fault.InvalidPowerState),
        ("DC1/vm/busy01", {}, vim.fault.TaskInProgress),
        ("DC1/vm/Web/web01", {"connected": False}, vmodl.fault.HostNotConnected),
        ("DC1/vm/Web/web01", {"maintenance": True}, vim.fault.InvalidState),
    ],
)
async def test_what_keeps_a_vm_off_is_told_by_its_task_and_an_event(player, client, in_thread, path, spoil, fault):
    if spoil:
        player.switches.set_host("esx-site1-01.example.net", **spoil)

    def go():
        vm = client.find(path)
        task = vm.PowerOnVM_Task()
        client.watch(task)
        spec = vim.event.EventFilterSpec(eventChainId=task.info.eventChainId, eventTypeId=["VmFailedToPowerOnEvent"])
        return task.info.error, client.content.eventManager.QueryEvents(spec)

    error, events = await in_thread(go)
    assert isinstance(error, fault)
    assert [type(event.reason) for event in events] == [type(error)]


async def test_a_question_is_answered_once(player, client, in_thread):
    def go():
        vm = client.find("DC1/vm/held01")
        question = vm.runtime.question
        assert question.text == "Was it moved or copied?"
        vm.AnswerVM(question.id, question.choice.choiceInfo[0].key)
        assert vm.runtime.question is None
        with pytest.raises(vim.fault.ConcurrentAccess):
            vm.AnswerVM(question.id, "0")

    await in_thread(go)


async def test_each_switch_needs_its_privilege_on_the_vm(player, client_of, in_thread):
    reader = await in_thread(client_of, player, user="reader@vsphere.local")

    def go():
        vm = reader.find("DC1/vm/on01")
        for call, privilege in (
            (vm.PowerOffVM_Task, "VirtualMachine.Interact.PowerOff"),
            (vm.PowerOnVM_Task, "VirtualMachine.Interact.PowerOn"),
            (vm.ShutdownGuest, "VirtualMachine.Interact.PowerOff"),
            (lambda: vm.Rename_Task("x"), "VirtualMachine.Config.Rename"),
            (lambda: vm.AnswerVM("1", "0"), "VirtualMachine.Interact.AnswerQuestion"),
            (lambda: reader.find("DC1/vm/Web").CreateFolder("x"), "Folder.Create"),
            (lambda: reader.find("DC1/vm/Web").MoveIntoFolder_Task([vm]), "VirtualMachine.Inventory.Move"),
        ):
            with pytest.raises(vim.fault.NoPermission) as refused:
                call()
            assert refused.value.privilegeId == privilege

    await in_thread(go)
