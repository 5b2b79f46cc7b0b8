"""Which faults pass by themselves and which need a person: each one over the wire, to a question and to an order."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.errors import MaybeSentError, UnreachableError
from bot.jobs.retry import HOPELESS, OUTSIDE, TRANSIENT, UNFORESEEN, retry_for
from bot.vsphere.faults import PASSING, kind_of
from bot.vsphere.port import FaultError
from tests.vsphere.refusing import door_before

TASK = '<task type="Task">task-7</task>'
SOMETHING = "<type>VirtualMachine</type><name>web01</name>"
ENTITY = '<object type="VirtualMachine">vm-7</object>'
FILE = "<file>[ds] web01/web01.vmdk</file>"
LICENCE = "<feature>x</feature>"

OF_A_MOMENT = [
    ("TaskInProgress", TASK, "vim.fault.TaskInProgress"),
    ("VAppTaskInProgress", TASK, "vim.fault.VAppTaskInProgress"),
    ("VAppOperationInProgress", "", "vim.fault.VAppOperationInProgress"),
    ("ConcurrentAccess", "", "vim.fault.ConcurrentAccess"),
    ("ResourceInUse", SOMETHING, "vim.fault.ResourceInUse"),
    ("Timedout", "", "vim.fault.Timedout"),
    ("HostCommunication", "", "vmodl.fault.HostCommunication"),
    ("HostNotConnected", "", "vmodl.fault.HostNotConnected"),
    ("HostNotReachable", "", "vmodl.fault.HostNotReachable"),
]
DEFINITE = [
    ("NoPermission", f"{ENTITY}<privilegeId>Resource.ColdMigrate</privilegeId>", "vim.fault.NoPermission"),
    ("ManagedObjectNotFound", '<obj type="VirtualMachine">vm-7</obj>', "vmodl.fault.ManagedObjectNotFound"),
    ("InvalidArgument", "<invalidProperty>spec.pool</invalidProperty>", "vmodl.fault.InvalidArgument"),
    ("InvalidState", "", "vim.fault.InvalidState"),
    (
        "InvalidPowerState",
        "<requestedState>poweredOff</requestedState><existingState>poweredOn</existingState>",
        "vim.fault.InvalidPowerState",
    ),
    ("MethodDisabled", "<source>com.vmware.vadp</source>", "vim.fault.MethodDisabled"),
    ("NotSupported", "", "vmodl.fault.NotSupported"),
    ("NotEnoughLicenses", "", "vmodl.fault.NotEnoughLicenses"),
    ("RestrictedVersion", "", "vim.fault.RestrictedVersion"),
    ("SystemError", "<reason>something</reason>", "vmodl.fault.SystemError"),
    ("RequestCanceled", "", "vmodl.fault.RequestCanceled"),
    ("FileLocked", FILE, "vim.fault.FileLocked"),
    ("NoDiskSpace", f"{FILE}<datastore>ds</datastore>", "vim.fault.NoDiskSpace"),
    ("InsufficientResourcesFault", "", "vim.fault.InsufficientResourcesFault"),
    ("MigrationFault", "", "vim.fault.MigrationFault"),
    ("GenericVmConfigFault", "<reason>something</reason>", "vim.fault.GenericVmConfigFault"),
    ("InvalidDatastore", "", "vim.fault.InvalidDatastore"),
]
QUICK = (timedelta(milliseconds=1),) * 3


@pytest.fixture
async def door(player_peer, tmp_path):
    async with door_before(player_peer, tmp_path / "door") as door:
        yield door


@pytest.fixture
def vcenter(player_peer, door):
    return player_peer.connect(url=door.url, ca_file=door.ca_file)


def test_every_fault_that_passes_is_tried_and_has_a_reason():
    tried = {kind for _, _, kind in OF_A_MOMENT}
    assert {kind.__name__ for kind in PASSING} - tried == {"vim.fault.NotAuthenticated"}  # which has tests of its own
    assert all(PASSING.values())


@pytest.mark.parametrize(("name", "fields", "kind"), [*OF_A_MOMENT, *DEFINITE])
async def test_a_fault_is_told_with_its_class(door, vcenter, name, fields, kind):
    await vcenter.now()
    await vcenter.writer_session()
    for method, call in (("CurrentTime", vcenter.now), ("CancelTask", lambda: vcenter.cancel("task-7"))):
        before = door.refused
        door.refuse(method, name, fields)
        with pytest.raises(FaultError) as caught:
            await call()
        assert caught.value.kind == kind
        assert "It is refused" in str(caught.value)
        assert caught.value.transient is ((name, fields, kind) in OF_A_MOMENT)
        assert retry_for(caught.value) is (TRANSIENT if caught.value.transient else OUTSIDE)
        assert door.refused == before + 1  # a fault is an answer: nothing is asked twice in the hope of another


async def test_a_refused_relocation_was_put_on_the_wire_once(player_peer, door, vcenter, player):
    plan = await player_peer.plan(vcenter)
    door.refuse("RelocateVM_Task", "TaskInProgress", TASK)
    with pytest.raises(FaultError) as caught:
        await vcenter.relocate(plan, op_id="cm-ab2cd3ef-a1")
    assert (caught.value.kind, caught.value.transient, door.refused) == ("vim.fault.TaskInProgress", True, 1)
    assert player.relocations == []


async def test_a_session_that_ended_is_a_fault_of_a_moment_to_an_order(door, vcenter):
    await vcenter.writer_session()
    door.refuse("CancelTask", "NotAuthenticated", f"{ENTITY}<privilegeId>System.View</privilegeId>")
    with pytest.raises(FaultError) as caught:
        await vcenter.cancel("task-7")
    assert (caught.value.kind, caught.value.transient, door.refused) == ("vim.fault.NotAuthenticated", True, 1)


async def test_sessions_that_end_again_and_again_are_waited_out(door, vcenter):
    door.refuse("CurrentTime", "NotAuthenticated", f"{ENTITY}<privilegeId>System.View</privilegeId>")
    with pytest.raises(UnreachableError, match="ends every session") as caught:
        await vcenter.now()
    assert retry_for(caught.value) is TRANSIENT
    assert door.refused == len(QUICK) + 1


@pytest.mark.parametrize("status", [502, 503])
async def test_a_vcenter_that_is_starting_is_away_to_a_question_and_in_doubt_to_an_order(door, vcenter, status):
    await vcenter.now()
    await vcenter.writer_session()
    door.fail("CurrentTime", status)
    with pytest.raises(UnreachableError) as away:
        await vcenter.now()
    assert retry_for(away.value) is TRANSIENT
    assert door.refused == len(QUICK) + 1
    door.fail("CancelTask", status)
    with pytest.raises(MaybeSentError) as doubt:
        await vcenter.cancel("task-7")
    assert retry_for(doubt.value) not in {HOPELESS, UNFORESEEN}
    assert door.refused == len(QUICK) + 2


async def test_a_vcenter_that_refuses_connections_was_never_told(player_peer, player):
    vcenter = player_peer.connect()
    await vcenter.writer_session()
    await player.go_down()
    for call in (vcenter.now(), vcenter.cancel("task-7"), vcenter.write_trace("some-uuid", "x")):
        with pytest.raises(UnreachableError) as caught:
            await call
        assert retry_for(caught.value) is TRANSIENT
    await player.come_up()


def test_a_kind_is_the_name_that_pyvmomi_has():
    from pyVmomi import vim  # noqa: PLC0415 - late, as it is slow to load

    assert kind_of(vim.fault.TaskInProgress()) == "vim.fault.TaskInProgress"
