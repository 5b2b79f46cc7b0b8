"""Numbers as people read them."""

from __future__ import annotations

import pytest

from bot.slack.figures import bar, eta, rate


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""),
        (-1, ""),
        (float("nan"), ""),
        (0, "less than a minute"),
        (59, "less than a minute"),
        (60, "about 1 min"),
        (250, "about 4 min"),
        (3599, "about 1 h"),
        (3600, "about 1 h"),
        (5000, "about 1 h 23 min"),
        (86_399, "about 24 h"),
        (86_400, "about 1 d"),
        (180_000, "about 2 d 2 h"),
    ],
)
def test_eta(seconds, said):
    assert eta(seconds) == said


@pytest.mark.parametrize(
    ("bytes_per_second", "said"),
    [
        (None, ""),
        (-1, ""),
        (0, "0.0 Mbit/s"),
        (1_000_000, "8.0 Mbit/s"),
        (22_500_000, "180 Mbit/s"),
        (1.25e9, "10000 Mbit/s"),
    ],
)
def test_rate(bytes_per_second, said):
    assert rate(bytes_per_second) == said


@pytest.mark.parametrize(("percent", "full"), [(-1, 0), (0, 0), (4, 0), (5, 1), (99, 19), (100, 20), (300, 20)])
def test_the_bar_is_full_only_at_the_end(percent, full):
    assert bar(percent).count("█") == full
    assert len(bar(percent).split(" ")[0]) == 20
