"""What is too long for a message is readable in it and whole in a file beside it, once, whatever goes wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.migration.machine import Phase
from bot.migration.plan import Concern, Severity
from bot.migration.request import JobId
from bot.playground.slack.faults import LoseReply, Refuse
from bot.slack.port import Reply, Section
from bot.store import keys

CHANNEL = "C0MIGRATE1"
JOB = JobId("k3q7m2xa")
LINES = [f"{n:04} NfcNetTcpWrite: bWritten: -1 <!channel> \x1b[31m" for n in range(900)]
LONG = Reply("evidence", "The link lost packets.", [Section("Lines that show it", "", LINES)], final=True)


@pytest.fixture
def files(player, posted):
    """Name and text of every file in the card's thread."""

    def look() -> list[tuple[str, str]]:
        if not posted():
            return []
        thread = [player.person.message(CHANNEL, m["ts"]) for m in player.person.thread(CHANNEL, posted()[0]["ts"])]
        shared = [file for message in thread for file in message.get("files") or ()]
        return [(file["name"], player.person.download("alice", file["id"])[1].decode()) for file in shared]

    return look


async def test_a_long_reply_is_short_in_the_thread_and_whole_in_a_file_below_it(
    player, outbox, drain, card, thread, files
):
    await drain()
    await outbox.show(card())
    await outbox.reply(JOB, CHANNEL, LONG)
    await outbox.reply(JOB, CHANNEL, Reply("next", "And then?"))
    await player.person.wait_for(lambda: len(thread()) == 3)
    assert thread()[0] == "The link lost packets."
    assert "And then?" in thread()  # before or after the file: Slack shares it when it likes
    ((name, text),) = files()
    assert name == f"coldmigrate-{JOB}-evidence.txt"
    assert all(f"{n:04} NfcNetTcpWrite: bWritten: -1 <!channel>" in text for n in range(900))
    assert "\x1b" not in text


async def test_a_short_reply_has_no_file(player, outbox, drain, card, reply, thread, files):
    await drain()
    await outbox.show(card())
    await outbox.reply(JOB, CHANNEL, reply("short"))
    await player.person.wait_for(thread)
    assert files() == []
    assert player.tally.calls["files.getUploadURLExternal"] == 0


async def test_a_file_whose_answer_was_lost_is_found_and_not_sent_again(
    player, outbox, drain, card, files, store, skew_clock, released, until
):
    player.switches.next_answers("files.completeUploadExternal", LoseReply())
    await drain()
    await outbox.show(card())
    await outbox.reply(JOB, CHANNEL, LONG)
    await player.person.wait_for(files)
    await released(f"file:{JOB}:evidence")
    skew_clock(timedelta(seconds=30))
    await until(keys.card(JOB), lambda found: found.get("file:evidence"))
    assert len(files()) == 1
    assert player.tally.calls["files.completeUploadExternal"] == 1


async def test_a_long_plan_is_whole_in_one_file_however_often_the_card_is_shown(
    player, outbox, drain, card, copying, posted, files
):
    concerns = [Concern(f"c{n}", Severity.WARN, f"Concern number {n}. {'x' * 500}") for n in range(80)]
    await drain()
    for phase in (Phase.CHECKING, Phase.PLANNED):
        await outbox.show(card(phase=phase, concerns=concerns))
    for percent in (1, 2, 3):
        await outbox.show(copying(percent, concerns=concerns))
    await player.person.wait_for(files)
    await outbox.show(card(phase=Phase.DONE))
    await player.person.wait_for(lambda: "done" in posted()[0]["text"])
    ((_, text),) = files()
    assert all(f"Concern number {n}." in text for n in range(80))


@pytest.mark.parametrize("code", ["msg_too_long", "msg_blocks_too_long", "invalid_blocks"])
async def test_what_slack_refuses_is_said_in_short_and_its_blocks_become_a_file(
    player, outbox, drain, card, thread, files, code
):
    await drain()
    await outbox.show(card())
    await player.person.wait_for(lambda: player.tally.calls["chat.postMessage"])
    player.switches.next_answers("chat.postMessage", Refuse(code))
    await outbox.reply(JOB, CHANNEL, Reply("why", "It failed.", [Section("Why", "Packet loss.", ["a line"])]))
    await player.person.wait_for(files)
    assert thread()[0] == "It failed."
    ((_, text),) = files()
    assert "Packet loss." in text
    assert "a line" in text


async def test_without_the_scope_the_thread_says_where_all_of_it_is_and_an_admin_what_to_do(
    player, outbox, drain, card, thread, files
):
    player.switches.deny("files:write")
    await drain(admins=["U0CAROL001"])
    await outbox.show(card())
    await outbox.reply(JOB, CHANNEL, LONG)
    await player.person.wait_for(lambda: len(thread()) == 2)
    assert f"coldmigrate jobs show {JOB}" in thread()[1]
    assert files() == []
    (told,) = await player.person.wait_for(lambda: player.person.history("@carol"))
    assert "files:write" in told["text"]


async def test_a_text_that_is_gone_is_said_to_be_elsewhere(player, outbox, drain, card, thread, files, store):
    await outbox.show(card())
    await outbox.reply(JOB, CHANNEL, LONG)
    blob = await store.hget(keys.outbox(f"file:{JOB}:evidence"), "blob")
    await store.delete(keys.blob(blob))
    await drain()
    await player.person.wait_for(lambda: len(thread()) == 2)
    assert f"coldmigrate jobs show {JOB}" in thread()[1]
