"""Candidates come with two lines before and three after, once, in order, whoever reads on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.hostlog.candidates import LINES_AFTER, LINES_BEFORE, Sieve, Vicinity
from bot.hostlog.cursor import Line


def lines(pattern):
    """`!` is a candidate, anything else is not."""
    return [Line(number, text) for number, text in enumerate(pattern, 1)]


def sift(pattern):
    return "".join(str(line.number % 10) for line in Sieve(is_candidate).take(lines(pattern)))


def is_candidate(text):
    return text == "!"


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [
        ("........", ""),
        ("...!.....", "234567"),
        ("!........", "1234"),
        ("....!", "345"),
        ("...!.!...", "23456789"),
        ("!....!...", "123456789"),
        ("!!!", "123"),
    ],
)
def test_neighbours(pattern, kept):
    assert sift(pattern) == kept
    assert sift(pattern) == "".join(str(number) for number in range(1, len(pattern) + 1) if near(pattern, number))


def near(pattern, number):
    hits = [at for at, text in enumerate(pattern, 1) if text == "!"]
    return any(hit - LINES_BEFORE <= number <= hit + LINES_AFTER for hit in hits)


@given(pattern=st.text("!..", max_size=40), cuts=st.lists(st.integers(0, 40), max_size=4))
def test_it_does_not_matter_where_reading_is_interrupted(pattern, cuts):
    expected = [line for line in lines(pattern) if near(pattern, line.number)]
    found, vicinity, begin = [], Vicinity(), 0
    for cut in [*sorted(cuts), len(pattern)]:
        sieve = Sieve(is_candidate, Vicinity.from_json(vicinity.to_json()))
        found += sieve.take(lines(pattern)[begin:cut])
        vicinity, begin = sieve.vicinity, max(begin, cut)
    assert found == expected
