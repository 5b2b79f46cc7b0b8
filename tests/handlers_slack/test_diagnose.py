"""The four ways to ask for a diagnosis, through the socket: what workers find, and what people read instead."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import zipfile
from datetime import timedelta

import pytest

from bot.migration.machine import Phase
from bot.operations.inquiry import SubjectKind
from bot.operations.rights import Grant, Verb
from bot.playground.slack.faults import BreakDown, Refuse
from bot.slack.errands import RedisErrands
from bot.slack.outbox import RedisOutbox
from bot.slack.port import JobCard
from bot.slack.whispers import WebWhispers
from bot.store.blobs import LARGEST
from handlers.slack.diagnose import Heard
from tests.handlers_slack.conftest import ALERTS, errander, words
from tests.handlers_slack.on_call import OnCall

CHANNEL = "C0MIGRATE1"
ALICE, MALLORY = "U0ALICE001", "U0MALLORY1"
LINE = "2012-03-14T16:31:45.288Z error vpxa [NFC ERROR] NfcNetTcpWrite: bWritten: -1 <!channel> opID=C65743A5-24D"
SENT = LINE.replace("<", "&lt;").replace(">", "&gt;")
LOG = f"{LINE}\n".encode() * 3
SHORTCUT = "cm.diagnose-log"
OFFER = "cm.diagnose-file"


@pytest.fixture
async def on_call(store, client, player) -> OnCall:
    made = OnCall(store, client, player)
    await made.stock()
    player.switches.invite_bot(ALERTS)
    return made


@pytest.fixture
async def bot(on_call):
    async with on_call.bot() as bot:
        yield bot


@pytest.fixture
def direct(player) -> str:
    """The conversation of alice and the bot."""
    return player.workspace.direct_channel(ALICE).id


@pytest.fixture
def thread(player):
    """What the bot said below a message, once it has said so much."""

    async def wait(channel: str, ts: str, *, count: int = 1) -> list[str]:
        def said() -> list[str]:
            below = player.person.thread(channel, ts)[1:]
            found = [words(m.get("blocks")) or m["text"] for m in below if m.get("bot_id")]
            return found if len(found) >= count else []

        return await player.person.wait_for(said)

    return wait


@pytest.fixture
def whispered(player):
    """What one person alone was told, once that is so."""

    async def wait(user: str) -> str:
        return words(await player.person.wait_for(lambda: player.person.ephemerals(user)))

    return wait


@pytest.fixture
def settled(player, store):
    """Once every event that was caused is acked, and every errand done."""

    async def wait(acks: int) -> None:
        await player.person.wait_for(lambda: sum(a.kind == "events_api" for a in player.tally.acks) >= acks)
        async with asyncio.timeout(10):
            while await store.zcard("{cm}:errands"):
                await asyncio.sleep(0.02)

    return wait


def message_of(player, file: dict) -> str:
    """The message that carries a file."""
    (share,) = [share for family in file["shares"].values() for shares in family.values() for share in shares]
    return share["ts"]


# The command


@pytest.mark.usefixtures("bot")
async def test_a_command_asks_for_what_was_typed_and_says_where_the_answer_comes(player, on_call):
    outcome = await player.person.command("alice", "#migrations", "/diagnose “web01” —since 2h")
    assert outcome.error is None
    assert outcome.latency < 1
    assert "Looking into web01" in words(outcome.ack)
    assert "here, as a message of its own" in words(outcome.ack)
    inquiry = await on_call.one()
    assert (inquiry.kind, inquiry.typed, inquiry.since) == (SubjectKind.NAME, "web01", timedelta(hours=2))
    assert (inquiry.channel, inquiry.thread) == (CHANNEL, "")
    (card,) = on_call.cards()
    assert (card["channel"], card["thread"]) == (CHANNEL, None)


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize(
    ("typed", "said"),
    [("", "What shall I look into"), ("web01 --hots x", "There is no option --hots"), ("web01 --since x", "90m, 2h")],
)
async def test_a_command_that_is_not_clear_is_told_so(player, on_call, typed, said):
    outcome = await player.person.command("alice", "#migrations", f"/diagnose {typed}")
    assert said in words(outcome.ack)
    assert "For example: /diagnose" in words(outcome.ack)
    assert await on_call.jobs() == []


@pytest.mark.usefixtures("bot")
async def test_whoever_may_not_is_told_who_can_change_that(player, on_call):
    outcome = await player.person.command("mallory", "#migrations", "/diagnose web01")
    assert "may not ask for diagnoses" in words(outcome.ack)
    assert "coldmigrate.toml" in words(outcome.ack)
    assert await on_call.jobs() == []


@pytest.mark.parametrize(
    ("typed", "refused"), [("db01", False), ("web01", True), ("esx-03.example.net", True), ("task-10646", True)]
)
async def test_a_right_at_one_site_is_for_what_surely_is_there(store, client, player, typed, refused):
    on_call = OnCall(store, client, player, (Grant((f"user:{ALICE}",), frozenset({Verb.DIAGNOSE}), ("site2",)),))
    await on_call.stock()
    async with on_call.bot():
        outcome = await player.person.command("alice", "#migrations", f"/diagnose {typed}")
    assert ("may not ask for diagnoses to site1" in words(outcome.ack)) is refused
    assert len(await on_call.jobs()) == (not refused)


@pytest.mark.usefixtures("bot")
async def test_where_the_bot_is_not_nothing_is_asked(player, on_call):
    player.switches.remove_bot("#random")
    outcome = await player.person.command("alice", "#random", "/diagnose web01")
    assert "/invite @coldmigrate" in words(outcome.ack)
    assert await on_call.jobs() == []


@pytest.mark.usefixtures("bot")
async def test_a_diagnosis_is_no_migration(player, on_call):
    """It is not in the queue that people are shown, and the verbs of migrations say what it is."""
    await player.person.command("bob", "#migrations", "/diagnose web01")
    (job,) = await on_call.jobs()
    for typed, said in (
        ("list", "no jobs"),
        (f"show {job.id}", "is a diagnosis"),
        (f"cancel {job.id}", "is a diagnosis"),
    ):
        outcome = await player.person.command("bob", "#migrations", f"/coldmigrate {typed}")
        assert said in words(outcome.ack), typed


# The message's menu


@pytest.mark.usefixtures("bot")
async def test_the_menu_of_a_message_asks_about_what_was_pasted(player, on_call, whispered):
    ts = player.person.post("bob", CHANNEL, f"see here\n```\n{SENT}\n```")
    outcome = await player.person.message_shortcut("alice", CHANNEL, ts, SHORTCUT)
    assert outcome.error is None
    assert outcome.latency < 1
    inquiry = await on_call.one()
    assert (inquiry.kind, inquiry.thread) == (SubjectKind.TEXT, ts)
    assert LINE in (await on_call.material(inquiry)).decode().splitlines()
    assert "comes in the thread" in await whispered("alice")
    (card,) = on_call.cards()
    assert (card["thread"], "&lt;!channel&gt;" in card["text"]) == (ts, False)


@pytest.mark.usefixtures("bot")
async def test_the_menu_of_a_reply_is_answered_in_its_thread(player, on_call):
    root = player.person.post("bob", CHANNEL, "it died")
    ts = player.person.post("bob", CHANNEL, LINE, thread_ts=root)
    await player.person.message_shortcut("alice", CHANNEL, ts, SHORTCUT)
    assert (await on_call.one()).thread == root


@pytest.mark.usefixtures("bot")
async def test_the_menu_asks_about_words_and_files_of_a_message_together(player, on_call):
    file = player.person.upload("bob", CHANNEL, "vpxa.log.gz", gzip.compress(LOG), comment=LINE)
    await player.person.message_shortcut("alice", CHANNEL, message_of(player, file), SHORTCUT)
    inquiry = await on_call.one()
    assert inquiry.kind is SubjectKind.FILE
    with zipfile.ZipFile(io.BytesIO(await on_call.material(inquiry))) as archive:
        assert archive.namelist() == ["pasted-1.txt", "vpxa.log.gz"]
        assert gzip.decompress(archive.read("vpxa.log.gz")) == LOG


@pytest.mark.usefixtures("bot")
async def test_a_message_without_a_log_is_said_to_have_none_to_whoever_asked(player, on_call, whispered):
    ts = player.person.post("bob", CHANNEL, "good morning")
    await player.person.message_shortcut("alice", CHANNEL, ts, SHORTCUT)
    assert "neither a log nor a file" in await whispered("alice")
    assert await on_call.jobs() == []
    assert len(player.person.thread(CHANNEL, ts)) == 1


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize(("who", "said"), [("mallory", "may not ask for diagnoses"), ("alice", "/invite")])
async def test_the_menu_says_why_not(player, on_call, whispered, who, said):
    ts = player.person.post("bob", "#random", LINE)
    player.switches.remove_bot("#random")
    await player.person.message_shortcut(who, "#random", ts, SHORTCUT)
    assert said in await whispered(who)
    assert await on_call.jobs() == []


# The mention


@pytest.mark.usefixtures("bot")
async def test_a_mention_in_a_thread_asks_about_all_that_people_put_there(player, on_call):
    root = player.person.post("bob", CHANNEL, "web01 died again")
    player.person.post("carol", CHANNEL, f"```{LINE}```", thread_ts=root)
    player.person.post("carol", CHANNEL, "that is all I have", thread_ts=root)
    player.person.upload("bob", CHANNEL, "hostd.txt", LOG, thread_ts=root)
    player.person.mention("alice", CHANNEL, "diagnose this, please", thread_ts=root)
    inquiry = await on_call.one()
    assert inquiry.thread == root
    with zipfile.ZipFile(io.BytesIO(await on_call.material(inquiry))) as archive:
        assert archive.namelist() == ["pasted-1.txt", "hostd.txt"]
        assert b"that is all" not in archive.read("pasted-1.txt")


@pytest.mark.usefixtures("bot")
async def test_a_mention_below_the_card_of_a_migration_asks_about_that_migration(player, on_call, store):
    card = JobCard("k3q7m2xa", CHANNEL, Phase.FAILED, "web01 to site2", ALICE, [])
    await RedisOutbox(store).show(card)
    (shown,) = await player.person.wait_for(lambda: player.person.history(CHANNEL))
    player.person.mention("alice", CHANNEL, "diagnose --since 2h", thread_ts=shown["ts"])
    inquiry = await on_call.one()
    assert (inquiry.typed, inquiry.since, inquiry.thread) == ("k3q7m2xa", timedelta(hours=2), shown["ts"])


@pytest.mark.usefixtures("bot")
async def test_a_mention_below_a_diagnosis_is_no_question_about_it(player, on_call, thread):
    await player.person.command("alice", CHANNEL, "/diagnose web01")
    (shown,) = await player.person.wait_for(lambda: player.person.history(CHANNEL))
    player.person.mention("alice", CHANNEL, "diagnose", thread_ts=shown["ts"])
    (said,) = await thread(CHANNEL, shown["ts"])
    assert "neither a log nor a file" in said
    assert len(await on_call.jobs()) == 1


@pytest.mark.usefixtures("bot")
async def test_a_mention_may_name_what_is_meant(player, on_call):
    ts = player.person.mention("alice", CHANNEL, "diagnose web01 —since 2h")
    inquiry = await on_call.one()
    assert (inquiry.typed, inquiry.since, inquiry.thread) == ("web01", timedelta(hours=2), ts)


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize(
    ("words_", "said"),
    [
        ("hello there", "I say why copies of VMs failed"),
        ("", "@coldmigrate diagnose"),
        ("diagnose", "neither a log nor a file"),
        ("diagnose web01 db01", "One thing at a time"),
        ("diagnose web01 --since soon", "'soon' is no time"),
        ('diagnose "web01', "never closed"),
    ],
)
async def test_a_mention_that_is_not_clear_is_told_so_in_its_thread(player, on_call, thread, words_, said):
    ts = player.person.mention("alice", CHANNEL, words_)
    assert said in (await thread(CHANNEL, ts))[0]
    assert await on_call.jobs() == []


@pytest.mark.usefixtures("bot")
async def test_a_mention_by_somebody_who_may_not_is_told_so(player, on_call, thread):
    ts = player.person.mention("mallory", CHANNEL, f"diagnose\n```{LINE}```")
    assert "may not ask for diagnoses" in (await thread(CHANNEL, ts))[0]
    assert await on_call.jobs() == []
    assert player.tally.calls["files.info"] == 0


@pytest.mark.usefixtures("bot")
async def test_an_edit_sets_nothing_off(player, on_call, settled):
    mention = f"<@{player.workspace.app.bot_user}> diagnose web01"
    ts = player.person.mention("alice", CHANNEL, "diagnose web01")
    await on_call.one()
    player.person.edit("alice", CHANNEL, ts, f"{mention} --since 2h")
    before = player.person.post("alice", CHANNEL, "good morning")
    player.person.edit("alice", CHANNEL, before, mention)
    await settled(3)
    assert len(await on_call.jobs()) == 1


OURS = {"user": "U0COLDBOT1", "channel": CHANNEL, "ts": "1.1", "text": "<@U0COLDBOT1> diagnose web01"}


@pytest.mark.parametrize(
    ("event", "kept"),
    [
        ({"user": ALICE}, True),
        ({}, False),
        ({"user": ALICE, "bot_id": "B0OTHER001"}, False),
        ({"user": ALICE, "subtype": "bot_message"}, False),
        ({"user": ALICE, "subtype": "message_changed"}, False),
        ({"user": ALICE, "subtype": "channel_join"}, False),
        ({"user": ALICE, "edited": {"user": ALICE, "ts": "2.2"}}, False),
        ({"user": ALICE, "channel": "D0DIRECT01"}, False),
    ],
)
async def test_only_what_a_person_says_anew_is_kept(store, client, on_call, event, kept):
    errands = RedisErrands(store)
    heard = Heard(errander(store, client, on_call.desk()), WebWhispers(client), bot_user=OURS["user"])
    await heard.mention(event=OURS | event, next=None)
    assert bool(await errands.take(lease=timedelta(seconds=1))) is kept


# Direct messages and dropped files


@pytest.mark.usefixtures("bot")
async def test_a_log_that_is_dropped_in_a_direct_message_is_diagnosed_at_once(player, on_call, direct):
    file = player.person.upload("alice", direct, "vpxa.log", LOG)
    inquiry = await on_call.one()
    assert (inquiry.kind, inquiry.file_name, inquiry.channel) == (SubjectKind.FILE, "vpxa.log", direct)
    assert inquiry.thread == message_of(player, file)
    assert await on_call.material(inquiry) == LOG


@pytest.mark.usefixtures("bot")
async def test_a_direct_message_needs_no_name(player, on_call, direct, thread):
    player.person.post("alice", direct, "diagnose db01 --since 1d")
    assert (await on_call.one()).typed == "db01"
    ts = player.person.post("alice", direct, "hello")
    assert "I say why copies of VMs failed" in (await thread(direct, ts))[0]


@pytest.mark.usefixtures("bot")
async def test_a_log_that_is_pasted_in_a_direct_message_is_diagnosed(player, on_call, direct):
    player.person.post("alice", direct, f"```{SENT}```")
    assert await on_call.material(await on_call.one()) == LINE.encode()


@pytest.mark.usefixtures("bot")
async def test_in_a_channel_whoever_dropped_a_log_is_asked_and_nobody_else(player, on_call, whispered, settled):
    file = player.person.upload("alice", CHANNEL, "esx-01.tgz", gzip.compress(LOG))
    assert "Shall I say what went wrong" in await whispered("alice")
    assert await on_call.jobs() == []
    assert player.person.ephemerals("bob") == []
    (offer,) = player.person.ephemerals("alice")
    await player.person.click("alice", CHANNEL, offer["ts"], OFFER)
    inquiry = await on_call.one()
    assert (inquiry.file_name, inquiry.thread) == ("esx-01.tgz", message_of(player, file))
    gone = lambda: OFFER not in json.dumps(player.person.ephemerals("alice"))  # noqa: E731
    await player.person.wait_for(gone)


@pytest.mark.usefixtures("bot")
async def test_where_it_is_agreed_a_dropped_log_is_a_question(player, on_call):
    file = player.person.upload("alice", ALERTS, "vpxa.log", LOG)
    inquiry = await on_call.one()
    assert (inquiry.channel, inquiry.thread) == (ALERTS, message_of(player, file))
    assert player.person.ephemerals("alice") == []


@pytest.mark.usefixtures("bot")
async def test_what_is_not_called_like_a_log_is_passed_over(player, on_call, settled):
    for channel in (CHANNEL, ALERTS):
        player.person.upload("alice", channel, "holiday.png", b"\x89PNG" + bytes(50))
    player.person.upload("mallory", CHANNEL, "vpxa.log", LOG)
    await settled(3)
    assert await on_call.jobs() == []
    assert player.person.ephemerals("alice") == player.person.ephemerals("mallory") == []
    assert player.person.history(ALERTS)[-1]["files"], "and nobody said a word about it"


@pytest.mark.usefixtures("bot")
async def test_whoever_may_not_is_told_where_logs_are_dropped_and_nothing_is_fetched(player, on_call, whispered):
    player.person.upload("mallory", ALERTS, "vpxa.log", LOG)
    assert "may not ask for diagnoses" in await whispered("mallory")
    assert await on_call.jobs() == []
    assert len(player.person.history(ALERTS)) == 1


@pytest.mark.usefixtures("bot")
async def test_our_own_files_are_no_question(player, on_call, store, settled):
    outbox = RedisOutbox(store)
    await player.person.command("alice", ALERTS, "/diagnose web01")
    (job,) = await on_call.jobs()
    await outbox.attach(job.id, ALERTS, name="vpxa.log", data=LOG, title="Lines", alt_text="All of them.")
    await player.person.wait_for(
        lambda: [f for m in player.workspace.channels[ALERTS].messages.values() for f in m.files]
    )
    await settled(1)
    assert len(await on_call.jobs()) == 1


@pytest.mark.usefixtures("bot")
async def test_a_file_that_slack_cannot_place_yet_is_asked_for_again(player, on_call):
    file = player.person.upload("alice", ALERTS, "vpxa.log", LOG)
    player.switches.spoil_file(file["id"], unplaced=1)
    assert (await on_call.one()).file_name == "vpxa.log"
    assert player.tally.calls["files.info"] > 2


@pytest.mark.usefixtures("bot")
async def test_a_mention_with_a_file_is_one_question_and_no_offer(player, on_call, settled):
    mention = f"<@{player.workspace.app.bot_user}> diagnose"
    player.person.upload("alice", CHANNEL, "vpxa.log", LOG, comment=mention)
    await on_call.one()
    await settled(2)
    assert player.person.ephemerals("alice") == []


# What cannot be read


SPOILED = {
    "a link": ({"link": "https://drive.example.net/vpxa.log"}, "only a link to another service"),
    "beyond the plan": ({"hidden": True}, "Slack hides vpxa.log"),
    "elsewhere": ({"address": "https://files.slack.com.example.net/x"}, "my token is not sent"),
    "sent elsewhere": ({"redirect": "https://elsewhere.example.net/"}, "HTTP 302"),
    "said to be too large": ({"stated": LARGEST + 1}, "there is room for 20 MB"),
}


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("how", SPOILED)
async def test_a_file_that_cannot_be_read_is_said_in_the_thread(player, on_call, direct, thread, how):
    oddities, said = SPOILED[how]
    ts = spoiled(player, direct, LOG, oddities)
    assert said in (await thread(direct, ts))[0]
    assert await on_call.jobs() == []


def spoiled(player, channel: str, content: bytes, oddities: dict) -> str:
    """Drop a file that is odd before anybody looks: events are delivered only when this test waits."""
    file = player.person.upload("alice", channel, "vpxa.log", content)
    player.switches.spoil_file(file["id"], **oddities)
    return message_of(player, file)


@pytest.mark.usefixtures("bot")
async def test_a_file_with_more_bytes_than_were_said_is_not_read_to_its_end(player, on_call, direct, thread):
    ts = spoiled(player, direct, bytes(LARGEST) + LOG, {"stated": 100})
    assert "there is room for 20 MB" in (await thread(direct, ts))[0]
    assert await on_call.jobs() == []


@pytest.mark.usefixtures("bot")
async def test_a_file_of_another_workspace_is_looked_up(player, on_call, direct):
    spoiled(player, direct, LOG, {"foreign": True})
    assert (await on_call.one()).file_name == "vpxa.log"


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize(
    ("content", "said"), [(b"\x89PNG" + bytes(50), "vpxa.log is a picture"), (bytes(500), "is empty|is no text")]
)
async def test_what_is_no_log_is_said_by_its_bytes(player, on_call, direct, thread, content, said):
    file = player.person.upload("alice", direct, "vpxa.log", content)
    answer = (await thread(direct, message_of(player, file)))[0]
    assert any(one in answer for one in said.split("|"))
    assert await on_call.jobs() == []


@pytest.mark.usefixtures("bot")
async def test_a_file_that_was_deleted_at_once_is_said_to_be_gone(player, on_call, direct, thread):
    file = player.person.upload("alice", direct, "vpxa.log", LOG)
    ts = message_of(player, file)
    player.person.delete_file("alice", file["id"])
    assert "not there any more" in (await thread(direct, ts))[0]


@pytest.mark.usefixtures("bot")
async def test_a_token_without_the_scope_is_said_with_what_to_do(player, on_call, direct, thread):
    player.switches.next_answers("files.info", Refuse("missing_scope"))
    file = player.person.upload("alice", direct, "vpxa.log", LOG)
    assert "missing_scope" in (await thread(direct, message_of(player, file)))[0]


@pytest.mark.usefixtures("bot")
async def test_a_slack_that_has_trouble_is_asked_again(player, on_call, direct):
    player.switches.next_answers("files.info", BreakDown())
    player.person.upload("alice", direct, "vpxa.log", LOG)
    assert (await on_call.one()).file_name == "vpxa.log"


@pytest.mark.usefixtures("bot")
async def test_what_can_be_read_is_asked_about_and_the_rest_is_named(player, on_call, thread):
    root = player.person.post("bob", CHANNEL, "both ends")
    player.person.upload("bob", CHANNEL, "source.log", LOG, thread_ts=root)
    player.person.upload("bob", CHANNEL, "holiday.png", b"\x89PNG" + bytes(50), thread_ts=root)
    player.person.mention("alice", CHANNEL, "diagnose", thread_ts=root)
    assert (await on_call.one()).file_name == "source.log"
    said = "\n".join(await thread(CHANNEL, root, count=2))
    assert "Left out:\nholiday.png is a picture" in said


# Text of strangers


@pytest.mark.usefixtures("bot")
async def test_names_of_files_and_what_is_in_them_neither_ping_nor_format(player, on_call, direct, thread):
    name = "<!channel> *bold* `x`\x1b[31m.log"
    await player.person.command("alice", CHANNEL, "/diagnose '<!channel> *web01*'")
    file = player.person.upload("alice", direct, name, b"\x89PNG" + bytes(50))
    await thread(direct, message_of(player, file))
    shown = [m for c in player.workspace.channels.values() for m in c.messages.values() if m.by_app]
    assert len(shown) == 2
    for message in shown:
        assert "<!channel>" not in message.text
        assert '"mrkdwn"' not in json.dumps(message.blocks)
        assert "\x1b" not in message.text + json.dumps(message.blocks, ensure_ascii=False)


# Once, whatever happens


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("way", ["command", "shortcut", "mention", "drop", "direct"])
async def test_what_is_delivered_three_times_is_one_diagnosis_with_one_card(player, on_call, direct, settled, way):
    ts = player.person.post("bob", CHANNEL, LINE)
    player.switches.deliver_each(3)
    match way:
        case "command":
            await player.person.command("alice", CHANNEL, "/diagnose web01")
        case "shortcut":
            await player.person.message_shortcut("alice", CHANNEL, ts, SHORTCUT)
        case "mention":
            player.person.mention("alice", CHANNEL, "diagnose", thread_ts=ts)
        case "drop":
            player.person.upload("alice", ALERTS, "vpxa.log", LOG)
        case "direct":
            player.person.upload("alice", direct, "vpxa.log", LOG)
    await on_call.one()
    await player.person.wait_for(lambda: len(player.tally.acks) >= 3)
    await settled(0)
    assert len(await on_call.jobs()) == 1
    assert len(on_call.cards()) == 1


@pytest.mark.parametrize("where", ["errand-kept", "acked", "errand-taken", "errand-done"])
async def test_a_bot_that_dies_between_keeping_and_answering_loses_nothing_and_asks_once(
    player, on_call, direct, skew_clock, settled, where
):
    """From that point on it does nothing any more; another one finds the errand when its lease is over."""
    dead = asyncio.Event()

    def die(point: str) -> None:
        if dead.is_set() or point == where:
            dead.set()
            raise asyncio.CancelledError

    player.switches.event_retries(timedelta(milliseconds=100))
    async with on_call.bot(reached=die) as first:
        player.person.upload("alice", direct, "vpxa.log", LOG)
        await asyncio.wait_for(dead.wait(), 5)
        await first.stop()
    assert len(await on_call.jobs()) == (where == "errand-done")
    skew_clock(timedelta(minutes=1))
    async with on_call.bot():
        assert (await on_call.one()).file_name == "vpxa.log"
        await settled(1)
    assert len(await on_call.jobs()) == 1
    assert len(on_call.cards()) == 1


async def test_what_cannot_be_kept_is_not_acked_and_slack_sends_it_again(player, on_call, direct, store):
    player.switches.event_retries(timedelta(milliseconds=100))
    player.switches.ack_deadline(timedelta(seconds=1))
    async with on_call.bot():
        await store.config_set("maxmemory", "1")
        player.person.upload("alice", direct, "vpxa.log", LOG)
        await player.person.wait_for(lambda: any(a.outcome.name == "TIMED_OUT" for a in player.tally.acks))
        await store.config_set("maxmemory", "0")
        assert (await on_call.one()).file_name == "vpxa.log"
    assert len(await on_call.jobs()) == 1
