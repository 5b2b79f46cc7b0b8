"""The picture of a link: readable at the width of a message, whatever was measured and however it is called."""

from __future__ import annotations

import struct
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from bot.migration.measured import LinkSample, SampleKind
from bot.slack.loss_chart import loss_chart

NIGHT = datetime(2026, 11, 23, 1, 42, tzinfo=UTC)


def probe(hours, sent=200, lost=0):
    at = NIGHT - timedelta(hours=hours)
    return LinkSample(at, "a~b", SampleKind.PROBE, "h1", "h2", sent=sent, lost=lost)


def copy(hours, rate):
    return LinkSample(NIGHT - timedelta(hours=hours), "a~b", SampleKind.COPY, "h1", "h2", rate=rate)


def size(picture):
    assert picture.startswith(b"\x89PNG\r\n")
    return struct.unpack(">II", picture[16:24])


def drawn(samples, link="site1~site2", hours=24.0, bound=0.001):
    return loss_chart(samples, link=link, since=NIGHT - timedelta(hours=hours), until=NIGHT, bound=bound)


@pytest.mark.parametrize(
    "samples",
    [
        [],
        [probe(1)],
        [probe(1, sent=1, lost=1), copy(1, 1e-3)],
        [copy(2, 1e12), copy(2, None)],
        [*(probe(hour / 60, lost=hour % 7) for hour in range(1440)), copy(3, 2e7)],
        [probe(30, lost=9), copy(30, 1e7)],
    ],
)
def test_every_history_has_a_picture_of_one_size(samples):
    assert size(drawn(samples)) == (1600, 920)


@pytest.mark.parametrize("link", ["$x^2$ and $\\frac{broken", "日本語 \U000e0041", "\x1b[2J\0", "x" * 500, "\ud800"])
def test_a_name_is_drawn_letter_by_letter(link):
    assert size(drawn([probe(1)], link=link)) == (1600, 920)


@pytest.mark.parametrize("hours", [0, 0.2, 1, 7, 24, 100, 720, 9000])
@pytest.mark.parametrize("bound", [None, 0.0, 0.5])
def test_every_span_and_bound(hours, bound):
    assert size(drawn([probe(hours / 2, lost=1), copy(hours / 3, 1e7)], hours=hours, bound=bound)) == (1600, 920)


def test_what_was_lost_shows():
    clean, lossy = [probe(hour) for hour in range(24)], [probe(hour, lost=8) for hour in range(24)]
    assert drawn(clean) != drawn(lossy)
    assert drawn(clean) == drawn(clean), "the same history, the same picture"
    assert drawn(clean) != drawn([*clean, copy(3, 1e7)])


def test_matplotlib_is_loaded_by_the_first_picture():
    code = "import sys, bot.slack.loss_chart\nassert 'matplotlib' not in sys.modules\n"
    subprocess.run([sys.executable, "-c", code], check=True)
