"""The night in a paragraph for each link: what failed, what is held, what waits, what was tried, what is open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.jobs.port import Hold, Job, Step
from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.operations.aftercare_record import AFTERCARE, Act, Aftercare
from bot.operations.handover_words import Night, paragraphs, summary
from bot.operations.record import Copied, with_copied, with_plan, with_request
from tests.migration.conftest import REQUEST, plan_of

NOW = datetime(2026, 11, 23, 5, 30, tzinfo=UTC)
LINK = plan_of().link


def at(clock: str) -> datetime:
    hour, minute = clock.split(":")
    return NOW.replace(hour=int(hour), minute=int(minute))


def job(name: str, state: Phase, when: str = "01:42", **data: str) -> Job:
    request = replace(REQUEST, vm=replace(REQUEST.vm, name=name, uuid=name))
    plan = replace(plan_of(), request=request)
    return Job(
        id=JobId(name),
        kind="migrate",
        state=state,
        vm_key=f"east:{name}",
        lane=LINK,
        requester="U1",
        channel="C1",
        fence=1,
        owner="w",
        attempt=1,
        created=at("00:10"),
        updated=at(when),
        cancel_by="",
        data={**with_request(request), **with_plan(plan), **data},
        steps=[Step(state, at(when), "w", "because")],
    )


FAILED = job(
    "db01",
    Phase.FAILED,
    cause="Probable cause: packet loss (79% sure, measured).",
    outcome="The migration of db01 to site2 failed. db01 is intact at its source, esx-11.",
    **with_copied(Copied(63, None, None, 0)),
)
POWERED = replace(
    job("power", Phase.DONE, "01:50", **Aftercare(Act.POWER_ON_SOURCE, JobId("db01")).to_data()),
    kind=AFTERCARE,
    requester="U2",
    created=at("01:49"),
)
POWERED = replace(POWERED, data={**POWERED.data, "outcome": "db01 is on, at its source, esx-11."})
HOLD = Hold(JobId("hold"), LINK, "coldmigrate", "db01 died of packet loss", at("01:43"), job="db01")
QUEUED = [job(name, Phase.QUEUED) for name in ("web01", "app01", "mail01")]


def night(*jobs: Job, **changes) -> Night:
    return replace(Night(NOW - timedelta(hours=12), NOW, jobs), **changes)


def test_a_night_in_one_paragraph():
    told = night(FAILED, *QUEUED, acts=[POWERED], holds=[HOLD], waiting={HOLD.id: QUEUED})
    assert summary(told) == "Since 2026-11-22 17:30 UTC: 1 failed, 3 wait, 1 hold."
    (said,) = paragraphs(told)
    for part in (
        "db01 (job db01) failed at 01:42 UTC, at 63 %.",
        "Probable cause: packet loss (79% sure, measured).",
        "It is intact at its source",
        "Power on at source (U2, 01:49 UTC): db01 is on, at its source, esx-11.",
        "Open: nobody has asked for it again.",
        "Held since 01:43 UTC (3 h 47 min): db01 died of packet loss.",
        "3 wait behind it, untouched: web01, app01, mail01.",
        "then release it.",
    ):
        assert part in said
    assert "\n" not in said


def test_a_retry_says_what_became_of_it():
    again = replace(FAILED, id=JobId("db01again"), state=Phase.ATTACHED, created=at("03:00"), updated=at("05:29"))
    (said,) = paragraphs(night(FAILED, again))
    assert "asked for again as job db01again, which is copying" in said
    assert "Under way: db01 at 63 %." in said


@pytest.mark.parametrize(
    ("jobs", "told"),
    [
        ([], "nothing was migrated, nothing failed, and nothing is held."),
        ([job("old", Phase.FAILED, "01:42")], "1 failed."),
        ([job("a", Phase.DONE), job("b", Phase.NEEDS_HUMAN)], "1 needs a person, 1 done."),
    ],
)
def test_the_sentence_counts_only_what_there_was(jobs, told):
    assert summary(night(*jobs)).endswith(told)


def test_what_ended_before_the_night_is_not_told():
    old = replace(FAILED, updated=NOW - timedelta(hours=13))
    assert paragraphs(night(old)) == []
    assert "nothing failed" in summary(night(old))


def test_a_link_in_order_comes_after_one_in_trouble():
    fine = job("aaa", Phase.DONE)
    fine = replace(fine, data={**fine.data, **with_plan(replace(plan_of(), link="aaa~bbb"))})
    first, second = paragraphs(night(fine, FAILED))
    assert "db01" in first
    assert second.endswith("Done: aaa.")


def test_a_hold_behind_which_nothing_of_the_night_is_has_its_own_paragraph():
    (said,) = paragraphs(night(holds=[replace(HOLD, resource="site7~site8")]))
    assert "site7~site8: held since" in said
    assert "Nothing waits behind it" in said


def test_many_failures_are_counted():
    (said,) = paragraphs(night(*(replace(FAILED, id=JobId(f"j{number}")) for number in range(11))))
    assert "3 more failed." in said
