"""Cards with a table: what they say, that Slack takes every one, and that they go the way of every other card."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.migration.request import JobId
from bot.playground.slack.block_kit import message_problems
from bot.playground.slack.faults import LoseReply, Refuse
from bot.slack.inbox import RedisInbox
from bot.slack.port import Button, ButtonKind, Reply, TableCard
from bot.slack.table import table_message
from bot.slack.whole import whole_table
from bot.store import keys
from tests.slack_referee.judge import faults_of_message

CHANNEL = "C0MIGRATE1"
BATCH = JobId("b7m2xak3")
COLUMNS = ("VM", "From", "To", "Size", "Concerns", "State")
TEXTS = st.text(max_size=200) | st.sampled_from(["<!channel>", "a\u202egnp", "", "|---|---|", "x" * 9000])


def row(number: int, state: str = "waiting") -> list[str]:
    return [f"web{number:02}", "site1: esx-01", "site2: esx-11", "12.0 GiB", "-", state]


def table(many: int = 3, **changes) -> TableCard:
    plain = TableCard(
        subject=BATCH,
        channel=CHANNEL,
        title="web-tier to site2: 3 VMs",
        state="waiting for approval",
        requester="U0ALICE001",
        columns=COLUMNS,
        rows=[row(number) for number in range(many)],
    )
    return replace(plain, **changes)


def sent(card: TableCard) -> tuple[str, list[dict]]:
    """What Slack would get, after two judges that we did not write together."""
    text, blocks = json.loads(json.dumps(table_message(card)))
    assert message_problems(blocks) == []
    assert faults_of_message({"text": text, "blocks": blocks}) == []
    return text, blocks


def cells(blocks: list[dict]) -> list[list[str]]:
    (found,) = [block for block in blocks if block["type"] == "table"]
    return [[cell["text"] for cell in line] for line in found["rows"]]


def test_every_row_is_shown_below_its_head():
    text, blocks = sent(table())
    assert cells(blocks) == [list(COLUMNS), row(0), row(1), row(2)]
    assert text == "web-tier to site2: 3 VMs: waiting for approval"


def test_rows_without_room_are_counted_and_the_file_is_announced():
    _, blocks = sent(table(200, note="Approve them.", buttons=[Button(ButtonKind.APPROVE, f"{BATCH} 0123")]))
    shown = len(cells(blocks)) - 1
    assert 20 < shown < 100
    said = json.dumps(blocks, ensure_ascii=False)
    assert f"… and {200 - shown} more" in said
    assert "All of it, as it was then, is in a file in the thread." in said
    assert blocks[-1]["type"] == "actions"


def test_short_rows_reach_slacks_own_limit():
    _, blocks = sent(table(columns=["VM"], rows=[["w"]] * 150))
    assert len(cells(blocks)) == 100
    assert "… and 51 more" in json.dumps(blocks, ensure_ascii=False)


def test_a_line_break_in_a_cell_does_not_break_the_file():
    whole = whole_table(table(1, rows=[["web01", "a\nb\r\nc", "x"]], columns=("VM", "Why", "To")))
    assert "web01  a b c  x\n" in whole


def test_a_table_without_rows_is_left_out():
    _, blocks = sent(table(0))
    assert not [block for block in blocks if block["type"] == "table"]


def test_what_starts_or_throws_away_asks_first_and_says_so_of_many():
    _, blocks = sent(table(buttons=[Button(kind, f"{BATCH} 0123456789abcdef") for kind in ButtonKind]))
    drawn = {button["action_id"]: button for button in blocks[-1]["elements"]}
    assert set(drawn) == {f"cm.{kind}" for kind in ButtonKind}
    unasked = {"retry", "retry-when-clean", "wait-on", "evidence", "measure"}  # nothing is lost by these
    unasked |= {"acknowledge", "mute", "diagnose-incident", "lines"}
    assert {name for name, button in drawn.items() if "confirm" not in button} == {f"cm.{kind}" for kind in unasked}
    assert drawn["cm.approve"]["text"]["text"] == "Approve all"
    assert "the others go on" in drawn["cm.approve"]["confirm"]["text"]["text"]
    assert "have not started are cancelled" in drawn["cm.approve-stop"]["confirm"]["text"]["text"]


@settings(max_examples=40, deadline=None)
@given(
    title=TEXTS,
    state=TEXTS,
    note=TEXTS,
    columns=st.lists(TEXTS, max_size=25),
    rows=st.lists(st.lists(TEXTS, max_size=25), max_size=12),
    facts=st.lists(st.tuples(TEXTS, TEXTS), max_size=12),
)
def test_slack_takes_every_table(title, state, note, columns, rows, facts):
    sent(table(title=title, state=state, note=note, columns=columns, rows=rows, facts=facts))


async def test_it_is_posted_edited_in_place_and_its_replies_go_below_it(player, outbox, drain, posted, thread):
    await drain()
    await outbox.show_table(table())
    await outbox.reply(BATCH, CHANNEL, Reply("web01", "web01 failed."))
    await outbox.show_table(table(state="under way", rows=[row(0, "63 %")]))
    await player.person.wait_for(lambda: posted() and "under way" in posted()[0]["text"])
    await player.person.wait_for(lambda: thread() == ["web01 failed."])
    assert len(posted()) == 1


async def test_an_end_is_not_overtaken_by_progress(player, outbox, drain, posted):
    await outbox.show_table(table(state="done", ended=True))
    await outbox.show_table(table(state="under way"))
    await drain()
    (card,) = await player.person.wait_for(posted)
    assert card["text"].endswith(": done")


async def test_rows_alone_are_progress_and_wait_for_news(outbox, store, until, drain, player, posted):
    await drain()
    await outbox.show_table(table())
    await player.person.wait_for(posted)
    await until(keys.card(BATCH), lambda card: card.get("shown") == "1")
    outline = (await store.hash(keys.card(BATCH)))["outline"]
    await outbox.show_table(table(rows=[row(0, "1 %")]))
    await until(keys.card(BATCH), lambda card: card.get("shown") == "2")
    assert (await store.hash(keys.card(BATCH)))["outline"] == outline


async def test_a_card_whose_answer_was_lost_is_found_again(player, outbox, drain, posted, skew_clock, released, until):
    player.switches.next_answers("chat.postMessage", LoseReply())
    await drain()
    await outbox.show_table(table())
    await released(f"card:{BATCH}")
    skew_clock(timedelta(seconds=30))
    found = await until(keys.card(BATCH), lambda card: card.get("ts"))
    assert [card["ts"] for card in posted()] == [found["ts"]]


async def test_the_whole_table_follows_once_for_each_state(player, outbox, drain, posted, thread):
    await drain()
    for percent in range(3):
        await outbox.show_table(table(200, rows=[row(number, f"{percent} %") for number in range(200)]))
    await outbox.show_table(table(200, state="done", ended=True))
    (card,) = await player.person.wait_for(posted)
    ts = card["ts"]
    files = lambda: [f for said in player.person.thread(CHANNEL, ts)[1:] for f in said.get("files") or ()]  # noqa: E731
    await player.person.wait_for(lambda: len(files()) == 2)
    text = player.person.download("alice", files()[0]["id"])[1].decode()
    assert "web199  site1: esx-01  site2: esx-11" in text


async def test_where_slack_takes_no_table_its_rows_are_in_a_file(player, outbox, drain, posted):
    player.switches.next_answers("chat.postMessage", Refuse("invalid_blocks"))
    await drain()
    await outbox.show_table(table())
    (card,) = await player.person.wait_for(posted)
    ts = card["ts"]
    files = lambda: [f for said in player.person.thread(CHANNEL, ts)[1:] for f in said.get("files") or ()]  # noqa: E731
    (file,) = await player.person.wait_for(files)
    assert b"web00 | site1: esx-01 | site2: esx-11" in player.person.download("alice", file["id"])[1]


@pytest.mark.parametrize(("shown", "known"), [(True, True), (False, False)])
async def test_a_click_on_a_table_counts_though_its_subject_is_no_job(outbox, store, shown, known):
    if shown:
        await outbox.show_table(table())
    assert await RedisInbox(store).clicked(BATCH, CHANNEL, "1700000000.000100") is known


PART = JobId("w7m2xak3")


async def test_a_part_of_a_batch_has_no_card_and_is_told_of_below_the_batchs(
    player, outbox, drain, posted, thread, card
):
    await drain()
    await outbox.show_table(table())
    await outbox.show(card(job=PART, batch=BATCH))
    for _ in range(2):
        await outbox.reply(PART, CHANNEL, Reply("end", "web01 failed.", final=True))
        await outbox.attach(PART, CHANNEL, name="report.html", data=b"<p>", title="Report", alt_text="All of it.")
    await outbox.reply(BATCH, CHANNEL, Reply("end", "The batch failed."))
    await player.person.wait_for(lambda: len(thread()) == 3)
    assert [words for words in thread() if words] == ["web01 failed.", "The batch failed."]
    assert len(posted()) == 1


async def test_what_the_table_says_is_not_said_again_of_a_part_and_is_of_a_job(player, outbox, drain, thread, card):
    await drain()
    await outbox.show_table(table())
    await outbox.join(PART, BATCH)
    await outbox.reply(PART, CHANNEL, Reply("end", "web01 is at site2.", quiet=True))
    await outbox.reply(BATCH, CHANNEL, Reply("end", "All are at site2.", quiet=True))
    await player.person.wait_for(thread)
    assert thread() == ["All are at site2."]
