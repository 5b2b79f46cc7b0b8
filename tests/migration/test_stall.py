"""When a copy is called slow or stalled: by the size of a percent and the rate, never by silence alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.migration.stall import LEAST, UNKNOWN, Stand

T0 = datetime(2026, 11, 23, 1, 40, tzinfo=UTC)
TB, MB = 10**12, 10**6
USUAL = 80 * MB  # of a 2 TB VM a percent takes 250 s


def stand(seconds: float, *, size: int = 2 * TB, rate: float | None = USUAL, usual: float | None = USUAL) -> Stand:
    return Stand(size, T0, T0 + timedelta(seconds=seconds), rate, usual)


@pytest.mark.parametrize(
    ("seconds", "stalled"),
    [(0, False), (249, False), (499, False), (501, True), (3600, True)],
)
def test_a_percent_of_two_terabytes_may_take_minutes(seconds, stalled):
    assert (stand(seconds).stalled() is not None) is stalled


def test_a_stall_tells_since_when_nothing_moved():
    assert stand(600).stalled() == timedelta(minutes=10)


def test_a_slow_copy_is_given_the_time_that_its_own_rate_asks_for():
    slow = 12 * MB  # a percent takes 28 min
    assert stand(3000, rate=slow).stalled() is None
    assert stand(3400, rate=slow).stalled() is not None


def test_of_a_small_vm_nothing_short_is_a_stall():
    assert stand(LEAST.total_seconds(), size=10**9).stalled() is None
    assert stand(LEAST.total_seconds() + 1, size=10**9).stalled() is not None
    assert stand(3, size=10**9).stalled(least=timedelta(seconds=2)) is not None


def test_before_a_rate_is_measured_the_usual_one_counts_and_without_one_patience():
    assert stand(501, rate=None).stalled() is not None
    assert stand(501, rate=None, usual=None, size=50_000 * TB).stalled() is not None
    assert stand(UNKNOWN.total_seconds(), rate=None, usual=None).stalled() is None


def test_nothing_to_copy_never_stalls():
    assert stand(10**6, size=0).stalled() is None


def test_the_rate_sinks_before_another_percent_is_seen():
    assert stand(100).rate_now == USUAL
    assert stand(1000).rate_now == 20 * MB
    assert stand(100, rate=None).rate_now is None
    assert stand(-5).rate_now == USUAL  # the clock was set back


@pytest.mark.parametrize(("seconds", "slow"), [(700, False), (800, True)])
def test_slow_is_less_than_a_third_of_the_usual(seconds, slow):
    assert stand(seconds).slow is slow


def test_slow_needs_something_to_compare():
    assert not stand(10**6, usual=None).slow
    assert not stand(10**6, rate=None).slow
