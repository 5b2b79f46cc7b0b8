"""What many looks at a link come to, and when that is clean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.migration.link_loss import MOST_PACKETS, Loss, is_clean, packets_for, pooled, stretches
from bot.migration.measured import LinkSample, SampleKind

T = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def probe(minutes, sent=200, lost=0, kind=SampleKind.PROBE):
    return LinkSample(T + timedelta(minutes=minutes), "a~b", kind, "h1", "h2", sent=sent, lost=lost)


def test_packets_of_all_looks_are_counted_together_and_copies_are_no_looks():
    loss = pooled([probe(0, lost=12), probe(1), probe(2, sent=99, lost=99, kind=SampleKind.COPY)])
    assert loss == Loss(400, 12)
    assert loss.share == 0.03
    assert loss.words.startswith("12 of 400 lost, 3 %, 95 % CI")
    assert not pooled([])
    assert pooled([]).share == 0
    assert pooled([]).words == "none sent"
    assert pooled([probe(0, sent=3, lost=5)]) == Loss(3, 3)


def test_time_is_cut_into_equal_stretches_and_those_without_a_look_are_left_out():
    samples = [probe(0, lost=1), probe(1), probe(35), probe(60), probe(61), probe(-1)]
    found = stretches(samples, since=T, until=T + timedelta(hours=1), most=6)
    assert [(one.middle, one.loss) for one in found] == [
        (T + timedelta(minutes=5), Loss(400, 1)),
        (T + timedelta(minutes=35), Loss(200, 0)),
        (T + timedelta(minutes=55), Loss(200, 0)),
    ]
    assert stretches(samples, since=T, until=T, most=6) == []
    assert stretches([probe(0, sent=0)], since=T, until=T + timedelta(hours=1), most=6) == []


@pytest.mark.parametrize(
    ("bound", "packets"), [(0.001, 2995), (0.01, 299), (0.5, 5), (1, 1), (0.0001, MOST_PACKETS), (0, MOST_PACKETS)]
)
def test_how_many_packets_a_bound_asks_for(bound, packets):
    assert packets_for(bound) == packets
    assert is_clean(Loss(packets, 0), bound)
    assert packets == 1 or not is_clean(Loss(packets - 1, 0), bound)


@pytest.mark.parametrize(
    ("sent", "lost", "clean"),
    [
        (0, 0, False),
        (2994, 0, False),
        (2994, 1, False),  # less than the bound by what was seen, but too few to be told from more
        (2995, 2, True),
        (2995, 3, False),
        (100_000, 60, True),
        (100_000, 101, False),
    ],
)
def test_clean_is_what_is_surely_below_the_bound_or_below_it_in_enough_packets(sent, lost, clean):
    assert is_clean(Loss(sent, lost), 0.001) is clean
