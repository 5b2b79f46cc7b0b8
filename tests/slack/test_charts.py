"""The picture of a timeline: readable at the width of a message, whatever stands in it."""

from __future__ import annotations

import struct
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.diagnosis.causes import Role
from bot.diagnosis.report.timeline import Lane, Mark, Scale, Tick, Timeline
from bot.slack.charts import timeline_png

NIGHT = datetime(2023, 8, 8, 1, 42, tzinfo=UTC)
TEXTS = (
    "$x^2$ and $\\frac{broken",
    "日本語 العربية 🔥 \U000e0041",
    "\x1b[2J \u202egnp.exe \n new line \t tab \0",
    "x" * 5000,
    "",
    "<!channel> & <b>",
    "\ud800 lone",
)


def timeline(*texts, lanes=1, marks=1, roles=tuple(Role)):
    def mark(number):
        role = roles[number % len(roles)]
        text = texts[number % len(texts)]
        return Mark(
            at=number / max(marks - 1, 1),
            level=number % 6,
            role=role,
            file=text,
            line=number + 1,
            text=text,
            moment=NIGHT + timedelta(seconds=number),
            incident=0,
        )

    return Timeline(
        title=texts[0],
        subtitle=texts[0],
        incidents=1,
        scale=Scale.TIME,
        first=NIGHT,
        last=NIGHT + timedelta(minutes=1),
        ticks=(Tick(0.0, texts[0]), Tick(0.5, "01:42:30"), Tick(1.0, "01:43:00")),
        lanes=tuple(
            Lane(title=texts[0], host=texts[0] or None, remark=texts[0], marks=tuple(map(mark, range(marks))))
            for _ in range(lanes)
        ),
        notes=("All times are UTC.", texts[0]),
    )


def size(png):
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", png[16:24])


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_no_text_breaks_it_or_makes_it_wider(text):
    assert size(timeline_png(timeline(text, marks=8)))[0] == 1600


def test_it_grows_with_its_lanes_and_stays_bounded():
    small, large, huge = (size(timeline_png(timeline("a", lanes=lanes)))[1] for lanes in (1, 6, 80))
    assert small < large < huge <= 3200
    assert small > 400


def test_an_empty_one_is_a_picture_too():
    assert size(timeline_png(replace(timeline("nothing"), lanes=(), ticks=())))[0] == 1600


def test_it_says_what_it_shows():
    plain = timeline_png(timeline("a", marks=4))
    assert timeline_png(timeline("b", marks=4)) != plain, "words are drawn"
    assert timeline_png(timeline("a", marks=4, roles=(Role.CONTEXT,))) != plain, "roles look different"
    assert timeline_png(timeline("a", marks=4)) == plain, "and the same is the same"


def test_threads_may_draw_at_once():
    pictures = []
    threads = [threading.Thread(target=lambda: pictures.append(timeline_png(timeline("a", marks=4)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(pictures) == 4
    assert len(set(pictures)) == 1


def test_it_loads_matplotlib_late_and_without_pyplot():
    probe = (
        "import sys\nimport bot.slack.charts as charts\nassert 'matplotlib' not in sys.modules\n"
        "from bot.diagnosis.report.timeline import timeline_of\nfrom bot.diagnosis.verdict import Report, Stats\n"
        "charts.timeline_png(timeline_of(Report(stats=Stats())))\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
