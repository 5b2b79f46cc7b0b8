# ruff: noqa: DTZ001 - what clocks on walls show has no zone
"""When a copy may start: windows over midnight and over clock changes, freezes, and several of them together."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import settings_forms
from bot.migration.calendar import Calendar, Closed, Freeze, Open, Window, in_words, moment_of

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)
NIGHTS = "Mon-Fri 20:00-06:00 Europe/Berlin"
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns"]
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def at(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def calendar(**windows: str | list[str]) -> Calendar:
    listed = {site: [found] if isinstance(found, str) else found for site, found in windows.items()}
    return Calendar({site: [Window.read(text) for text in texts] for site, texts in listed.items()}, zone=BERLIN)


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2026-11-23 19:59", Closed),
        ("2026-11-23 20:00", Open),
        ("2026-11-24 05:59", Open),  # of Monday's night
        ("2026-11-24 06:00", Closed),
        ("2026-11-28 05:59", Open),  # Saturday, of Friday's night
        ("2026-11-28 20:00", Closed),
        ("2026-11-23 05:59", Closed),  # Monday, but of Sunday's night
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_on_which_it_opens(now, opening):
    assert isinstance(calendar(site2=NIGHTS).opening(["site2"], at(now)), opening)


def test_both_answers_say_until_when():
    nights = calendar(site2=NIGHTS)
    assert nights.opening(["site2"], at("2026-11-23 22:00")) == Open(at("2026-11-24 06:00"))
    closed = nights.opening(["site2"], at("2026-11-28 07:00"))
    assert closed.until == at("2026-11-30 20:00")
    assert closed.why == "The window of site2 is closed until Mon 2026-11-30 20:00 Europe/Berlin."
    assert closed.keys == ("sites.site2.windows",)


def test_a_site_without_windows_is_open_for_ever():
    assert calendar(site2=NIGHTS).opening(["site1", None], at("2026-11-28 07:00")) == Open(None)
    assert calendar(site2="Mon-Sun 00:00-24:00 UTC").opening(["site2"], at("2026-11-28 07:00")) == Open(None)


def test_windows_that_meet_are_one():
    both = calendar(site2=[NIGHTS, "Sat 06:00-12:00 Europe/Berlin"])
    assert both.opening(["site2"], at("2026-11-27 23:00")) == Open(at("2026-11-28 12:00"))


def test_source_and_target_must_both_be_open():
    two = calendar(site1="Mon-Fri 20:00-22:00 UTC", site2="Wed-Sun 21:00-23:00 UTC")
    found = two.opening(["site1", "site2"], at("2026-11-23 20:30", "UTC"))
    assert isinstance(found, Closed)
    assert found.until == at("2026-11-25 21:00", "UTC")
    assert found.why.startswith("The window of site2 is closed")
    found = two.opening(["site1", "site2"], at("2026-11-23 12:00", "UTC"))
    assert found.why == (
        "The window of site1 is closed until Mon 2026-11-23 20:00 UTC. "
        "The window of site2 is closed until Wed 2026-11-25 21:00 UTC. "
        "It can start Wed 2026-11-25 22:00 Europe/Berlin."
    )
    assert two.opening(["site1", "site2"], at("2026-11-25 21:30", "UTC")) == Open(at("2026-11-25 22:00", "UTC"))


def test_windows_that_never_meet_are_said_to():
    two = calendar(site1="Mon 20:00-22:00 UTC", site2="Mon 22:00-23:00 UTC")
    for now in ("2026-11-23 20:30", "2026-11-23 22:30", "2026-11-24 12:00"):
        found = two.opening(["site1", "site2"], at(now, "UTC"))
        assert isinstance(found, Closed)
        assert found.until is None
        assert found.why.endswith("site1 and site2 are never open at the same time.")
        assert found.keys


# ---- freezes

YEAR_END = Freeze(
    datetime(2026, 12, 20, tzinfo=BERLIN), datetime(2027, 1, 5, tzinfo=BERLIN), frozenset({"*"}), "year-end closing"
)


def test_a_freeze_closes_a_site_that_is_always_open():
    frozen = Calendar(freezes=[YEAR_END])
    assert frozen.opening(["site2"], at("2026-12-01 10:00")) == Open(at("2026-12-20 00:00"))
    found = frozen.opening(["site1", "site2"], at("2026-12-24 10:00"))
    assert found.until == at("2027-01-05 00:00")
    assert found.frozen
    assert found.why == "site1 and site2 are frozen until Tue 2027-01-05 00:00 Europe/Berlin: year-end closing."
    assert found.keys == ("[[freezes]]",)
    assert frozen.opening(["site2"], at("2027-01-05 00:00")) == Open(None)


def test_a_freeze_of_another_site_is_nobodys_concern():
    other = Calendar(freezes=[Freeze(YEAR_END.start, YEAR_END.end, frozenset({"site3"}), "x")])
    assert other.opening(["site1", "site2"], at("2026-12-24 10:00")) == Open(None)


def test_after_a_freeze_the_window_is_waited_for_and_the_other_way_round():
    over_at_noon = replace(YEAR_END, end=YEAR_END.end + timedelta(hours=12))
    both = Calendar(calendar(site2=NIGHTS).windows, [over_at_noon], BERLIN)
    found = both.opening(["site2"], at("2026-12-24 10:00"))
    assert found.until == at("2027-01-05 20:00")
    assert found.why == (
        "The window of site2 is closed until Thu 2026-12-24 20:00 Europe/Berlin. "
        "site2 is frozen until Tue 2027-01-05 12:00 Europe/Berlin: year-end closing. "
        "It can start Tue 2027-01-05 20:00 Europe/Berlin."
    )
    late = Freeze(datetime(2026, 11, 23, 18, tzinfo=BERLIN), datetime(2026, 11, 25, tzinfo=BERLIN), YEAR_END.sites, "x")
    found = Calendar(both.windows, [late], BERLIN).opening(["site2"], at("2026-11-23 12:00"))
    assert found.until == at("2026-11-25 00:00")
    assert "frozen from Mon 2026-11-23 18:00 Europe/Berlin until Wed 2026-11-25 00:00" in found.why


# ---- clock changes


def test_a_time_that_is_skipped_is_the_moment_of_the_change():
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert moment_of(datetime(2026, 3, 29, 2, 30), BERLIN) == change
    assert moment_of(datetime(2026, 3, 29, 3, 0), BERLIN) == change
    early = calendar(site2="Sun 02:15-04:00 Europe/Berlin")
    assert early.opening(["site2"], change - MINUTE).until == change
    assert early.opening(["site2"], change) == Open(at("2026-03-29 04:00"))


def test_a_window_that_the_change_swallows_waits_a_week():
    swallowed = calendar(site2="Sun 02:15-02:45 Europe/Berlin")
    assert swallowed.opening(["site2"], at("2026-03-28 12:00")).until == at("2026-04-05 02:15")


def test_a_time_that_comes_twice_is_the_first():
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert moment_of(datetime(2026, 10, 25, 2, 30), BERLIN) == first
    until = calendar(site2="Sat 20:00-02:30 Europe/Berlin").opening(["site2"], at("2026-10-24 22:00"))
    assert until == Open(first)


def test_a_day_that_an_island_skipped():
    apia = "Pacific/Apia"  # 30 December 2011 did not happen there
    skipped = calendar(site2=f"Fri 10:00-12:00 {apia}")
    assert skipped.opening(["site2"], at("2011-12-29 12:00", apia)).until == at("2012-01-06 10:00", apia)


def test_in_words_is_in_the_zone():
    assert in_words(at("2026-11-23 20:00"), ZoneInfo("America/New_York")) == "Mon 2026-11-23 14:00 America/New_York"
    assert calendar().in_words(at("2026-11-23 20:00")) == "Mon 2026-11-23 20:00 Europe/Berlin"


clocks = st.times(min_value=datetime.min.time()).map(lambda found: f"{found:%H:%M}")
windows = st.builds(
    lambda first, last, start, end, zone: f"{first}-{last} {start}-{end} {zone}",
    st.sampled_from(DAYS), st.sampled_from(DAYS), clocks, clocks, st.sampled_from(ZONES),
)  # fmt: skip
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)).map(
    lambda found: found.replace(second=0, microsecond=0)
)


def shows(text: str, moment: datetime) -> bool:
    """The same, told by what clocks show at this moment and nothing else: no arithmetic with zones."""
    days, hours, zone = text.split(" ")
    first, last = (DAYS.index(day) for day in days.split("-"))
    opens_on = {(first + n) % 7 for n in range((last - first) % 7 + 1)}
    start, end = hours.split("-")
    local = moment.astimezone(ZoneInfo(zone))
    shown, today, yesterday = f"{local:%H:%M}", local.weekday() in opens_on, (local.weekday() - 1) % 7 in opens_on
    if start < end:
        return today and start <= shown < end
    return (today and shown >= start) or (yesterday and shown < end)


def clocks_change_near(text: str, moment: datetime) -> bool:
    """Within a day: only then may a clock show a time twice, or never."""
    zone = ZoneInfo(text.rpartition(" ")[2])
    return len({(moment + timedelta(hours=h)).astimezone(zone).utcoffset() for h in range(-26, 27)}) > 1


@given(st.from_regex(settings_forms.WINDOW, fullmatch=True), st.sampled_from(ZONES), moments)
def test_whatever_the_config_may_say_is_understood(text, zone, moment):
    days_and_hours = " ".join(text.split(" ")[:2])
    read = Window.read(f"{days_and_hours} {zone}")
    assert 1 <= len(read.days) <= len(DAYS)
    opening = Calendar({"site2": [read]}).opening(["site2"], moment)
    assert opening.until is None or opening.until > moment


@given(windows, moments)
def test_a_window_is_open_when_clocks_show_it(text, moment):
    found = isinstance(calendar(site2=text).opening(["site2"], moment), Open)
    if not clocks_change_near(text, moment):
        assert found == shows(text, moment)


@given(st.lists(windows, max_size=2), st.lists(windows, max_size=2), moments, st.booleans())
def test_until_is_the_first_moment_at_which_the_answer_changes(one, other, moment, freeze):
    freezes = (
        [Freeze(moment - timedelta(hours=5), moment + timedelta(hours=30), frozenset({"a"}), "x")] if freeze else []
    )
    both = Calendar({name: [Window.read(t) for t in texts] for name, texts in (("a", one), ("b", other))}, freezes)
    found = both.opening(["a", "b"], moment)
    if found.until is None:
        return
    assert found.until > moment
    assert type(both.opening(["a", "b"], found.until)) is not type(found)
    between = found.until - moment
    for part in (between / 3, between / 2, between - timedelta(seconds=1)):
        again = both.opening(["a", "b"], moment + part)
        assert type(again) is type(found)
        assert again.until == found.until


@given(windows, st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)), st.sampled_from(ZONES))
def test_no_moment_is_too_odd(text, wall, zone):
    moment = moment_of(wall.replace(microsecond=0), ZoneInfo(zone))
    shown = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert shown == wall.replace(microsecond=0) or clocks_change_near(f"x {zone}", moment)
    opening = calendar(site2=text).opening(["site2"], moment)
    assert opening.until is None or opening.until - moment < timedelta(days=16)
