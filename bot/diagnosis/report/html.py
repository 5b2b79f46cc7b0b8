"""A report as one page that needs nothing else: no script, font or picture from anywhere, and a policy that says so.

What is shown of whom is decided here; how it looks is in `report.html.jinja` and `report.css`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from bot.diagnosis.causes import Cause, Role
from bot.diagnosis.printable import printable
from bot.diagnosis.records import dataclass
from bot.diagnosis.report import phrases
from bot.diagnosis.report.timeline import NO_OFFSETS, Mark, Timeline, timeline_of
from bot.diagnosis.verdict import Evidence, Incident, Report

MOST_WHOLE: Final = 25  # incidents told in full, each with a timeline
MOST_ROWS: Final = 1_000  # incidents in the table
MOST_TROUBLES: Final = 200
_FOLDER: Final = Path(__file__).parent
_LEVEL = 14  # pixels that one mark is lifted over another
_LANE_HEAD = 24
_AXIS = 30
_TOLD = 42  # room for the line that a mark tells while it is pointed at
_TOP = 14
_ROOM = 96  # letters under the axis


@dataclass(frozen=True, slots=True)
class Row:
    """One line of evidence in the table under a timeline."""

    anchor: str
    line: Evidence
    name: str
    clock: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A lane with the pixels that it takes: `base` is where its lowest marks stand."""

    title: str
    remark: str
    top: int
    base: int
    marks: tuple[tuple[Mark, int, str], ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A timeline with heights in pixels; across, the marks keep their share of the width."""

    timeline: Timeline
    lanes: tuple[Placed, ...]
    axis: int
    height: int
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Section:
    """One incident as the page shows it. `drawing` is None for those told in short."""

    number: int
    incident: Incident
    subject: str
    day: str
    rows: tuple[Row, ...]
    drawing: Drawing | None
    hidden: int


def html_of(report: Report, *, title: str = "", offsets: Mapping[str, timedelta] = NO_OFFSETS) -> str:
    """Return the page. Text from logs stays text, whatever is in it. `offsets`: see `timeline_of`."""
    order = phrases.ranked(report.incidents)
    sections = [_section(number, incident, offsets) for number, incident in enumerate(order[:MOST_WHOLE], 1)]
    css = (_FOLDER / "report.css").read_text(encoding="utf-8")
    return _template().render(
        css=Markup(css),  # noqa: S704 - our own file
        style_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
        title=title or _title(order),
        report=report,
        order=order[:MOST_ROWS],
        unlisted=len(order) - MOST_ROWS,
        overview=_drawing(timeline_of(report, offsets=offsets), ()) if len(order) > 1 else None,
        sections=sections,
        troubles=report.errors[:MOST_TROUBLES],
        gaps=report.gaps[:MOST_TROUBLES],
        undetermined=Cause.UNDETERMINED,
        phrases=phrases,
        roles={role.value: phrases.ROLE_IN_WORDS[role] for role in Role},
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clock": _clock, "tail": _tail, "breakable": _breakable}
    return environment.get_template("report.html.jinja")


def _shown(value: Any) -> Any:
    """Whatever enters the page as text is spelled out first; markup of ours is left alone."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _clock(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}" if moment else ""


def _tail(text: str) -> str:
    """Return the end of a line, where log lines say what happened; a drawing has no room for all of it."""
    safe = printable(text)
    return safe if len(safe) <= _ROOM else "… " + safe[-_ROOM:]


def _breakable(name: str) -> Markup:
    """Let a path break where a reader would."""
    return Markup("/<wbr>").join(printable(name).split("/"))


def _title(order: Sequence[Incident]) -> str:
    if not order:
        return "No incidents"
    return f"{order[0].cause}: {phrases.cause_in_words(order[0].cause)}"


def _section(number: int, incident: Incident, offsets: Mapping[str, timedelta]) -> Section:
    days = {line.moment.date() for line in incident.evidence if line.moment}
    names = phrases.own_names(line.file for line in incident.evidence)
    rows: list[Row] = []
    for place, line in enumerate(incident.evidence, 1):
        clock = _clock(line.moment) if len(days) > 1 else _clock(line.moment)[len("2012-03-14 ") :]
        name = names[line.file] if len(names) > 1 else names[line.file].rsplit("/", 1)[-1]
        rows.append(Row(f"e{number}-{place}", line, name, clock))
    return Section(
        number=number,
        incident=incident,
        subject=", ".join(phrases.subject(incident)),
        day=days.pop().isoformat() if len(days) == 1 else "",
        rows=tuple(rows),
        drawing=_drawing(timeline_of(incident, offsets=offsets), rows),
        hidden=max(incident.lines - len(rows), 0),
    )


def _drawing(timeline: Timeline, rows: Sequence[Row]) -> Drawing:
    """Give each lane the height that its marks need; a mark points to its row or, without rows, to its incident."""
    anchors = {(row.line.file, row.line.line, row.line.text): row.anchor for row in rows}
    lanes: list[Placed] = []
    top = _TOP
    for lane in timeline.lanes:
        base = top + _LANE_HEAD + (lane.levels - 1) * _LEVEL + _LEVEL // 2
        marks = tuple(
            (mark, base - mark.level * _LEVEL, anchors.get((mark.file, mark.line, mark.text), f"i{mark.incident + 1}"))
            for mark in lane.marks
        )
        title = f"{lane.title} ({lane.host})" if lane.host else lane.title
        lanes.append(Placed(title, lane.remark, top, base, marks))
        top = base + _LEVEL
    roles = frozenset(mark.role.value for lane in timeline.lanes for mark in lane.marks)
    return Drawing(timeline, tuple(lanes), top, top + _AXIS + _TOLD, roles)
