"""A failure laid out in time: lanes of marks along one axis, as plain numbers that any drawing can use.

No drawing here, and no text of strangers is made safe here: who draws, escapes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from bot.diagnosis.causes import Cause, Role
from bot.diagnosis.records import dataclass, replace
from bot.diagnosis.report.phrases import cause_in_words, count, own_names, ranked, span
from bot.diagnosis.verdict import Evidence, Incident, Report

MOST_LANES = 12
MOST_BY_LOG = 5  # incidents whose every line is drawn
MOST_INCIDENTS = 240
NO_OFFSETS: Mapping[str, timedelta] = MappingProxyType({})
_TICKS = 6
_NEAR = 0.017  # marks closer than this, as a share of the axis, would cover each other
_TALLEST = 6  # marks above each other, before the next column begins
_WEIGHT = {Role.DECISIVE: 0, Role.SYMPTOM: 1, Role.UNWINDING: 2, Role.CONTEXT: 3}
_MILLISECOND = timedelta(milliseconds=1)
_Name = tuple[str, str | None]  # of a lane: what it shows, and the host where that is known
_STEPS = (
    *(_MILLISECOND * number for number in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(timedelta(seconds=number) for number in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)),
    *(timedelta(hours=number) for number in (1, 2, 3, 6, 12, 24, 48, 168, 720, 2160, 8760)),
)


class Scale(StrEnum):
    """What the axis counts: time or, where no line says when, the lines of a file."""

    TIME = "time"
    PLACE = "place"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One line. `at` is its place on the axis, 0 to 1, `level` how far it is lifted over others at that place.

    `moment` is None where the line does not say when it was written; then its place is that of its neighbours.
    """

    at: float
    level: int
    role: Role
    file: str
    line: int
    text: str
    moment: datetime | None
    incident: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The lines of one file or host. `remark` says what a reader has to know of its times; it may be empty."""

    title: str
    host: str | None
    remark: str
    marks: tuple[Mark, ...]

    @property
    def levels(self) -> int:
        return max((mark.level for mark in self.marks), default=0) + 1


@dataclass(frozen=True, slots=True)
class Tick:
    """A word under the axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What is drawn. `first` and `last` are the moments at 0 and 1, both None on a scale of places."""

    title: str
    subtitle: str
    incidents: int
    scale: Scale
    first: datetime | None
    last: datetime | None
    ticks: tuple[Tick, ...]
    lanes: tuple[Lane, ...]
    notes: tuple[str, ...]

    @property
    def chief(self) -> Mark | None:
        """The first line that names the cause, where there is one incident and so one cause."""
        if self.incidents != 1:
            return None
        deciding = (mark for lane in self.lanes for mark in lane.marks if mark.role is Role.DECISIVE)
        return min(deciding, key=lambda mark: mark.at, default=None)


@dataclass(frozen=True, slots=True)
class _Point:
    """A line of evidence before it has a place on the axis."""

    evidence: Evidence
    incident: int
    lane: str
    host: str | None

    @property
    def moment(self) -> datetime | None:
        return self.evidence.moment


def timeline_of(subject: Report | Incident, *, offsets: Mapping[str, timedelta] = NO_OFFSETS) -> Timeline:
    """Lay out an incident, with a lane for each log, or the incidents of a report; of many, a lane for each cause.

    `offsets` says how far a host's clock was ahead; the moments of the lines are corrected by it already.
    """
    incidents = (subject,) if isinstance(subject, Incident) else tuple(ranked(subject.incidents))
    points, notes = _by_log(incidents) if len(incidents) <= MOST_BY_LOG else _by_cause(incidents)
    points = _few(points)
    moments = [point.moment for point in points if point.moment]
    if not moments:
        return _by_place(incidents, points, notes)
    first, last = _stretched(min(moments), max(moments))
    placed = [_timed(name, members, first, last) for name, members in _lanes(points).items()]
    return Timeline(
        title=_title(incidents),
        subtitle=_subtitle(incidents),
        incidents=len(incidents),
        scale=Scale.TIME,
        first=first,
        last=last,
        ticks=tuple(_ticks(first, last)),
        lanes=tuple(_with_offset(lane, offsets) for lane in _earliest_first(placed)),
        notes=("All times are UTC.", *notes),
    )


def _by_log(incidents: Sequence[Incident]) -> tuple[list[_Point], tuple[str, ...]]:
    """Return every line that the incidents show, in lanes of files and hosts."""
    every = [(number, line) for number, incident in enumerate(incidents) for line in incident.evidence]
    names = own_names(line.file for _, line in every)
    return [_Point(line, number, names[line.file], line.host) for number, line in every], ()


def _by_cause(incidents: Sequence[Incident]) -> tuple[list[_Point], tuple[str, ...]]:
    """Return the chief line of each incident, in lanes of causes; of very many an even sample of each cause."""
    stride = -(-len(incidents) // MOST_INCIDENTS)
    causes: dict[Cause, list[_Point]] = {}
    for number, incident in enumerate(incidents):
        point = _Point(_chief(incident), number, str(incident.cause), None)
        causes.setdefault(incident.cause, []).append(point)
    notes = ["Each mark is the chief line of one incident."]
    if stride > 1:
        notes.append(f"One in {stride} is drawn.")
    sampled = (sorted(points, key=_when)[::stride] for points in causes.values())
    return [point for points in sampled for point in points], tuple(notes)


def _chief(incident: Incident) -> Evidence:
    return min(incident.evidence, key=lambda line: _WEIGHT[line.role])


def _when(point: _Point) -> tuple[datetime, int]:
    return point.moment or datetime.max.replace(tzinfo=UTC), point.evidence.line


def _lanes(points: Iterable[_Point]) -> dict[_Name, list[_Point]]:
    """Sort points into their lanes, there in the order of their file."""
    lanes: dict[_Name, list[_Point]] = {}
    for point in points:
        lanes.setdefault((point.lane, point.host), []).append(point)
    for members in lanes.values():
        members.sort(key=lambda point: (point.evidence.file, point.evidence.line))
    return lanes


def _few(points: list[_Point]) -> list[_Point]:
    """Join the lanes with the least weighty lines where there are more than can be read."""
    lanes = _lanes(points)
    if len(lanes) <= MOST_LANES:
        return points
    weighed = sorted(lanes.values(), key=lambda members: min(_WEIGHT[point.evidence.role] for point in members))
    kept, rest = weighed[: MOST_LANES - 1], weighed[MOST_LANES - 1 :]
    joined = f"{len(rest)} other logs"
    return [
        *(point for members in kept for point in members),
        *(replace(point, lane=joined, host=None) for members in rest for point in members),
    ]


def _timed(name: _Name, points: Sequence[_Point], first: datetime, last: datetime) -> Lane:
    """Place points by their time; one without stands where the line before it in its file does."""
    width = last - first
    fallback = next((point.moment for point in points if point.moment), first)
    places: list[tuple[float, _Point]] = []
    latest = fallback
    for point in points:
        latest = point.moment or latest
        places.append(((latest - first) / width, point))
    untimed = sum(point.moment is None for point in points)
    remark = f"{count(untimed, 'line')} without a time, drawn where the line before stands" if untimed else ""
    if untimed == len(points):
        remark = "no line of it says when: drawn at the start"
    return _lane(name, places, remark)


def _by_place(incidents: Sequence[Incident], points: Sequence[_Point], notes: tuple[str, ...]) -> Timeline:
    """Lay out lines that do not say when they were written, by their place in their file."""
    numbers = [point.evidence.line for point in points] or [1]
    low, high = min(numbers), max(numbers)
    width = max(high - low, 1)
    placed = [
        _lane(name, [((point.evidence.line - low) / width, point) for point in members], "")
        for name, members in _lanes(points).items()
    ]
    return Timeline(
        title=_title(incidents),
        subtitle=_subtitle(incidents),
        incidents=len(incidents),
        scale=Scale.PLACE,
        first=None,
        last=None,
        ticks=(Tick(0.0, f"line {low}"), *([Tick(1.0, f"line {high}")] if high > low else [])),
        lanes=tuple(placed),
        notes=("No line says when it was written: the axis counts lines.", *notes),
    )


def _lane(name: _Name, places: Iterable[tuple[float, _Point]], remark: str) -> Lane:
    title, host = name
    return Lane(
        title=title, host=host, remark=remark, marks=tuple(_stacked(sorted(places, key=lambda place: place[0])))
    )


def _stacked(places: Iterable[tuple[float, _Point]]) -> Iterator[Mark]:
    """Lift marks that would cover each other, the first one lowest; a full column goes on beside itself."""
    column, level = -1.0, 0
    for wanted, point in places:
        if wanted - column >= _NEAR:
            column, level = wanted, 0
        elif level + 1 < _TALLEST:
            level += 1
        else:
            column, level = column + _NEAR, 0
        yield Mark(
            at=min(column, 1.0),
            level=level,
            role=point.evidence.role,
            file=point.evidence.file,
            line=point.evidence.line,
            text=point.evidence.text,
            moment=point.moment,
            incident=point.incident,
        )


def _stretched(first: datetime, last: datetime) -> tuple[datetime, datetime]:
    """Leave some room at both ends, and never an axis without length."""
    room = max((last - first) / 20, _MILLISECOND * 2 if last > first else timedelta(seconds=1))
    return _shifted(first, -room), _shifted(last, room)


def _shifted(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:  # the first and the last year there is
        return moment


def _ticks(first: datetime, last: datetime) -> Iterator[Tick]:
    width = last - first
    step = next((step for step in _STEPS if width / step <= _TICKS), width / _TICKS)
    epoch = datetime(first.year, 1, 1, tzinfo=UTC)
    moment = epoch + step * -(-(first - epoch) // step)
    while moment <= last:
        yield Tick((moment - first) / width, _label(moment, step))
        if last - moment < step:
            return
        moment += step


def _label(moment: datetime, step: timedelta) -> str:
    if step < timedelta(seconds=1):
        return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
    if step < timedelta(minutes=1):
        return f"{moment:%H:%M:%S}"
    return f"{moment:%H:%M}" if step < timedelta(hours=12) else f"{moment:%Y-%m-%d}"


def _title(incidents: Sequence[Incident]) -> str:
    if len(incidents) != 1:
        return f"{count(len(incidents), 'incident')}"
    (incident,) = incidents
    return f"{incident.cause}: {cause_in_words(incident.cause)}"


def _subtitle(incidents: Sequence[Incident]) -> str:
    first = min((incident.first for incident in incidents if incident.first), default=None)
    last = max((incident.last for incident in incidents if incident.last), default=None)
    names = [f"opID {op_id}" for incident in incidents[:1] for op_id in incident.op_ids[:1] if len(incidents) == 1]
    return ", ".join(filter(None, (span(first, last), *names)))


def _earliest_first(lanes: Iterable[Lane]) -> list[Lane]:
    return sorted(lanes, key=lambda lane: min((mark.at for mark in lane.marks), default=1.0))


def _with_offset(lane: Lane, offsets: Mapping[str, timedelta]) -> Lane:
    offset = offsets.get(lane.host or "")
    if not offset:
        return lane
    told = f"its clock was {offset.total_seconds():+.1f} s off; corrected here"
    return replace(lane, remark="; ".join(filter(None, (told, lane.remark))))
