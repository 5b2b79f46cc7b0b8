"""The card of a batch: every state of every VM has a word, a place in the order, and room in a Slack message."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest

from bot.jobs.port import Hold, Job, Step
from bot.migration.capacity import EVERYTHING
from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.operations.batch_card import _ATTENTION, COLUMNS, again, batch_card, state_in_words, tally, word
from bot.operations.batch_record import BATCH, MOST, Batch, Part, Row, startable, with_batch, with_plans
from bot.operations.batch_words import batch_end
from bot.operations.record import Copied, with_copied, with_plan, with_request, with_wait
from bot.slack.card import EMOJI
from bot.slack.port import ButtonKind
from bot.slack.reply import reply_message
from bot.slack.table import table_message
from tests.migration.conftest import REQUEST, VM, plan_of
from tests.slack_referee.judge import faults_of_message

T = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
CHILD = JobId("childaaa")
SAFE, BLOCKED = plan_of(), plan_of(vm=replace(VM, power="poweredOn"))


def a_job(kind: str, job: str, state: Phase, data: dict[str, str], **changes) -> Job:
    fields = {
        "id": JobId(job),
        "kind": kind,
        "state": state,
        "vm_key": "",
        "lane": "check",
        "requester": "U0ALICE001",
        "channel": "C1",
        "fence": 1,
        "owner": "w",
        "attempt": 0,
        "created": T,
        "updated": T,
        "cancel_by": "",
        "data": data,
        "steps": [Step(state, T, "coldmigrate", "nobody approved it in time")],
    }
    return Job(**{**fields, **changes})


def row(state: Phase, plan=SAFE, *, own: bool = True, **data: str) -> Row:
    known = {**with_request(REQUEST), **(with_plan(plan) if plan else {}), **data}
    return Row(REQUEST, Part(CHILD, own), a_job("migrate", CHILD, state, known))


def batch(state: Phase, rows: list[Row], **changes) -> Job:
    asked = Batch("<!channel> to site2", tuple(one.request for one in rows))
    return a_job(BATCH, "batchaaa", state, {**with_batch(asked), **with_plans(startable(rows))}, **changes)


EVERY = [row(state, plan, own=own) for state, plan, own in product(Phase, (None, SAFE, BLOCKED), (True, False))]
EVERY += [Row(REQUEST), Row(REQUEST, Part(CHILD, own=True), None)]


@pytest.mark.parametrize("one", EVERY)
def test_every_vm_has_a_word_and_a_place(one):
    assert word(one) in _ATTENTION
    assert tally([one]) == f"1 {word(one)}"


@pytest.mark.parametrize("state", Phase)
@pytest.mark.parametrize("many", [1, MOST])
def test_slack_takes_the_card_and_the_last_word_of_any_batch(state, many):
    rows = (EVERY * MOST)[:many]
    for message in (
        table_message(batch_card(batch(state, rows), rows)),
        reply_message(CHILD, batch_end(batch(state, rows), rows)),
    ):
        text, blocks = json.loads(json.dumps(message))
        assert faults_of_message({"text": text, "blocks": blocks}) == []


def test_of_many_those_come_first_that_somebody_should_look_at():
    rows = [row(Phase.DONE)] * 60 + [row(Phase.FAILED)] + [row(Phase.ATTACHED, **with_copied(Copied(63, 1e6, 90, 0)))]
    shown = batch_card(batch(Phase.ATTACHED, rows), rows).rows
    assert [cells[1] for cells in shown[:3]] == ["failed", "copying", "done"]
    assert shown[1][3] == "63 %, 1 min left"


def test_only_what_is_safe_can_be_approved_and_what_is_not_is_counted():
    rows = [row(Phase.PLANNED), row(Phase.PLANNED, BLOCKED), row(Phase.PLANNED, own=False), row(Phase.FAILED, None)]
    card = batch_card(batch(Phase.PLANNED, rows), rows)
    assert card.note.startswith("1 of 4 can start. 3 cannot start and are left out.")
    assert [cells[1] for cells in card.rows] == ["ready", "blocked", "left out", "no plan"]
    assert "has this VM already" in card.rows[2][2]
    kinds = [button.kind for button in card.buttons]
    assert kinds == [ButtonKind.APPROVE, ButtonKind.APPROVE_STOP, ButtonKind.CANCEL]


def test_what_was_cancelled_meanwhile_is_not_said_to_start():
    rows = [row(Phase.PLANNED), row(Phase.CANCELLED)]
    assert batch_card(batch(Phase.PLANNED, rows), rows).note.startswith("1 of 2 can start.")


def test_the_fingerprint_covers_every_plan_and_their_jobs():
    def over(plans):
        return with_plans(plans)["fingerprint"]

    assert over({"a": "1", "b": "2"}) == over({"b": "2", "a": "1"})
    assert len({over(p) for p in ({"a": "1"}, {"a": "2"}, {"b": "1"}, {"a": "1", "b": "1"}, {})}) == 5


def test_what_needs_a_person_or_arrived_is_not_tried_again():
    rows = [row(state) for state in (Phase.DONE, Phase.NEEDS_HUMAN, Phase.FAILED, Phase.CANCELLED)]
    assert [one.job.state for one in again(rows)] == [Phase.FAILED, Phase.CANCELLED]


def test_what_waits_says_what_for():
    hold = Hold(JobId("holdaaaa"), "site1~site2", "coldmigrate", "packet loss ended the copy of db01", T)
    held = replace(row(Phase.QUEUED), held=hold)
    shut = row(Phase.QUEUED, **with_wait("The window of site2 is closed until Sat 20:00."))
    card = batch_card(batch(Phase.ATTACHED, [held, shut]), [held, shut])
    assert [cells[2] for cells in card.rows] == [
        "waits behind the hold of the link site1~site2",
        "The window of site2 is closed until Sat 20:00.",
    ]
    assert "is held since 2026-11-23 04:00 UTC: packet loss ended the copy of db01. Waiting behind it: 1." in card.note
    drained = batch_card(batch(Phase.QUEUED, [held]), [held], replace(hold, resource=EVERYTHING, why="drained"))
    assert drained.note.startswith("Approved. Everything is held since ")


@pytest.mark.parametrize("state", Phase)
def test_its_state_has_the_sign_of_every_other_card_and_its_id_a_noun(state):
    rows = [row(Phase.PLANNED)]
    shown = json.dumps(table_message(batch_card(batch(state, rows), rows)), ensure_ascii=False)
    assert f'"text": "{EMOJI[state]} {state_in_words(state)}'.casefold() in shown.casefold()
    assert "Batch batchaaa, asked for by" in shown


def test_what_speaks_against_it_is_not_where_a_narrow_window_cuts():
    assert COLUMNS[:3] == ("VM", "State", "Concerns")
