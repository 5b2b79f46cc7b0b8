"""Rate and ETA from percent over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.migration.eta import WEIGHT, Pace, in_words, time_for
from bot.migration.size import gib

T0 = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h 00 min"),
        (33_000, "9 h 10 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d 0 h"),
        (270_000, "3 d 3 h"),
    ],
)
def test_how_long_in_words(seconds, words):
    assert in_words(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize("rate", [None, 0.0, -1.0])
def test_how_long_a_copy_takes_is_only_known_with_a_rate(rate):
    assert time_for(1000, rate) is None
    assert time_for(1000, 10.0) == timedelta(seconds=100)


def test_no_rate_before_two_different_percents():
    pace = Pace(1000).seen(5, at(0)).seen(5, at(10))
    assert pace.rate is None
    assert pace.eta is None


def test_rate_eta_and_the_moving_average():
    pace = Pace(1000).seen(0, at(0)).seen(10, at(10))
    assert (pace.done, pace.rate, pace.eta) == (100, 10.0, 90.0)
    slower = pace.seen(11, at(20))
    assert slower.rate == pytest.approx(WEIGHT * 1 + (1 - WEIGHT) * 10)


def test_a_percent_that_goes_back_starts_anew_and_keeps_the_rate():
    pace = Pace(1000).seen(0, at(0)).seen(10, at(10)).seen(2, at(11))
    assert (pace.percent, pace.rate) == (2, 10.0)


def test_a_clock_that_stands_still_gives_no_infinite_rate():
    assert Pace(1000).seen(0, at(0)).seen(10, at(0)).rate is None


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 MiB"), (900 * 2**20, "900 MiB"), (3 * 2**29, "1.5 GiB"), (2**41, "2.00 TiB")]
)
def test_bytes_in_words(size, words):
    assert gib(size) == words
