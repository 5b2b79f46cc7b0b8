"""A copy that slows down: the clock that a take-over does not reset, and what is worth a reply."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.jobs.port import Job, Step
from bot.migration.eta import Pace
from bot.migration.facts import Vmk
from bot.migration.machine import Phase
from bot.migration.measured import Connection, PathMeasurement, Pings, When
from bot.migration.path import DataPath, Leg, PathKind
from bot.migration.request import JobId
from bot.operations.copy_pace import CopyPace, pace_of
from bot.operations.flow_words import worth_saying
from bot.operations.record import Copied, measured_of, with_copied, with_measured
from tests.migration.conftest import plan_of

T0 = datetime(2026, 11, 23, 1, 40, tzinfo=UTC)
LEG = Leg(Vmk("vmk0", "10.1.0.11"), Vmk("vmk0", "10.2.0.21"), 902)
PATH = DataPath(PathKind.NFC_MANAGEMENT, LEG, LEG, "because")


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def pace(**changes) -> CopyPace:
    return replace(CopyPace(Pace(10**11), T0, T0, usual=10**8), **changes)  # a percent takes 10 s


def test_rate_and_estimate_sink_while_no_percent_comes_and_a_stall_has_no_end():
    copy = pace()
    copy.seen(10, at(0))
    copy.seen(11, at(10))
    assert copy.copied(at(12), nfc_errors=0).rate == 10**8
    late = copy.copied(at(30), nfc_errors=2)
    assert (late.rate, late.stalled, late.nfc_errors) == (5 * 10**7, None, 2)
    stalled = copy.copied(at(70), nfc_errors=0)
    assert (stalled.stalled, stalled.eta, stalled.since) == (60, None, at(10))
    assert stalled.good == 10**8


def test_progress_ends_a_stall():
    copy = pace()
    copy.seen(10, at(0))
    assert copy.stalled(at(100))
    copy.seen(11, at(101))
    assert copy.stalled(at(105)) is None


def test_a_percentage_that_is_only_repeated_moves_no_clock():
    copy = pace()
    copy.seen(10, at(0))
    copy.seen(10, at(90))
    assert copy.since == at(0)


class Tools:
    """As much of a worker's tools as is needed here: a link of which nothing is known, and no ledger."""

    links = None
    still_after = timedelta(seconds=20)

    class queue:  # noqa: N801 - a name of the tools
        @staticmethod
        async def recent(*, limit):
            return []


def job(copied: Copied | None, *, attached: float = 0) -> Job:
    steps = [Step(Phase.ATTACHED, at(attached), "w1", "")]
    data = with_copied(copied) if copied else {}
    return Job(
        id=JobId("abcdefgh"), kind="migrate", state=Phase.ATTACHED, vm_key="k", lane="l", requester="U1", channel="C1",
        fence=2, owner="w2", attempt=1, created=T0, updated=at(100), cancel_by="", data=data, steps=steps,
    )  # fmt: skip


async def test_whoever_takes_over_goes_on_with_the_same_clock():
    before = pace()
    before.seen(62, at(10))
    before.seen(63, at(20))
    kept = before.copied(at(200), nfc_errors=0)
    assert kept.stalled == 180
    after = await pace_of(Tools(), job(kept), plan_of())
    assert after.since == at(20)
    assert (after.usual, after.good, after.pace.percent) == (10**8, before.good, 63)
    after.seen(63, at(230))  # what vCenter says first to whoever asks anew
    assert after.stalled(at(240)) == timedelta(seconds=220)


@pytest.mark.parametrize("kept", [None, Copied(63, 1.0, None, 0), Copied(63, 1.0, None, 0, since=at(5))])
async def test_an_attempt_before_this_one_left_no_clock(kept):
    fresh = await pace_of(Tools(), job(kept, attached=50), plan_of())
    assert (fresh.since, fresh.pace.percent, fresh.usual) == (at(50), 0, None)


async def test_a_record_of_another_version_stops_no_copy():
    unreadable = replace(job(None, attached=50), data={"copied": '{"much": 1}'})
    assert (await pace_of(Tools(), unreadable, plan_of())).since == at(50)


def look(*connections: Connection, lost: int = 0, when: When = When.DURING) -> PathMeasurement:
    small = Pings(sent=20, received=20 - lost, size=84, whole=False)
    return PathMeasurement(T0, when, "site1~site2", "esx-11", "esx-21", PATH, small=small, connections=connections)


def connection(queue: int, state: str = "ESTABLISHED", host: str = "esx-11") -> Connection:
    return Connection(host, "10.1.0.11:51234", "10.2.0.21:902", state, queue, 0, "vpxa")


def keys(*looks: PathMeasurement, stalled: float | None = None) -> list[str]:
    for_so_long = timedelta(seconds=stalled) if stalled else None
    return [reply.key for reply in worth_saying("db01", looks, stalled=for_so_long)]


@pytest.mark.parametrize(
    ("looks", "stalled", "said"),
    [
        ([], 60, []),
        ([look(connection(0))], 60, []),
        ([look(connection(262_040))], None, []),  # ordinary while data flows
        ([look(connection(262_040))], 60, ["flow-stuck"]),
        ([look(connection(262_040)), look(connection(200_000))], None, ["flow-stuck"]),
        ([look(connection(0)), look(connection(200_000))], None, []),
        ([look(connection(262_040, host="esx-21"))], 60, []),  # of the other end
        ([look(connection(0, "SYN_SENT"))], None, ["flow-opening"]),
        ([look(lost=1)], 60, []),
        ([look(lost=1), look(lost=1)], None, ["flow-loss"]),
        ([look(lost=3)], None, ["flow-loss"]),
        ([look(lost=9, when=When.BEFORE)], 60, []),
        ([look(connection(9, "ESTABLISHED"), lost=4)], 60, ["flow-stuck", "flow-loss"]),
    ],
)
def test_what_is_worth_a_reply(looks, stalled, said):
    assert keys(*looks, stalled=stalled) == said


def test_the_words_have_counts_and_who_waits_for_whom():
    stuck, loss = worth_saying("db01", [look(connection(262_040), lost=4)], stalled=timedelta(minutes=4))
    assert "262,040 bytes wait at esx-11 to be acknowledged by 10.2.0.21:902" in stuck.text
    assert "no progress for 4 min" in stuck.text
    assert "4 of 20 lost, 20 %, 95 % CI" in loss.text


def test_a_job_keeps_its_first_looks_and_the_newest():
    kept = job(None)
    for number in range(20):
        one = replace(look(), at=at(number))
        kept = replace(kept, data={**kept.data, **with_measured(kept, one)})
    assert [round((one.at - T0).total_seconds()) for one in measured_of(kept)] == [0, 1, *range(10, 20)]
