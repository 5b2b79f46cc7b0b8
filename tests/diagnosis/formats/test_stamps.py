"""Any stamp gives an aware UTC time or none; a missing year is found by what the file tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.diagnosis.formats import HeaderReader, load_formats
from bot.diagnosis.severity import Severity, severity_of
from bot.diagnosis.stamps import Wall, Years, read_moment, read_timestamp, read_wall

FORMATS = load_formats()
OLD = "[2012-03-14 16:31:45.288 1C69CB90 warning 'Libs' opID=C65743A5-0000024D-5c] [NFC ERROR] x"
KERNEL = "{} host vmkernel: 2:16:49:12.573 cpu3:4099)ScsiDeviceIO: 1672: x"


def moment(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("stamp", "read", "assumed"),
    [
        ("2012-03-14 16:31:45.288", "2012-03-14T16:31:45.288000+00:00", True),
        ("2017-04-20T19:43:25.1479", "2017-04-20T19:43:25.147900+00:00", True),
        ("2020-07-20T12:28:41.805123456Z", "2020-07-20T12:28:41.805123+00:00", False),
        ("2013-01-16 02:26:25,500", "2013-01-16T02:26:25.500000+00:00", True),
        ("2014-11-04T15:53:31.075+05:30", "2014-11-04T10:23:31.075000+00:00", False),
        ("2024-04-08T20:26:46.680-0700", "2024-04-09T03:26:46.680000+00:00", False),
        ("2020/03/05 10:00:00", "2020-03-05T10:00:00+00:00", True),
        ("08.04.2020 8:26:46.680", "2020-04-08T08:26:46.680000+00:00", True),
        ("29-09-2025T01:32:58.913Z", "2025-09-29T01:32:58.913000+00:00", False),
        ("13-05-24 13:03:26", "2024-05-13T13:03:26+00:00", True),
        ("1595248121.805", "2020-07-20T12:28:41.805000+00:00", False),
        ("2016-12-31T23:59:60.500Z", "2017-01-01T00:00:00+00:00", False),
        ("2016-12-31T24:00:00Z", "2017-01-01T00:00:00+00:00", False),
        ("2016-12-31T19:59:60-05:00", "2017-01-01T01:00:00+00:00", False),
    ],
)
def test_stamps_as_they_are_written(stamp, read, assumed):
    got, was_assumed = read_moment(stamp)
    assert (got.isoformat(), was_assumed) == (read, assumed)


@pytest.mark.parametrize(
    "stamp",
    [
        *("", "now", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"),
        *("2020-01-01T00:00:00+99:99", "2020-02-30T00:00:00Z", "2020-01-01T24:00:01Z", "2020-01-01T00:61:00Z"),
        *("9999-12-31T24:00:00Z", "99999999999999", "31.02.2020 1:00:00", "٢٠٢٠-01-01T00:00:00Z", "13-13-24 13:03:26"),
    ],
)
def test_what_is_no_time_is_none(stamp):
    assert read_moment(stamp) == (None, False)


@given(st.text(max_size=40))
def test_no_stamp_raises(text):
    assert read_timestamp(text) is None or read_timestamp(text).tzinfo is UTC
    read_wall(text)


@pytest.mark.parametrize(
    "zone", [timezone(timedelta(hours=-6)), ZoneInfo("America/Chicago"), timezone(timedelta(hours=5, minutes=30))]
)
def test_a_zone_may_be_given_for_stamps_that_have_none(zone):
    reader = HeaderReader(FORMATS, zone=zone)
    naive = datetime(2012, 3, 14, 16, 31, 45, 288000, tzinfo=zone)
    assert (reader.read(OLD).timestamp, reader.read(OLD).zone_assumed) == (naive.astimezone(UTC), True)
    kernel = reader.read(KERNEL.format("Mar 14 16:31:45"), Years(moment("2012-06-01")))
    assert kernel.timestamp == naive.replace(microsecond=0).astimezone(UTC)
    told = reader.read("2012-03-14T16:31:45.288Z cpu3:4099)x: y")
    assert (told.timestamp, told.zone_assumed) == (moment("2012-03-14T16:31:45.288"), False)


def test_a_time_that_the_clock_skipped_or_repeated_is_read():
    zone = ZoneInfo("Europe/Berlin")
    assert read_timestamp("2012-03-25 02:30:00", zone) == moment("2012-03-25T01:30:00")
    assert read_timestamp("2012-10-28 02:30:00", zone) == moment("2012-10-28T00:30:00")


class TestWall:
    @pytest.mark.parametrize(
        ("text", "wall"),
        [
            ("Apr 7 17:39:16", Wall(4, 7, 17, 39, 16)),
            ("Apr  7 17:39:16", Wall(4, 7, 17, 39, 16)),
            ("Jun 28 23:40:56.313", Wall(6, 28, 23, 40, 56, 313000)),
            ("0720 12:28:41.805123", Wall(7, 20, 12, 28, 41, 805123)),
            ("Jun 30 23:59:60", Wall(6, 30, 23, 59, 60)),
            ("Feb 29 00:00:00", Wall(2, 29, 0, 0, 0)),
        ],
    )
    def test_stamps_without_a_year(self, text, wall):
        assert read_wall(text) == wall

    @pytest.mark.parametrize("text", ["", "Foo 7 17:39:16", "Apr 31 17:39:16", "Apr 7 24:39:16", "1320 12:28:41.8"])
    def test_what_is_none(self, text):
        assert read_wall(text) is None

    def test_a_leap_second_is_the_next_one(self):
        assert Wall(6, 30, 23, 59, 60).in_year(2012) == moment("2012-07-01T00:00:00")

    @pytest.mark.parametrize("year", [0, 10000, 2011])
    def test_a_year_without_that_day(self, year):
        assert Wall(2, 29, 0, 0, 0).in_year(year) is None


class TestYears:
    APRIL = Wall(4, 7, 17, 39, 16)
    DECEMBER = Wall(12, 31, 23, 59, 59)
    JANUARY = Wall(1, 1, 0, 0, 1)

    def test_nothing_tells_the_year(self):
        assert Years().resolve(self.APRIL) is None

    @pytest.mark.parametrize(
        ("modified", "wall", "year"),
        [
            ("2012-04-08", APRIL, 2012),
            ("2012-04-07T10:00:00", APRIL, 2012),  # clocks differ, zones are unknown
            ("2012-04-05", APRIL, 2011),
            ("2013-01-02", DECEMBER, 2012),
            ("2012-12-30T23:00:00", JANUARY, 2012),
            ("2012-12-31T23:59:59", Wall(1, 1, 0, 0, 30), 2013),
            ("2014-05-01", Wall(2, 29, 1, 2, 3), 2012),
        ],
    )
    def test_a_line_is_not_younger_than_its_file(self, modified, wall, year):
        found = Years(moment(modified)).resolve(wall)
        assert (found.year, found.month, found.day) == (year, wall.month, wall.day)

    def test_a_dated_neighbour_tells_the_year_whatever_the_file_says(self):
        years = Years(moment("2026-01-01"))
        years.saw(moment("2012-04-07T17:33:20"))
        assert years.resolve(self.APRIL).year == 2012

    def test_a_log_runs_over_new_year(self):
        years = Years()
        years.saw(moment("2011-12-30T12:00:00"))
        assert [years.resolve(wall).year for wall in (self.DECEMBER, self.JANUARY, self.DECEMBER)] == [2011, 2012, 2011]

    def test_a_quiet_log_with_months_between_its_lines(self):
        years = Years()
        years.saw(moment("2011-03-01"))
        walls = [Wall(month, 20, 0, 0, 0) for month in (9, 12, 6)]
        assert [years.resolve(wall).year for wall in walls] == [2011, 2011, 2012]

    def test_what_comes_after_the_end_of_the_file_was_a_year_before(self):
        years = Years(moment("2012-02-01"))
        years.saw(moment("2012-01-30"))
        assert years.resolve(Wall(12, 1, 0, 0, 0)).year == 2011

    def test_a_leap_day_that_no_year_nearby_has(self):
        years = Years()
        years.saw(moment("2013-01-01"))
        assert years.resolve(Wall(2, 29, 0, 0, 0)) is None

    @pytest.mark.parametrize("end", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)])
    def test_the_ends_of_time(self, end):
        years = Years(end if end.year == 1 else None)
        years.saw(end)
        years.resolve(self.APRIL)

    def test_a_reader_finds_years_by_what_it_reads(self):
        reader, years = HeaderReader(FORMATS), Years()
        kernel = KERNEL.format("Apr 7 17:39:16")
        first = reader.read(kernel, years)
        assert (first.timestamp, first.wall) == (None, self.APRIL)
        reader.read("Apr 7 17:39:16 esx Hostd: [2012-04-07 17:39:16.938 FFCFEE80 warning 'x'] y", years)
        assert reader.read(kernel, years).timestamp == moment("2012-04-07T17:39:16")
        assert reader.read(kernel).timestamp is None

    @given(st.datetimes(datetime(1990, 1, 1), datetime(2050, 1, 1)), st.integers(0, 300), st.integers(0, 10**7))  # noqa: DTZ001 - bounds
    def test_lines_up_to_ten_months_apart_keep_their_years(self, start, days, seconds):
        start = start.replace(tzinfo=UTC, microsecond=0)
        later = start + timedelta(days=days, seconds=seconds % 86400)
        years = Years(later)
        years.saw(start)
        wall = Wall(later.month, later.day, later.hour, later.minute, later.second)
        assert years.resolve(wall) == later


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        *((word, Severity.ERROR) for word in ("error", "Er", "E", "ALERT", "panic", "163", "FATAL", "Cr", "dpanic")),
        *((word, Severity.WARNING) for word in ("warning", "Wa", "W", "WARN", "180")),
        *((word, Severity.INFO) for word in ("info", "In", "I", "No", "14", "notice")),
        *((word, Severity.DEBUG) for word in ("verbose", "trivia", "Db", "V", "167", "trace")),
        *((word, None) for word in (None, "", "loud", "192", "999", "٣", "1" * 5000)),
    ],
)
def test_words_for_how_bad_it_is_come_down_to_four(word, severity):
    assert severity_of(word) is severity
