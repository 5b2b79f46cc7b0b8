"""What runs now under our name: every relocation that has not ended, nobody else's, in a handful of calls."""

from __future__ import annotations

import asyncio

import pytest

from bot.vsphere.port import TaskState

MANY = 60

SMALL = "".join(
    f'[[vms]]\nname = "small{n:03}"\nsite = "site1"\ndisks = ["100 GiB thin 90 GiB"]\n' for n in range(MANY)
)


async def start(peer, vcenter, name, op_id="cm-ab2cd3ef-a1"):
    plan = await peer.plan(vcenter, name, nics=())
    return plan.request.vm, await vcenter.relocate(plan, op_id=op_id)


async def test_nothing_runs(peer, vcenter):
    assert list(await vcenter.running_relocations()) == []


async def test_what_runs_is_told_with_its_vm(player_peer, played):
    vm, task = await start(player_peer, played, "slow01")
    (running,) = await played.running_relocations()
    assert (running.vm, running.task.task, running.task.user) == (vm, task, played.user)
    assert running.task.state in {TaskState.QUEUED, TaskState.RUNNING}


async def test_what_has_ended_does_not_run(player_peer, played):
    _, task = await start(player_peer, played, "/DC1/vm/Web/twin")
    async with asyncio.timeout(20):
        async for _ in played.follow(task):
            pass
    assert list(await played.running_relocations()) == []


async def test_somebody_elses_is_not_ours(player_peer, played, world_text):
    mine, _ = await start(player_peer, played, "slow01")
    other = player_peer.connect(user="other@vsphere.local")
    theirs, _ = await start(player_peer, other, "/DC1/vm/Old/twin")
    assert [running.vm for running in await played.running_relocations()] == [mine]
    assert theirs not in [running.vm for running in await played.running_relocations()]


async def test_a_vm_that_is_gone_is_left_out(player_peer, played, player):
    await start(player_peer, played, "slow01")
    player.estate.inventory.remove(player.estate.vm("slow01"))
    assert list(await played.running_relocations()) == []


@pytest.fixture
def world_text(world_text):
    account = '  { user = "other@vsphere.local", password = "correct horse" },\n'
    return world_text.replace("accounts = [\n", "accounts = [\n" + account, 1) + SMALL


async def test_many_are_as_few_calls_as_one(player_peer, played, player):
    player.set_link("site1", "site2", rate=1000)
    first, _ = await start(player_peer, played, "slow01")
    alone = await calls_of(player, played.running_relocations())
    vms = [(await start(player_peer, played, f"small{n:03}"))[0] for n in range(MANY)]
    among = await calls_of(player, played.running_relocations())
    assert {running.vm for running in await played.running_relocations()} == {first, *vms}
    assert among == alone <= 3


async def calls_of(player, question):
    before = sum(player.calls.values())
    await question
    return sum(player.calls.values()) - before
