"""Orders leave once, whatever happens to the connection; and what is not known is said to be not known."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.errors import MaybeSentError, UnreachableError
from bot.playground.vcenter.histories import PER_SESSION
from bot.vsphere.port import FaultError, TaskState

OP_ID = "cm-ab2cd3ef-a1"


async def test_a_lost_reply_is_in_doubt_and_nothing_is_sent_again(player_peer, played, player):
    plan = await player_peer.plan(played)
    since = await played.now()
    player.drop_reply("RelocateVM_Task")
    with pytest.raises(MaybeSentError, match="may have accepted"):
        await played.relocate(plan, op_id=OP_ID)
    assert player.calls["RelocateVM_Task"] == 1
    (accepted,) = player.relocations
    (found,) = await played.find_relocations(plan.request.vm.uuid, since=since)
    assert found.task == accepted.task


async def test_a_lost_request_is_in_doubt_too(player_peer, played, player):
    plan = await player_peer.plan(played)
    since = await played.now()
    player.drop_request("RelocateVM_Task")
    with pytest.raises(MaybeSentError):
        await played.relocate(plan, op_id=OP_ID)
    assert player.calls["RelocateVM_Task"] == 1
    assert player.relocations == []
    assert list(await played.find_relocations(plan.request.vm.uuid, since=since)) == []


async def test_a_late_reply_is_in_doubt(player_peer, player):
    vcenter = player_peer.connect(submit_timeout=timedelta(milliseconds=300))
    plan = await player_peer.plan(vcenter)
    player.delay_reply("RelocateVM_Task", 5)
    with pytest.raises(MaybeSentError, match="no reply came in time"):
        await vcenter.relocate(plan, op_id=OP_ID)
    assert len(player.relocations) == 1


async def test_many_lost_replies_are_as_many_calls(player_peer, played, player):
    plan = await player_peer.plan(played, "slow01", nics=())
    for count in range(1, 4):
        player.drop_request("RelocateVM_Task")
        with pytest.raises(MaybeSentError):
            await played.relocate(plan, op_id=OP_ID)
        assert player.calls["RelocateVM_Task"] == count


async def test_a_vcenter_that_is_down_was_never_sent_anything(player_peer, played, player):
    plan = await player_peer.plan(played)
    key = await played.writer_session()
    await player.go_down()
    with pytest.raises(UnreachableError, match="refuses connections"):
        await played.relocate(plan, op_id=OP_ID, session=key)
    await player.come_up()
    assert "RelocateVM_Task" not in player.calls
    assert await played.relocate(plan, op_id=OP_ID, session=key)
    assert len(player.relocations) == 1


async def test_connections_that_went_stale_do_not_matter_to_an_order(player_peer, played, player):
    plan = await player_peer.plan(played)
    key = await played.writer_session()
    await player.go_down()
    await player.come_up()
    await played.relocate(plan, op_id=OP_ID, session=key)
    assert player.calls["RelocateVM_Task"] == 1


async def test_a_refusal_is_definite(player_peer, played, player):
    files = await player_peer.plan(played, "files01", nics=())
    with pytest.raises(FaultError) as caught:
        await played.relocate(files, op_id=OP_ID)
    assert caught.value.kind == "vim.fault.MethodDisabled"
    assert player.relocations == []


async def test_an_order_is_joined_when_its_caller_is_cancelled(player_peer, played, player):
    plan = await player_peer.plan(played, "slow01", nics=())
    player.delay_reply("RelocateVM_Task", 0.3)
    caller = asyncio.create_task(played.relocate(plan, op_id=OP_ID))
    changes = player.estate.inventory.changes
    while not player.relocations:
        await changes.wait(beyond=changes.revision, seconds=10)
    caller.cancel()
    assert not (await asyncio.wait({caller}, timeout=0.05))[0]
    caller.cancel()  # impatience changes nothing
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert player.calls["RelocateVM_Task"] == 1


async def test_the_operation_id_is_on_the_relocation_alone(player_peer, played, player):
    plan = await player_peer.plan(played)
    async for _ in played.follow(await played.relocate(plan, op_id=OP_ID)):
        pass
    await played.place(plan.request.vm.uuid)
    assert player.op_ids == [("RelocateVM_Task", OP_ID)]


async def test_operation_ids_do_not_mix(player_peer, played, player):
    plans = [await player_peer.plan(played, name, nics=()) for name in ("slow01", "db01", "app01", "web01")]
    player.set_power("app01", on=False)
    await asyncio.gather(*(played.relocate(plan, op_id=f"cm-aaaaaaa{n}-a1") for n, plan in enumerate(plans, 2)))
    assert {record.vm: record.op_id for record in player.relocations} == {
        plan.request.vm.name: f"cm-aaaaaaa{n}-a1" for n, plan in enumerate(plans, 2)
    }


async def test_a_running_relocation_can_be_cancelled(player_peer, played):
    plan = await player_peer.plan(played, "slow01", nics=())
    task = await played.relocate(plan, op_id=OP_ID)
    following = played.follow(task)
    async with asyncio.timeout(20):
        first = await anext(following)
        assert first.state in {TaskState.QUEUED, TaskState.RUNNING}
        await played.cancel(task)
        rest = [snapshot async for snapshot in following]
    assert (rest[-1].state, rest[-1].cancelled, rest[-1].fault) == (
        TaskState.ERROR,
        True,
        "vmodl.fault.RequestCanceled",
    )
    assert (await played.place(plan.request.vm.uuid)).host == plan.source.host


async def test_a_relocation_that_the_link_kills_tells_its_fault(player_peer, played):
    plan = await player_peer.plan(played, "db01", nics=())
    async with asyncio.timeout(20):
        heard = [s async for s in played.follow(await played.relocate(plan, op_id=OP_ID))]
    assert heard[-1].state is TaskState.ERROR
    assert heard[-1].fault == "vim.fault.NetworkCopyFault"
    assert "network connection was lost" in heard[-1].message
    assert max(s.progress or 0 for s in heard) >= 60
    place = await played.place(plan.request.vm.uuid)
    assert (place.host, place.datastores) == (plan.source.host, (plan.source.datastore,))


async def test_a_session_that_is_full_of_lost_collectors_is_left_for_a_new_one(played, player, player_peer):
    """Each was to be given back, and the connection broke just then."""
    plan = await player_peer.plan(played)
    since = await played.now()
    for _ in range(PER_SESSION):
        player.drop_request("DestroyCollector")
        assert list(await played.find_relocations(plan.request.vm.uuid, since=since)) == []
    assert player.calls["Login"] == 2
    assert await played.now()
    assert player.calls["Logout"] == 1
