"""A timeline puts each line where and when it was written, and says what it does not know."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.diagnosis.causes import Cause, Role
from bot.diagnosis.report.timeline import MOST_INCIDENTS, MOST_LANES, Scale, timeline_of


def marks(timeline):
    return [mark for lane in timeline.lanes for mark in lane.marks]


def test_the_seed_has_a_mark_for_each_line_and_its_decisive_line_marked(engine, seed_file):
    (incident,) = engine.diagnose_paths([seed_file]).incidents
    timeline = timeline_of(incident)
    assert timeline.scale is Scale.TIME
    assert sorted(mark.line for mark in marks(timeline)) == list(range(1, 13))
    assert (timeline.chief.line, timeline.chief.role) == (2, Role.DECISIVE)
    assert timeline.ticks[0].label.startswith("16:31:45.")
    assert "UTC" in timeline.notes[0]


def test_two_hosts_are_two_lanes_the_earlier_one_above(incident, line):
    timeline = timeline_of(
        incident(
            evidence=(
                line("late", seconds=2, file="/logs/esx-01/vpxa.log"),
                line("early", Role.DECISIVE, seconds=1, file="/logs/esx-11/vpxa.log"),
            )
        )
    )
    assert [lane.title for lane in timeline.lanes] == ["esx-11/vpxa.log", "esx-01/vpxa.log"]


def test_one_file_of_two_hosts_is_two_lanes(incident, line):
    timeline = timeline_of(incident(evidence=(line(host="esx-01"), line(host="esx-11", number=2))))
    assert {lane.host for lane in timeline.lanes} == {"esx-01", "esx-11"}


def test_places_are_in_the_order_of_time_and_within_the_axis(incident, line):
    evidence = tuple(line(str(place), seconds=place**2, number=place + 1) for place in range(8))
    placed = marks(timeline_of(incident(evidence=evidence)))
    assert [mark.at for mark in placed] == sorted(mark.at for mark in placed)
    assert all(0 <= mark.at <= 1 for mark in placed)


def test_lines_of_one_moment_are_above_each_other_and_never_on_each_other(incident, line):
    evidence = tuple(line(str(number), number=number) for number in range(1, 31))
    placed = marks(timeline_of(incident(evidence=evidence)))
    assert len({(round(mark.at, 6), mark.level) for mark in placed}) == 30
    assert max(mark.level for mark in placed) < 6


def test_a_line_without_time_stands_with_its_neighbour_and_that_is_said(incident, line):
    evidence = (line("one", number=1), line("arrow", number=2, timed=False), line("two", number=3, seconds=60))
    (lane,) = timeline_of(incident(evidence=evidence)).lanes
    untimed = next(mark for mark in lane.marks if mark.line == 2)
    assert untimed.moment is None
    assert untimed.at == pytest.approx(lane.marks[0].at)
    assert lane.remark.startswith("1 line without a time")


def test_a_file_without_any_time_is_said_to_be_so(incident, line):
    evidence = (line("timed"), line("not", file="client.log", timed=False))
    remarks = {lane.title: lane.remark for lane in timeline_of(incident(evidence=evidence)).lanes}
    assert remarks == {"vpxa.log": "", "client.log": "no line of it says when: drawn at the start"}


def test_without_any_time_the_axis_counts_lines(incident, line):
    evidence = (line(number=10, timed=False), line(number=110, timed=False))
    timeline = timeline_of(incident(evidence=evidence, first=None, last=None))
    assert timeline.scale is Scale.PLACE
    assert [tick.label for tick in timeline.ticks] == ["line 10", "line 110"]
    assert [mark.at for mark in marks(timeline)] == [0.0, 1.0]
    assert (timeline.first, timeline.last) == (None, None)


def test_a_single_line_has_an_axis(incident, line):
    for timed in (True, False):
        timeline = timeline_of(incident(evidence=(line(timed=timed),)))
        assert len(marks(timeline)) == 1
        assert timeline.ticks


@pytest.mark.parametrize("seconds", [0.003, 0.4, 5, 90, 4000, 90_000, 40 * 86_400, 20 * 365 * 86_400])
def test_there_are_few_ticks_whatever_the_stretch(incident, line, seconds):
    timeline = timeline_of(incident(evidence=(line(), line(number=2, seconds=seconds))))
    assert 1 <= len(timeline.ticks) <= 8
    assert all(-1e-9 <= tick.at <= 1 + 1e-9 for tick in timeline.ticks)
    assert len({tick.label for tick in timeline.ticks}) == len(timeline.ticks)


@pytest.mark.parametrize("year", [1, 9999])
def test_the_first_and_the_last_year_there_is(incident, line, year):
    edge = datetime(year, 1 if year == 1 else 12, 1 if year == 1 else 31, tzinfo=line().moment.tzinfo)
    evidence = (replace(line(), moment=edge), replace(line(number=2), moment=edge))
    assert timeline_of(incident(evidence=evidence)).ticks


def test_offsets_of_clocks_are_told(incident, line):
    evidence = (line(host="esx-01"), line(host="esx-11", number=2))
    offsets = {"esx-11": timedelta(seconds=-3.25)}
    remarks = {lane.host: lane.remark for lane in timeline_of(incident(evidence=evidence), offsets=offsets).lanes}
    assert remarks == {"esx-01": "", "esx-11": "its clock was -3.2 s off; corrected here"}


def test_very_many_logs_share_a_lane_and_none_is_lost(incident, line):
    evidence = tuple(line(str(n), file=f"/logs/host-{n:03}/vpxa.log", seconds=n) for n in range(40))
    decisive = line("x", Role.DECISIVE, file="/logs/host-999/vpxa.log", seconds=99)
    timeline = timeline_of(incident(evidence=(*evidence, decisive)))
    assert len(timeline.lanes) == MOST_LANES
    assert len(marks(timeline)) == 41
    assert "host-999/vpxa.log" in {lane.title for lane in timeline.lanes}
    assert any(lane.title.endswith("other logs") for lane in timeline.lanes)


def test_some_incidents_show_every_line(incident, report):
    timeline = timeline_of(report(incident(), incident()))
    assert len(marks(timeline)) == 6
    assert timeline.chief is None, "two incidents have two causes"


def test_very_many_incidents_are_a_lane_for_each_cause_and_a_sample(flood):
    timeline = timeline_of(flood(3000))
    assert {lane.title for lane in timeline.lanes} == {Cause.PACKET_LOSS, Cause.DEST_FULL, Cause.UNDETERMINED}
    assert len(marks(timeline)) <= MOST_INCIDENTS + 3
    assert any("One in 13" in note for note in timeline.notes)
    assert max(mark.at for mark in marks(timeline)) > 0.9, "the end of the night is sampled, too"


def test_no_incident_is_an_empty_timeline(report):
    timeline = timeline_of(report())
    assert timeline.lanes == ()
