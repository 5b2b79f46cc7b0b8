"""Who may do what: nobody until said, groups as Slack knows them, and never a yes when nobody can tell."""

from __future__ import annotations

import pytest

from bot.errors import OutsideError, RefusedError, UserError
from bot.migration.request import SiteName
from bot.operations.port import Person
from bot.operations.rights import Grant, Rights, Verb
from bot.playground.slack.default_workspace import GROUP
from bot.playground.slack.faults import Refuse
from bot.slack.groups import SlackGroupMembers

ALICE = Person("U0ALICE001", "C0MIGRATE1")
MALLORY = Person("U0MALLORY1", "C0MIGRATE1")
SITE2 = SiteName("site2")


@pytest.fixture
def groups(client):
    return SlackGroupMembers(client)


async def may(rights, person, verb, site) -> bool:
    try:
        await rights.require(person, verb, site)
    except RefusedError:
        return False
    return True


@pytest.mark.parametrize("verb", Verb)
async def test_nobody_may_anything_until_it_is_said(groups, verb):
    assert not await may(Rights([], groups), ALICE, verb, SITE2)
    assert not await may(Rights([], groups), ALICE, verb, None)
    assert await Rights([], groups).allowed(ALICE) == set()


@pytest.mark.parametrize("who", ["user:U0ALICE001", f"group:{GROUP}"])
async def test_a_grant_is_for_its_people_its_verbs_and_its_sites(groups, who):
    rights = Rights([Grant((who,), frozenset({Verb.APPROVE}), ("site2",))], groups)
    assert await may(rights, ALICE, Verb.APPROVE, SITE2)
    assert await may(rights, ALICE, Verb.APPROVE, None)
    assert not await may(rights, ALICE, Verb.APPROVE, SiteName("site1"))
    assert not await may(rights, ALICE, Verb.MIGRATE, SITE2)
    assert not await may(rights, MALLORY, Verb.APPROVE, SITE2)


async def test_a_channel_is_granted_to_whoever_asks_there(groups):
    rights = Rights([Grant(("channel:C0MIGRATE1",), frozenset({Verb.CANCEL}))], groups)
    assert await may(rights, MALLORY, Verb.CANCEL, SITE2)
    assert not await may(rights, Person("U0MALLORY1", "C0RANDOM01"), Verb.CANCEL, SITE2)


async def test_what_follows_from_what(groups):
    rights = Rights([Grant(("user:U0ALICE001",), frozenset({Verb.MIGRATE}))], groups)
    assert await rights.allowed(ALICE) == {Verb.MIGRATE, Verb.RETRY, Verb.SEE}
    assert await may(rights, ALICE, Verb.RETRY, SITE2)
    assert not await may(rights, ALICE, Verb.CANCEL, SITE2)


async def test_a_refusal_says_who_was_refused_and_who_can_lift_it(groups):
    with pytest.raises(RefusedError, match="U0MALLORY1") as error:
        await Rights([], groups).require(MALLORY, Verb.MIGRATE, SITE2)
    assert "coldmigrate.toml" in error.value.lifted_by


async def test_grants_add_up(groups):
    first = Grant(("user:U0ALICE001",), frozenset({Verb.MIGRATE}), ("site1",))
    second = Grant((f"group:{GROUP}",), frozenset({Verb.CANCEL}), ("site2",))
    rights = Rights([first, second], groups)
    assert await rights.allowed(ALICE) == {Verb.MIGRATE, Verb.RETRY, Verb.SEE, Verb.CANCEL}
    assert not await may(rights, ALICE, Verb.MIGRATE, SITE2)


async def test_a_group_is_asked_only_when_nothing_else_decides(groups, player):
    grant = Grant(("user:U0ALICE001", f"group:{GROUP}"), frozenset({Verb.MIGRATE}))
    await Rights([grant], groups).require(ALICE, Verb.MIGRATE, SITE2)
    assert player.tally.calls["usergroups.users.list"] == 0


async def test_a_group_that_nobody_can_tell_is_no_yes(groups, player):
    rights = Rights([Grant((f"group:{GROUP}",), frozenset({Verb.MIGRATE}))], groups)
    player.switches.next_answers("usergroups.users.list", Refuse("no_such_subteam"), times=2)
    with pytest.raises(OutsideError, match="no_such_subteam"):
        await rights.require(ALICE, Verb.MIGRATE, SITE2)
    with pytest.raises(OutsideError):
        await rights.allowed(ALICE)


async def test_an_old_answer_about_a_group_is_no_answer(client, player):
    now = [0.0]
    groups = SlackGroupMembers(client, clock=lambda: now[0])
    assert ALICE.user_id in await groups.members(GROUP)
    player.workspace.groups[GROUP].users.remove(ALICE.user_id)
    now[0] = 299.0
    assert ALICE.user_id in await groups.members(GROUP)
    now[0] = 301.0
    assert ALICE.user_id not in await groups.members(GROUP)
    now[0] = 602.0
    player.switches.next_answers("usergroups.users.list", Refuse("fatal_error"))
    with pytest.raises(OutsideError):
        await groups.members(GROUP)


@pytest.mark.parametrize("entry", ["alice", "users:U1", "user:", ""])
def test_an_entry_that_names_nobody_is_refused(entry):
    with pytest.raises(UserError, match="names nobody"):
        Grant((entry,), frozenset({Verb.MIGRATE}))
