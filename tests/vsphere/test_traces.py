"""The trace on a VM: there whatever happens to a reply or a session, and a refusal that says what to grant."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.errors import BugError, MaybeSentError
from bot.vsphere.port import FaultError

TEXT = "cm-ab2cd3ef a1"


async def one(vcenter, query):
    (found,) = await vcenter.find_vms(query)
    return found.ref


@pytest.mark.parametrize("lose", ["drop_reply", "drop_request"])
@pytest.mark.parametrize("method", ["AddCustomFieldDef", "SetField"])
async def test_a_lost_reply_is_asked_for_again(player_peer, played, player, lose, method):
    vm = await one(played, "web01")
    getattr(player, lose)(method)
    await played.write_trace(vm.uuid, TEXT)
    assert await played.read_trace(vm.uuid) == TEXT
    assert player.calls[method] == 2
    assert len(player.estate.custom_fields.all()) == 1


async def test_patience_with_lost_replies_ends_in_doubt(player_peer, played, player):
    vm = await one(played, "web01")
    for nth in range(1, 5):
        player.drop_request("SetField", nth=nth)
    with pytest.raises(MaybeSentError):
        await played.write_trace(vm.uuid, TEXT)
    assert player.calls["SetField"] == 4
    assert await played.read_trace(vm.uuid) == ""


async def test_a_session_that_ended_is_made_again(player_peer, played, player):
    vm = await one(played, "web01")
    await played.write_trace(vm.uuid, "before")
    fenced = await played.writer_session()
    assert await player_peer.end_all_sessions() == 2
    await played.write_trace(vm.uuid, TEXT)
    assert await played.read_trace(vm.uuid) == TEXT
    assert await played.writer_session() != fenced


async def test_an_attribute_that_was_removed_comes_back(player_peer, played, player):
    vm = await one(played, "web01")
    await played.write_trace(vm.uuid, "before")
    fields = player.estate.custom_fields
    fields.remove(fields.all()[0])
    assert await played.read_trace(vm.uuid) == ""
    await played.write_trace(vm.uuid, TEXT)
    assert await played.read_trace(vm.uuid) == TEXT


@pytest.mark.parametrize(
    ("missing", "advice"),
    [
        ("Global.SetCustomField", "on the VMs that may be moved"),
        ("Global.ManageCustomFields", "or define the attribute coldmigrate.job (type Virtual Machine)"),
    ],
)
async def test_a_missing_privilege_is_named_with_what_to_grant(player_peer, world_text, missing, advice):
    vcenter = player_peer.connect(user=f"without {missing}")
    vm = await one(vcenter, "web01")
    with pytest.raises(FaultError) as caught:
        await vcenter.write_trace(vm.uuid, TEXT)
    assert caught.value.kind == "vim.fault.NoPermission"
    assert not caught.value.transient
    assert f"without {missing}" in str(caught.value)
    assert f"Grant its role {missing} " in str(caught.value)
    assert advice in str(caught.value)


async def test_who_may_not_define_it_uses_what_an_administrator_defined(player_peer):
    vm = await one(player_peer.connect(), "web01")
    await player_peer.connect().write_trace(vm.uuid, "by an administrator")
    poor = player_peer.connect(user="without Global.ManageCustomFields")
    await poor.write_trace(vm.uuid, TEXT)
    assert await poor.read_trace(vm.uuid) == TEXT


async def test_a_trace_that_does_not_fit_is_our_own_mistake(played):
    with pytest.raises(BugError):
        await played.write_trace("some-uuid", "x" * 251)


async def test_closing_does_not_wait_for_patience(player_peer, player):
    vcenter = player_peer.connect(read_pauses=(timedelta(minutes=1),))
    vm = await one(vcenter, "web01")
    player.drop_request("SetField")
    writing = asyncio.create_task(vcenter.write_trace(vm.uuid, TEXT))
    await player.until_called("SetField")
    async with asyncio.timeout(10):
        await vcenter.close()
        await writing
    assert player.calls["SetField"] == 2


@pytest.fixture
def world_text(world_text):
    every = [
        "System.Anonymous", "System.View", "System.Read", "Global.ManageCustomFields", "Global.SetCustomField",
    ]  # fmt: skip
    accounts = ""
    for missing in every[3:]:
        granted = ", ".join(f'"{name}"' for name in every if name != missing)
        accounts += f'  {{ user = "without {missing}", password = "correct horse", privileges = [{granted}] }},\n'
    return world_text.replace("accounts = [\n", "accounts = [\n" + accounts, 1)


async def test_through_an_ended_session_nothing_is_written(player_peer, played, player):
    vm = await one(played, "web01")
    fenced = await played.writer_session()
    await played.write_trace(vm.uuid, "before", session=fenced)
    await player_peer.end_all_sessions()
    with pytest.raises(FaultError) as refused:
        await played.write_trace(vm.uuid, TEXT, session=fenced)
    assert refused.value.kind == "vim.fault.NotAuthenticated"
    assert await played.read_trace(vm.uuid) == "before"


async def test_whoever_lost_the_job_cannot_write_over_its_successor(player_peer, played):
    vm = await one(played, "web01")
    mine = await played.writer_session()
    successor = player_peer.connect()
    await successor.end_session(mine)
    await successor.write_trace(vm.uuid, "the successor", session=await successor.writer_session())
    for text in (TEXT, ""):
        with pytest.raises(FaultError) as caught:
            await played.write_trace(vm.uuid, text, session=mine)
        assert (caught.value.kind, caught.value.transient) == ("vim.fault.NotAuthenticated", True)
    assert await played.read_trace(vm.uuid) == "the successor"


async def test_a_lost_reply_within_a_session_is_asked_for_again_in_it(played, player):
    vm = await one(played, "web01")
    mine = await played.writer_session()
    player.drop_reply("SetField")
    await played.write_trace(vm.uuid, TEXT, session=mine)
    assert await played.read_trace(vm.uuid) == TEXT
    assert await played.writer_session() == mine
