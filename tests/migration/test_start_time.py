"""What can be written after `--at`, when that is, and what each mistake is told."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.migration.calendar import in_words
from bot.migration.start_time import ClockTime, NextWindow, find_zone, goes_on, read_start

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)  # a Monday, 20:00 in Berlin
TEN = time(22, 0)


@pytest.mark.parametrize(
    ("text", "start", "berlin"),
    [
        ("22:00", ClockTime(TEN), "2026-11-23 22:00"),
        ("19:59", ClockTime(time(19, 59)), "2026-11-24 19:59"),
        ("20:00", ClockTime(time(20, 0)), "2026-11-23 20:00"),  # this very minute
        ("6:05", ClockTime(time(6, 5)), "2026-11-24 06:05"),
        ("2026-11-24 22:00", ClockTime(TEN, day=date(2026, 11, 24)), "2026-11-24 22:00"),
        ("2026-11-24T22:00", ClockTime(TEN, day=date(2026, 11, 24)), "2026-11-24 22:00"),
        ("2026\u201111\u201124 22:00", ClockTime(TEN, day=date(2026, 11, 24)), "2026-11-24 22:00"),
        ("Sat 20:00", ClockTime(time(20, 0), weekday=5), "2026-11-28 20:00"),
        ("saturday, 20:00", ClockTime(time(20, 0), weekday=5), "2026-11-28 20:00"),
        ("Mon 19:00", ClockTime(time(19, 0), weekday=0), "2026-11-30 19:00"),
        ("mon 22:00", ClockTime(TEN, weekday=0), "2026-11-23 22:00"),
        ("tomorrow 22:00", ClockTime(TEN, ahead=1), "2026-11-24 22:00"),
        ("Today 22:00", ClockTime(TEN, ahead=0), "2026-11-23 22:00"),
        ("22:00 Europe/Berlin", ClockTime(TEN, zone="Europe/Berlin"), "2026-11-23 22:00"),
        ("22:00 europe/berlin", ClockTime(TEN, zone="Europe/Berlin"), "2026-11-23 22:00"),
        ("22:00 UTC", ClockTime(TEN, zone="UTC"), "2026-11-23 23:00"),
        ("22:00 America/New_York", ClockTime(TEN, zone="America/New_York"), "2026-11-24 04:00"),
        (
            "Sat 2026-11-28 20:00 Europe/Berlin",
            ClockTime(time(20, 0), day=date(2026, 11, 28), zone="Europe/Berlin"),
            "2026-11-28 20:00",
        ),
    ],
)
def test_what_is_understood(text, start, berlin):
    assert read_start(text) == start
    assert start.moment(NOW, BERLIN).astimezone(BERLIN) == datetime.fromisoformat(berlin).replace(tzinfo=BERLIN)


@pytest.mark.parametrize("text", ["window", " Window "])
def test_the_next_window(text):
    assert read_start(text) == NextWindow()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("soon", "'soon' is no time to start at"),
        ("", "'' is no time"),
        ("25:00", "is no time"),
        ("22:60", "is no time"),
        ("10pm", "is no time"),
        ("22", "is no time"),
        ("Sa 20:00", "is no time"),
        ("next Sat 20:00", "is no time"),
        ("22:00 Europe/Berlin please", "is no time"),
        ("2026-02-30 22:00", "There is no day 2026-02-30"),
        ("9999-12-31 22:00", "not within 90 days"),
        ("Sun 2026-11-28 20:00", "2026-11-28 is a Saturday"),
        ("10:00 pm", "no time zone 'pm'"),
        ("22:00 Berlin", "no time zone 'Berlin'. Did you mean Europe/Berlin?"),
        ("22:00 Europe/Berlni", "Did you mean Europe/Berlin?"),
        ("22:00 ../../etc/passwd", "no time zone '../../etc/passwd'"),
    ],
)
def test_mistakes_get_a_sentence_and_an_example(text, said):
    with pytest.raises(UserError) as error:
        read_start(text)
    assert said in str(error.value)
    assert "--at" in error.value.example


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "2026-11-23 19:00",
            "Mon 2026-11-23 19:00 Europe/Berlin is past: it is Mon 2026-11-23 20:00 Europe/Berlin now",
        ),
        ("today 19:00", "is past"),
        ("2027-02-23 22:00", "more than 90 days ahead"),
        ("1970-01-01 00:00 Asia/Tokyo", "is past"),
        ("9000-12-31 23:59 America/New_York", "more than 90 days"),
    ],
)
def test_a_time_that_is_past_or_far_away_is_refused(text, said):
    with pytest.raises(UserError, match=said) as error:
        read_start(text).moment(NOW, BERLIN)
    assert "--at" in error.value.example


@pytest.mark.parametrize(
    ("text", "word", "belongs"),
    [
        ("Sat", "20:00", True),
        ("Sat", "2026-11-28", True),
        ("2026-11-24", "22:00", True),
        ("22:00", "Europe/Berlin", True),
        ("22:00", "utc", True),
        ("22:00", "Web/report01", False),
        ("22:00", "site2", False),
        ("22:00", "Japan", False),  # a VM's name as likely as a zone's
        ("22:00", "23:00", False),
        ("Sat", "web01", False),
        ("window", "web01", False),
    ],
)
def test_which_words_belong_to_it_without_quotes(text, word, belongs):
    assert goes_on(text, word) is belongs


def test_zones_in_any_capitals():
    assert find_zone("EUROPE/berlin") == "Europe/Berlin"


@given(st.text(max_size=60) | st.text(alphabet="0123456789:-/ TSatmonUTCberlin", max_size=30))
def test_no_text_crashes_it(text):
    with suppress(UserError):
        found = read_start(text)
        assert isinstance(found, NextWindow) or found.moment(NOW, BERLIN) <= NOW + timedelta(days=90)


@given(st.integers(1, 89 * 24 * 60), st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"]))
def test_what_is_said_can_be_typed_back(minutes, zone):
    moment = NOW + timedelta(minutes=minutes)
    assert read_start(in_words(moment, ZoneInfo(zone))).moment(NOW, UTC) == moment
