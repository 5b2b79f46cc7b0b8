"""The card of a job in every phase: what it says and which buttons it has."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.jobs.port import Job, Step
from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.operations.cards import job_card
from bot.operations.outlook import last_rates
from bot.operations.record import Copied, with_copied, with_plan, with_request, with_start, with_trouble, with_wait
from bot.slack.card import card_message
from bot.slack.port import ButtonKind
from tests.migration.conftest import REQUEST, VM, plan_of

T = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
APPROVE, CANCEL, RETRY = ButtonKind.APPROVE, ButtonKind.CANCEL, ButtonKind.RETRY
BUTTONS = {
    Phase.DRAFTED: [CANCEL],
    Phase.CHECKING: [CANCEL],
    Phase.PLANNED: [APPROVE, CANCEL],
    Phase.QUEUED: [CANCEL],
    Phase.INTENT: [CANCEL],
    Phase.UNKNOWN: [CANCEL],
    Phase.ATTACHED: [CANCEL],
    Phase.VERIFYING: [],
    Phase.DONE: [],
    Phase.FAILED: [RETRY],
    Phase.CANCELLED: [RETRY],
    Phase.NEEDS_HUMAN: [],
}


def job(state: Phase, **data: str) -> Job:
    return Job(
        id=JobId("abcdefgh"),
        kind="migrate",
        state=state,
        vm_key="east:1",
        lane="check",
        requester="U1",
        channel="C1",
        fence=1,
        owner="w",
        attempt=0,
        created=T,
        updated=T,
        cancel_by="",
        data={**with_request(REQUEST), **with_plan(plan_of()), **data},
        steps=[Step(state, T, "coldmigrate", "nobody approved it in time")],
    )


@pytest.mark.parametrize("state", Phase)
def test_buttons(state):
    assert [button.kind for button in job_card(job(state)).buttons] == BUTTONS[state]


def test_approve_carries_the_fingerprint_that_was_shown():
    approve = job_card(job(Phase.PLANNED)).buttons[0]
    assert approve.value == f"abcdefgh {plan_of().fingerprint}"


def test_a_blocked_plan_has_no_approve():
    blocked = plan_of(vm=replace(VM, power="poweredOn"))
    card = job_card(job(Phase.PLANNED, **with_plan(blocked)))
    assert [button.kind for button in card.buttons] == [CANCEL]
    assert "cannot start" in card.note
    assert card.concerns == blocked.concerns


def test_a_job_that_is_being_cancelled_has_no_second_cancel():
    card = job_card(replace(job(Phase.ATTACHED), cancel_by="U2"))
    assert card.buttons == []
    assert "Cancelling" in card.note


def test_an_end_without_an_outcome_says_why_it_ended():
    assert job_card(job(Phase.CANCELLED)).note == "nobody approved it in time"
    assert job_card(job(Phase.DONE, outcome="It is there.")).note == "It is there."


def test_progress_is_bytes_of_the_plan():
    copied = with_copied(Copied(percent=50, rate=1e6, eta=60.0, nfc_errors=3))
    progress = job_card(job(Phase.ATTACHED, **copied)).progress
    assert progress is not None
    assert (progress.percent, progress.done, progress.rate, progress.nfc_errors) == (50, plan_of().size // 2, 1e6, 3)
    failed = job_card(job(Phase.FAILED, **copied)).progress
    assert failed is not None
    assert failed.eta is None  # nothing is arriving any more
    assert job_card(job(Phase.DONE, **copied)).progress is None


WAITING = (Phase.DRAFTED, Phase.CHECKING, Phase.PLANNED, Phase.QUEUED)


@pytest.mark.parametrize("state", Phase)
def test_a_start_that_was_asked_for_is_told_until_it_has_started(state):
    start = T + timedelta(days=5)
    asked = with_request(replace(REQUEST, not_before=start))
    told = job_card(job(state, **asked, **with_start("Sat 2026-11-28 05:00 Europe/Berlin")))
    assert (told.start == start) is (state in WAITING)
    assert (("Not before", "Sat 2026-11-28 05:00 Europe/Berlin") in told.facts) is (state in WAITING)
    by_another_version = job_card(job(Phase.QUEUED, **asked))
    assert ("Not before", "Sat 2026-11-28 04:00 UTC") in by_another_version.facts


def test_what_waits_for_its_time_does_not_say_that_it_waits_for_the_link():
    asked = with_request(replace(REQUEST, not_before=T + timedelta(days=5)))
    queued = job_card(job(Phase.QUEUED, **asked, **with_start("Sat 2026-11-28 05:00 Europe/Berlin")))
    assert queued.note.startswith("Waits for its time, and then for a free slot on the link.")
    assert job_card(job(Phase.QUEUED)).note.startswith("Waits for a free slot on the link.")


def test_when_it_may_start_is_on_its_card_once():
    words = "Sat 2026-11-28 05:00 Europe/Berlin"
    asked = {**with_request(replace(REQUEST, not_before=T + timedelta(days=5))), **with_start(words)}
    waits = with_wait(f"It does not start before {words}, as was asked for.")
    for data in (asked, {**asked, **waits}):
        shown = json.dumps(card_message(job_card(job(Phase.QUEUED, **data))), ensure_ascii=False).casefold()
        assert (shown.count("not before"), shown.count(words.casefold()), shown.count("in your own time")) == (1, 1, 1)
    shut = job_card(job(Phase.QUEUED, **asked, **with_wait("site2 is frozen until Sun.")))
    assert shut.note.startswith("Waits. site2 is frozen until Sun.")


def test_what_an_approved_job_waits_for():
    waits = with_wait("The window of site2 is closed until Mon 2026-11-23 20:00 UTC.")
    card = job_card(job(Phase.QUEUED, **waits))
    assert card.note.startswith("Waits. The window of site2 is closed until Mon")
    # Nobody draws it again when the window opens and no slot is free: it has to be true then, too.
    assert card.note.endswith("20:00 UTC. From then on it waits for a free slot on the link. Nothing was started yet.")
    away = job_card(job(Phase.QUEUED, **waits, **with_trouble("vCenter east does not answer.")))
    assert away.note.startswith("vCenter east does not answer.")
    assert "Waits" not in job_card(job(Phase.INTENT, **waits)).note


def test_the_last_rate_of_each_link():
    def copied(lane, rate, **changes):
        fields = with_copied(Copied(percent=50, rate=rate, eta=None, nfc_errors=0))
        return replace(job(Phase.DONE, **fields), lane=lane, **changes)

    newest_first = [
        replace(job(Phase.QUEUED), lane="a~b"),
        copied("a~b", None),
        copied("a~b", 7.0),
        copied("a~b", 9.0),
        copied("c~d", 5.0, kind="diagnose"),
        replace(job(Phase.DONE, copied="of another version"), lane="e~f"),
        copied("e~f", 3.0),
    ]
    assert last_rates(newest_first) == {"a~b": 7.0, "e~f": 3.0}


def test_before_there_is_a_plan_the_card_stands_already():
    early = replace(job(Phase.DRAFTED), data=with_request(REQUEST))
    card = job_card(early)
    assert card.facts == []
    assert card.title == "web01 to site2"
    assert job_card(replace(early, data=with_request(replace(REQUEST, dry_run=True)))).title.endswith("(dry run)")
