"""The form and App Home as people meet them."""

from __future__ import annotations

import asyncio
from datetime import time

import pytest

from bot.errors import UnreachableError
from bot.migration.start_time import ClockTime
from bot.operations.port import MigrateOrder
from bot.operations.rights import Grant, Rights, Verb
from bot.playground.slack.faults import Throttle
from tests.handlers_slack.conftest import JOB, words

CHANNEL = "C0MIGRATE1"

pytestmark = pytest.mark.usefixtures("bot")


@pytest.fixture
def form(player):
    """Alice's open modal, once there is one."""

    async def wait(user: str = "alice") -> dict:
        return (await player.person.wait_for(lambda: player.person.views(user)))[-1]

    return wait


@pytest.fixture
def home(player):
    """What stands in somebody's Home tab, once it was published."""

    async def wait(user: str) -> dict:
        look = lambda: [view for view in player.person.views(user) if view["type"] == "home"]  # noqa: E731
        return (await player.person.wait_for(look))[0]

    return wait


async def test_the_command_alone_opens_the_form_where_it_was_typed(player, say, form):
    assert await say("") == ""
    view = await form()
    assert view["title"]["text"] == "Migrate a VM"
    channel = next(block for block in view["blocks"] if block["block_id"] == "channel")
    assert channel["element"]["initial_conversation"] == CHANNEL


async def test_everything_delivered_thrice_is_one_form_and_one_order(player, say, form, desk):
    player.switches.deliver_each(3)
    assert await say("") == ""
    view = await form()
    assert len(player.person.views("alice")) == 1
    filled = {"cm.form.vm": "uuid-7", "cm.form.site": "site2", "cm.form.channel": CHANNEL}
    outcome = await player.person.submit_view("alice", view["id"], filled)
    assert outcome.ack["response_action"] == "update"
    assert {call[4] for call in desk.calls} == {view["id"]}


async def test_who_may_migrate_nowhere_gets_a_sentence_instead(player, say):
    assert "may not ask for migrations" in await say("", user="mallory")
    assert player.person.views("mallory") == []


async def test_what_is_filled_in_is_what_would_have_been_typed(player, say, form, desk, card):
    await say("")
    view = await form()
    filled = {
        "cm.form.vm": "uuid-7",
        "cm.form.site": "site2",
        "cm.form.channel": CHANNEL,
        "cm.form.host": " esx-11 ",
        "cm.form.networks": "VM Network = Production\n\ndvpg-app=dvpg-app-dr",
        "cm.form.at": " Sat 20:00 ",
        "cm.form.options": "dry-run",
    }
    outcome = await player.person.submit_view("alice", view["id"], filled)
    assert outcome.ack["response_action"] == "update"
    assert f"Job {JOB}" in words(outcome.ack)
    ((verb, user, channel, order, dedupe),) = desk.calls
    networks = {"VM Network": "Production", "dvpg-app": "dvpg-app-dr"}
    assert (verb, user, channel, dedupe) == ("migrate", "U0ALICE001", CHANNEL, view["id"])
    at = ClockTime(time(20, 0), weekday=5)
    assert order == MigrateOrder("uuid-7", "site2", "esx-11", None, networks, dry_run=True, at=at)
    assert await card()


async def test_what_is_ticked_is_what_would_have_been_typed(player, say, form, desk):
    await say("")
    view = await form()
    filled = {
        "cm.form.vm": "uuid-7",
        "cm.form.site": "site2",
        "cm.form.channel": CHANNEL,
        "cm.form.disks": "2 = ds-c2-02\nHard disk 3=ds-c2-03",
        "cm.form.options": ["thin", "power-on", "when-clean"],
    }
    outcome = await player.person.submit_view("alice", view["id"], filled)
    assert outcome.ack["response_action"] == "update"
    disks = {"Hard disk 2": "ds-c2-02", "Hard disk 3": "ds-c2-03"}
    ticked = MigrateOrder("uuid-7", "site2", thin=True, power_on=True, when_clean=True, disk_datastores=disks)
    assert desk.calls[0][3] == ticked


