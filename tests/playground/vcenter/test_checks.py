"""CheckRelocate_Task: it finds what a relocation of the same spec then refuses, and warns of what may hinder it."""

import pytest
from pyVmomi import vim, vmodl

from bot.playground.vcenter.links import Closed

VM, SITES = "DC1/vm/Web/web01", ("site1", "site2")


@pytest.fixture
def world_text(world_text):
    return f"""{world_text}
[[vms]]
name = "odd01"
site = "site1"
disks = ["1 GiB thin 10 MiB"]
snapshots = 2
devices = ["iso [ds-c1-01] tools.iso", "usb", "rdm physical", "vgpu", "client-cd"]
"""


def check(client, path=VM, tests=None, spec=None):
    """Run a check to its end: its TaskInfo, and the faults by kind for the one host it looked at."""
    vm = client.find(path)
    spec = spec or client.spec(deviceChange=client.network_map(vm))
    task = client.content.vmProvisioningChecker.CheckRelocate_Task(vm, spec, tests)
    client.watch(task)
    info = task.info
    if info.error:
        return info, None, None
    (result,) = info.result
    assert result.vm == vm
    assert result.host == spec.host
    return info, result.error, result.warning


def kinds(faults):
    return sorted(type(fault).__name__.rpartition(".")[2] for fault in faults)


async def test_a_move_that_will_succeed_has_no_errors(player, client, in_thread):
    info, errors, warnings = await in_thread(check, client)
    assert (list(errors), list(warnings)) == ([], [])
    assert info.descriptionId == "vm.check.ProvisioningChecker.checkRelocate"
    assert player.relocations == []
    assert await in_thread(lambda: list(client.find(VM).recentTask)) == []


BAD = {
    "power": ("DC1/vm/on01", lambda p: None, {}),
    "a running task": ("DC1/vm/busy01", lambda p: None, {}),
    "maintenance": (VM, lambda p: p.switches.set_host("esx-site2-01.example.net", maintenance=True), {}),
    "a host that is away": (VM, lambda p: p.switches.set_host("esx-site2-01.example.net", connected=False), {}),
    "space": (VM, lambda p: p.switches.fill_datastore("ds-c2-01", free=2**20), {}),
    "network": (VM, lambda p: None, {"deviceChange": []}),
    "a device of the host": ("DC1/vm/odd01", lambda p: None, {}),
}


@pytest.mark.parametrize("case", BAD)
async def test_what_is_found_is_what_the_relocation_then_refuses(player, client, in_thread, case):
    path, spoil, changes = BAD[case]
    spoil(player)

    def go():
        vm = client.find(path)
        spec = client.spec(**({"deviceChange": client.network_map(vm)} | changes))
        _, errors, _ = check(client, path, spec=spec)
        task = client.relocate(vm, spec)
        client.watch(task)
        return errors, task.info.error

    errors, refused = await in_thread(go)
    assert kinds(errors)[:1] == kinds([refused])
    assert errors[0].msg == refused.msg


async def test_everything_is_found_at_once_and_by_group(player, client, in_thread):
    player.switches.fill_datastore("ds-c2-01", free=2**20)
    player.switches.set_host("esx-site2-01.example.net", maintenance=True)

    def go(tests):
        return kinds(check(client, spec=client.spec(), tests=tests)[1])

    assert await in_thread(go, None) == ["CannotAccessNetwork", "InvalidState", "NoDiskSpace"]
    assert await in_thread(go, ["networkTests"]) == ["CannotAccessNetwork"]
    assert await in_thread(go, ["datastoreTests", "hostTests"]) == ["InvalidState", "NoDiskSpace"]
    assert await in_thread(go, ["sourceTests"]) == []
    with pytest.raises(vmodl.fault.InvalidArgument):
        await in_thread(go, ["moonTests"])


async def test_hardware_that_hinders_is_told(player, client, in_thread):
    _, errors, warnings = await in_thread(check, client, "DC1/vm/odd01")
    assert kinds(errors) == ["DeviceNotSupported"]  # the vGPU
    assert kinds(warnings) == [
        "DeviceNotSupported",
        "DeviceNotSupported",
        "RDMNotPreserved",
        "SnapshotMoveNotSupported",
    ]


async def test_a_silent_port_902_makes_the_check_time_out(player, client, in_thread):
    player.switches.block_port(*SITES, how=Closed.SILENT)
    info, errors, _ = await in_thread(check, client)
    assert errors is None
    assert isinstance(info.error, vim.fault.Timedout)
    assert (await in_thread(check, client, VM, ["networkTests"]))[1] == []
    player.switches.block_port(*SITES, how=Closed.REFUSED)
    assert (await in_thread(check, client))[1] == []  # as the real one: a passed check promises nothing


async def test_a_spec_that_makes_no_sense_is_refused_at_once(player, client, in_thread):
    with pytest.raises(vmodl.fault.InvalidArgument):
        await in_thread(check, client, VM, None, vim.vm.RelocateSpec(host=vim.HostSystem("host-4711", client.stub)))


async def test_a_check_that_a_restart_ended_stays_ended_so(player, client, in_thread):
    """Its time-out still comes, to nobody."""
    player.block_port(*SITES)
    vm = await in_thread(client.find, VM)
    spec = await in_thread(client.spec)
    check = await in_thread(lambda: client.content.vmProvisioningChecker.CheckRelocate_Task(vm, spec, None))
    (task,) = [task for task in player.estate.tasks.history if task.id == check._moId]
    await player.switches.restart_vcenter()
    assert task.fault.data.type == "SystemError"
    assert player.estate.tasks.find(task.id) is None
    player.estate.tasks.finish(task)
    assert (task.state, task.fault.data.type) == ("error", "SystemError")
