"""When copies may start: the windows of sites, and freezes. Pure: whoever asks says what time it is.

A window is a time of day on some weekdays in one zone; an end that is not later than its start is on the next day.
Where the clocks are changed, a time that comes twice means the first, and one that is skipped the moment of the change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple, Self
from zoneinfo import ZoneInfo

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EVERY_SITE: Final = "*"
LOOK_AHEAD: Final = timedelta(days=30)
"""Beyond now and the last freeze: windows repeat every week, so what did not come by then never comes."""

_DAY: Final = timedelta(days=1)
_NEXT_WEEK: Final = 8  # days, so that today's weekday comes again whatever the time


class Span(NamedTuple):
    """From `start` to before `end`, both UTC."""

    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


@dataclass(frozen=True, slots=True)
class Window:
    """A time of day on some weekdays (Monday is 0): those on which it opens."""

    days: frozenset[int]
    start: time
    end: time
    zone: tzinfo

    @classmethod
    def read(cls, text: str) -> Self:
        """From "Mon-Fri 20:00-06:00 Europe/Berlin". ValueError or KeyError for what is not one."""
        days, hours, zone = text.split(" ")
        first, _, last = days.partition("-")
        start, _, end = hours.partition("-")
        begin = WEEKDAYS.index(first)
        many = (WEEKDAYS.index(last or first) - begin) % len(WEEKDAYS) + 1
        return cls(
            frozenset((begin + number) % len(WEEKDAYS) for number in range(many)),
            time.fromisoformat(start),
            time.fromisoformat("00:00" if end == "24:00" else end),
            ZoneInfo(zone),
        )

    def spans(self, near: datetime, *, days: int) -> Iterator[Span]:
        """Those that open from the day before `near` until so many days after it, in order."""
        today = near.astimezone(self.zone).date()
        for number in range(-1, days + 1):
            day = today + number * _DAY
            if day.weekday() in self.days and (span := self._on(day)).start < span.end:
                yield span

    def _on(self, day: date) -> Span:
        last_day = day if self.start < self.end else day + _DAY
        return Span(
            moment_of(datetime.combine(day, self.start), self.zone),
            moment_of(datetime.combine(last_day, self.end), self.zone),
        )


@dataclass(frozen=True, slots=True)
class Freeze:
    """Nothing starts at these sites (`EVERY_SITE`: at all of them) from `start` to before `end`, and why."""

    start: datetime
    end: datetime
    sites: frozenset[str]
    why: str

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    def among(self, sites: Iterable[str]) -> list[str]:
        """Those of `sites` that it is about."""
        return [site for site in sites if site in self.sites or EVERY_SITE in self.sites]


@dataclass(frozen=True, slots=True)
class Open:
    """A copy may start. `until` is when that ends; None when no end is known."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """No copy may start before `until`; None when the config leaves no time at all. `why` is one or more sentences.

    `frozen`: a freeze is among the reasons. `keys`: what in the config would have to be changed.
    """

    until: datetime | None
    why: str
    frozen: bool
    keys: tuple[str, ...]


Opening = Open | Closed


@dataclass(frozen=True, slots=True)
class Calendar:
    """The windows of each site that has any, and all freezes. `zone`: meant by people who name none."""

    windows: Mapping[str, Sequence[Window]] = field(default_factory=dict)
    freezes: Sequence[Freeze] = ()
    zone: tzinfo = UTC

    def opening(self, sites: Iterable[str | None], now: datetime) -> Opening:
        """Whether a copy that touches all these sites may start now. A site that is None or has no window is open."""
        asked = list(dict.fromkeys(site for site in sites if site is not None))
        freezes = [freeze for freeze in self.freezes if freeze.end > now and freeze.among(asked)]
        windowed = {site: self.windows[site] for site in asked if self.windows.get(site)}
        limit = max([now, *(freeze.end for freeze in freezes)]) + LOOK_AHEAD
        met: list[Freeze] = []
        moment = _first_open(now, freezes, windowed, limit=limit, met=met)
        if moment == now:
            return Open(_closing(now, freezes, windowed, limit=limit))
        shut = {site: windows for site, windows in windowed.items() if not _is_open(windows, now)}
        why = [*(_shut(site, windows, now) for site, windows in shut.items())]
        why += [_frozen(freeze, freeze.among(asked), now) for freeze in met]
        if moment is None:
            why.append(f"{_both(windowed)} are never open at the same time.")
        elif len(why) > 1 or moment not in _ends(shut, met, now):
            why.append(f"It can start {in_words(moment, self.zone)}.")
        keys = tuple(f"sites.{site}.windows" for site in (shut or ({} if met else windowed)))
        return Closed(moment, " ".join(why), bool(met), (*keys, *(["[[freezes]]"] if met else [])))

    def in_words(self, moment: datetime) -> str:
        """A moment as people read it who named no zone."""
        return in_words(moment, self.zone)


def in_words(moment: datetime, zone: tzinfo) -> str:
    """As in "Mon 2026-11-23 20:00 Europe/Berlin", which can be typed back after `--at`."""
    local = moment.astimezone(zone)
    return f"{WEEKDAYS[local.weekday()]} {local:%Y-%m-%d %H:%M} {zone}"


def moment_of(wall: datetime, zone: tzinfo) -> datetime:
    """When clocks of the zone first show `wall`, in UTC; if they skip it, when they do."""
    moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _change(before, moment, zone)


def _change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The first second at which the zone has the offset that it has at `after`."""
    early, late = int(before.timestamp()), int(after.timestamp())
    old = before.astimezone(zone).utcoffset()
    while late - early > 1:
        middle = (early + late) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == old:
            early = middle
        else:
            late = middle
    return datetime.fromtimestamp(late, UTC)