async def test_the_form_offers_only_what_this_person_may_ask_for(player, say, form, desk):
    may = frozenset({Verb.MIGRATE})
    desk.rights = Rights([Grant(("user:U0ALICE001",), may)], desk.groups)
    await say("")
    boxes = next(block for block in (await form())["blocks"] if block["block_id"] == "options")["element"]["options"]
    values = [box["value"] for box in boxes]
    assert values[:2] == ["dry-run", "thin"]
    assert "force" not in values


@pytest.mark.parametrize(
    ("networks", "said"), [("VM Network", "not in the form"), ("a=b\na=c", "mapped twice"), ("=b", "not in the form")]
)
async def test_what_is_wrong_stands_in_the_form_which_stays(player, say, form, desk, networks, said):
    await say("")
    view = await form()
    filled = {"cm.form.vm": "uuid-7", "cm.form.site": "site2", "cm.form.channel": CHANNEL, "cm.form.networks": networks}
    outcome = await player.person.submit_view("alice", view["id"], filled)
    assert outcome.ack["response_action"] == "errors"
    assert said in outcome.ack["errors"]["vm"]
    assert desk.calls == []
    assert player.person.views("alice")


async def test_a_start_that_cannot_be_read_stands_in_the_form_too(player, say, form, desk):
    await say("")
    view = await form()
    filled = {"cm.form.vm": "uuid-7", "cm.form.site": "site2", "cm.form.channel": CHANNEL, "cm.form.at": "at night"}
    outcome = await player.person.submit_view("alice", view["id"], filled)
    assert "'at night' is no time to start at" in outcome.ack["errors"]["vm"]
    assert desk.calls == []


async def test_a_form_for_a_channel_without_the_bot_says_how_to_invite_it(player, say, form, desk):
    await say("")
    view = await form()
    elsewhere = player.switches.add_channel("elsewhere", with_bot=False)
    filled = {"cm.form.vm": "uuid-7", "cm.form.site": "site2", "cm.form.channel": elsewhere}
    outcome = await player.person.submit_view("alice", view["id"], filled)
    assert "/invite" in outcome.ack["errors"]["vm"]
    archived = player.switches.add_channel("archived")
    player.switches.archive(archived)
    outcome = await player.person.submit_view("alice", view["id"], filled | {"cm.form.channel": archived})
    assert "I am not in this channel" in outcome.ack["errors"]["vm"]
    assert desk.calls == []


async def test_rights_go_by_where_the_form_was_opened_and_not_by_where_its_card_goes(player, say, form, desk):
    elsewhere = player.switches.add_channel("elsewhere")
    of_the_channel = Grant((f"channel:{elsewhere}",), frozenset({Verb.MIGRATE}), ("site2",))
    at_another_site = Grant(("user:U0MALLORY1",), frozenset({Verb.MIGRATE}), ("site1",))
    desk.rights = Rights([of_the_channel, at_another_site], desk.groups)
    await say("", user="mallory")
    view = await form("mallory")
    filled = {"cm.form.vm": "uuid-7", "cm.form.site": "site2", "cm.form.channel": elsewhere}
    outcome = await player.person.submit_view("mallory", view["id"], filled)
    assert "may not ask for migrations to site2" in outcome.ack["errors"]["vm"]
    assert desk.calls == []


async def test_a_right_of_a_channel_holds_in_a_form_that_was_opened_there(player, say, form, desk):
    desk.rights = Rights([Grant((f"channel:{CHANNEL}",), frozenset({Verb.MIGRATE}))], desk.groups)
    await say("", user="mallory")
    view = await form("mallory")
    found = await player.person.type_ahead("mallory", "cm.form.vm", "web1", view_id=view["id"])
    assert len(found["options"]) == 100
    filled = {"cm.form.vm": "uuid-7", "cm.form.site": "site2", "cm.form.channel": CHANNEL}
    assert (await player.person.submit_view("mallory", view["id"], filled)).ack["response_action"] == "update"


