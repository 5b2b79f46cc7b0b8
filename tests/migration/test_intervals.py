"""What counts of losses say: figures from textbooks, and what must hold for every count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.migration.intervals import exceeds, excluded_above, in_words, interval


@st.composite
def counts(draw, least=1):
    of = draw(st.integers(least, 500))
    return draw(st.integers(0, of)), of


@pytest.mark.parametrize(
    ("lost", "sent", "words"),
    [
        (12, 200, "12 of 200 lost, 6 %, 95 % CI 3.5 to 10 %"),
        (0, 200, "0 of 200 lost, which excludes more than 1.5 %"),
        (0, 20, "0 of 20 lost, which excludes more than 14 %"),
        (1, 200, "1 of 200 lost, 0.5 %, 95 % CI 0.088 to 2.8 %"),
        (200, 200, "200 of 200 lost, 100 %, 95 % CI 98 to 100 %"),
        (0, 0, "none sent"),
    ],
)
def test_counts_come_with_what_they_can_be_taken_for(lost, sent, words):
    assert in_words(lost, sent) == words


def test_the_figures_are_those_of_the_textbooks():
    wilson = interval(15, 148)  # Newcombe 1998, table I, method 3
    assert (round(wilson.low, 4), round(wilson.high, 4)) == (0.0624, 0.1605)
    assert round(excluded_above(100), 4) == 0.0295  # Hanley and Lippman-Hand 1983: about 3 / n


@given(counts(least=0))
def test_an_interval_contains_what_was_seen_and_stays_within_nothing_and_all(count):
    lost, of = count
    bounds = interval(lost, of)
    assert 0 <= bounds.low <= bounds.high <= 1
    assert of == 0 or lost / of in bounds


@given(counts())
def test_more_losses_move_both_bounds_up_and_more_packets_draw_them_together(count):
    lost, of = count
    bounds = interval(lost, of)
    if lost < of:
        more = interval(lost + 1, of)
        assert more.low >= bounds.low
        assert more.high >= bounds.high
    surer = interval(lost * 4, of * 4)
    assert surer.high - surer.low <= bounds.high - bounds.low
    assert excluded_above(of * 4) < excluded_above(of)


@pytest.mark.parametrize("count", [(-1, 5), (6, 5), (0, -1)])
def test_what_is_no_count_is_refused(count):
    with pytest.raises(ValueError, match="no count"):
        interval(*count)


@pytest.mark.parametrize(
    ("lost", "sent", "bound", "surely"),
    [(0, 20, 0.0, False), (1, 20, 0.001, False), (1, 20, 0.0, False), (2, 20, 0.001, True), (2, 2000, 0.001, False)],
)
def test_a_bound_is_exceeded_by_more_than_one_packet(lost, sent, bound, surely):
    assert exceeds(lost, sent, bound) is surely