def _first_open(
    now: datetime,
    freezes: Sequence[Freeze],
    windowed: Mapping[str, Sequence[Window]],
    *,
    limit: datetime,
    met: list[Freeze],
) -> datetime | None:
    """The first moment from `now` on at which nothing is in the way; None if there is none before `limit`.

    The freezes that it had to wait for are added to `met`.
    """
    moment = now
    while moment < limit:
        later = moment
        for freeze in freezes:
            if freeze.holds(later):
                met.append(freeze)
                later = freeze.end.astimezone(UTC)
        for windows in windowed.values():
            later = _opens(windows, later)
        if later == moment:
            return moment
        moment = later
    return None


def _closing(
    now: datetime, freezes: Sequence[Freeze], windowed: Mapping[str, Sequence[Window]], *, limit: datetime
) -> datetime | None:
    ends = [end for windows in windowed.values() if (end := _closes(windows, now, limit)) is not None]
    starts = [freeze.start.astimezone(UTC) for freeze in freezes if freeze.start > now]
    return min([*ends, *starts], default=None)


def _is_open(windows: Sequence[Window], moment: datetime) -> bool:
    return any(span.holds(moment) for window in windows for span in window.spans(moment, days=1))


def _opens(windows: Sequence[Window], moment: datetime) -> datetime:
    """`moment` if one of them is open then, else when the next one opens."""
    if _is_open(windows, moment):
        return moment
    spans = (span for window in windows for span in window.spans(moment, days=_NEXT_WEEK))
    # A clock change can swallow a window whole, but not the one a week later.
    return min((span.start for span in spans if span.start > moment), default=moment + LOOK_AHEAD)


def _closes(windows: Sequence[Window], moment: datetime, limit: datetime) -> datetime | None:
    """When the last of those that follow each other without a gap closes; None if they never do."""
    end = moment
    while end < limit:
        spans = (span for window in windows for span in window.spans(end, days=1))
        longer = max((span.end for span in spans if span.holds(end)), default=end)
        if longer == end:
            return end
        end = longer
    return None


# ---- the reasons, in sentences


def _shut(site: str, windows: Sequence[Window], now: datetime) -> str:
    """True after it opened, too: it may stand on a card until there is a free slot."""
    opens = _opens(windows, now)
    zone = next((w.zone for w in windows if any(s.start == opens for s in w.spans(opens, days=1))), UTC)
    return f"The window of {site} is closed until {in_words(opens, zone)}."


def _frozen(freeze: Freeze, sites: Sequence[str], now: datetime) -> str:
    be = "is" if len(sites) == 1 else "are"
    begins = "" if freeze.holds(now) else f" from {in_words(freeze.start, _zone(freeze.start))}"
    why = freeze.why.rstrip(". ")
    return f"{_both(sites)} {be} frozen{begins} until {in_words(freeze.end, _zone(freeze.end))}: {why}."


def _ends(shut: Mapping[str, Sequence[Window]], met: Sequence[Freeze], now: datetime) -> list[datetime]:
    return [*(_opens(windows, now) for windows in shut.values()), *(freeze.end for freeze in met)]


def _zone(moment: datetime) -> tzinfo:
    return moment.tzinfo or UTC


def _both(sites: Iterable[str]) -> str:
    return " and ".join(sites)