async def test_nobody_has_a_card_shown_in_a_channel_that_they_are_not_in(player, say, form, desk):
    """The form's list of channels is the client's, and what a client sends is only a claim."""
    secret = player.switches.add_channel("secret", private=True)
    player.workspace.leave(player.workspace.channel(secret), player.workspace.user("alice"))
    await say("")
    view = await form()
    filled = {"cm.form.vm": "uuid-7", "cm.form.site": "site2", "cm.form.channel": secret}
    outcome = await player.person.submit_view("alice", view["id"], filled)
    assert "not in that channel" in outcome.ack["errors"]["vm"]
    elsewhere = player.switches.add_channel("elsewhere")
    assert desk.calls == []
    outcome = await player.person.submit_view("alice", view["id"], filled | {"cm.form.channel": elsewhere})
    assert outcome.ack["response_action"] == "update"


async def test_while_slack_cannot_say_who_is_in_a_channel_only_the_one_of_the_form_will_do(player, say, form, desk):
    elsewhere = player.switches.add_channel("elsewhere")
    player.switches.next_answers("users.conversations", Throttle(retry_after=60))
    await say("")
    view = await form()
    filled = {"cm.form.vm": "uuid-7", "cm.form.site": "site2", "cm.form.channel": elsewhere}
    outcome = await player.person.submit_view("alice", view["id"], filled)
    assert "users.conversations" in outcome.ack["errors"]["vm"]
    outcome = await player.person.submit_view("alice", view["id"], filled | {"cm.form.channel": CHANNEL})
    assert outcome.ack["response_action"] == "update"


async def test_the_shortcut_opens_it_and_refuses_in_a_modal(player, form):
    await player.person.shortcut("alice", "cm.open-form")
    assert (await form())["callback_id"] == "cm.form"
    await player.person.shortcut("mallory", "cm.open-form")
    assert "may not ask for migrations" in words(await form("mallory"))


async def test_a_form_that_slack_does_not_open_is_told_in_a_direct_message(player, bot):
    player.switches.next_answers("views.open", Throttle(retry_after=30), times=2)
    outcome = await player.person.shortcut("alice", "cm.open-form")
    assert outcome.error is None
    (told,) = await player.person.wait_for(lambda: player.person.history("@alice"))
    assert "Try again in 30 s" in told["text"]


async def test_type_ahead_gives_names_with_places_and_uuids_for_values(player, say, form):
    await say("")
    view = await form()
    found = await player.person.type_ahead("alice", "cm.form.vm", "web1", view_id=view["id"])
    assert len(found["options"]) == 100
    first = found["options"][0]
    assert (first["text"]["text"], first["value"], first["description"]["text"]) == (
        "web10", "uuid-10", "site1, /DC1/vm/Web",
    )  # fmt: skip


async def test_type_ahead_is_empty_rather_than_late(player, say, form, desk):
    await say("")
    view = await form()

    async def away() -> None:
        raise UnreachableError("Redis does not answer.")

    desk.trouble = away
    assert await player.person.type_ahead("alice", "cm.form.vm", "web", view_id=view["id"]) == {"options": []}
    desk.trouble = asyncio.Event().wait
    assert await player.person.type_ahead("alice", "cm.form.vm", "web", view_id=view["id"]) == {"options": []}


async def test_home_shows_what_concerns_a_person(player, home):
    player.person.open_home("alice")
    shown = await home("alice")
    said = words(shown["blocks"])
    for expected in ("Yours", "<!channel> to site2", "63 %", JOB, "and 7 more", "You may migrate to: site2"):
        assert expected in said


async def test_home_of_somebody_without_rights_says_how_to_get_some(player, home):
    player.person.open_home("mallory")
    shown = await home("mallory")
    assert "U0MALLORY1" in words(shown["blocks"])
    assert "Migrate a VM" not in words(shown["blocks"])


async def test_home_says_when_it_cannot_be_read(player, desk, home):
    async def away() -> None:
        raise UnreachableError("Redis does not answer.")

    desk.trouble = away
    player.person.open_home("alice")
    shown = await home("alice")
    assert "Redis does not answer" in words(shown["blocks"])
