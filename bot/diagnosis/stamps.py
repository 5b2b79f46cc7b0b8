"""Moments as logs write them: with a zone or without, without a year, with a leap second, or as nonsense.

Whatever a stamp says, an answer is an aware UTC time or None, and never an exception.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from bot.diagnosis.records import dataclass

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WALL = re.compile(r"([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?", re.ASCII)
_PACKED = re.compile(r"(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?", re.ASCII)
_DAY_FIRST = re.compile(r"(\d\d)([.-])(\d\d)\2((?:\d\d)?\d\d)[T ](\d{1,2})(:\d\d:\d\d.*)", re.ASCII | re.DOTALL)
_EPOCH = re.compile(r"\d{9,10}(?:\.\d{1,9})?", re.ASCII)
_END_OF_TIME = re.compile(r"(\d{4}-\d\d-\d\d.)(\d\d:\d\d:60|24:00:00)(?:[.,]\d+)?(.*)", re.ASCII | re.DOTALL)

_DISORDER = timedelta(days=45)  # further back than this, a stamp without a year is one of the next year
_CLOCK_SKEW = timedelta(days=1)  # a file is not older than its lines, but clocks and zones differ
_YEARS_TRIED = 8  # so that 29 February finds its year across a century


@dataclass(frozen=True, slots=True)
class Wall:
    """A moment whose year nobody wrote."""

    month: int
    day: int
    hour: int
    minute: int
    second: int
    microsecond: int = 0

    def in_year(self, year: int, zone: tzinfo = UTC) -> datetime | None:
        """Return the moment in UTC, or None where that year has no such day or the clock no such time."""
        try:
            leap = self.second == 60  # noqa: PLR2004 - a leap second
            naive = datetime(  # noqa: DTZ001 - the zone follows
                year, self.month, self.day, self.hour, self.minute, self.second - leap, self.microsecond
            )
            return (naive.replace(tzinfo=zone) + timedelta(seconds=leap)).astimezone(UTC)
        except (ValueError, OverflowError):
            return None


class Years:
    """Finds the year of each stamp of one file: by dated neighbours in it, or by when the file was last written.

    A log runs forward, so a stamp is sought in the year that begins a little before its neighbour; and it lies before
    the time of the file. With neither, a stamp stays without a time.
    """

    def __init__(self, modified: datetime | None = None) -> None:
        self._latest = None if modified is None else modified + _CLOCK_SKEW
        self._neighbour: datetime | None = None

    def saw(self, moment: datetime) -> None:
        """Remember a line of this file that bears its whole date."""
        self._neighbour = moment

    def resolve(self, wall: Wall, zone: tzinfo = UTC) -> datetime | None:
        """Return the moment in UTC; None where nothing tells the year."""
        found = self._after_neighbour(wall, zone) if self._neighbour else self._before_latest(wall, zone)
        self._neighbour = found or self._neighbour
        return found

    def _after_neighbour(self, wall: Wall, zone: tzinfo) -> datetime | None:
        if self._neighbour is None or self._neighbour.year <= 1:
            return None
        start = self._neighbour - _DISORDER
        moments = (wall.in_year(year, zone) for year in range(start.year, start.year + 3))
        found = next((moment for moment in moments if moment and moment >= start), None)
        late = found is not None and self._latest is not None and found > self._latest
        return wall.in_year(found.year - 1, zone) if found and late else found

    def _before_latest(self, wall: Wall, zone: tzinfo) -> datetime | None:
        if self._latest is None:
            return None
        first = max(1, self._latest.year - _YEARS_TRIED)
        moments = (wall.in_year(year, zone) for year in range(min(9999, self._latest.year + 1), first, -1))
        return next((moment for moment in moments if moment and moment <= self._latest), None)


def read_wall(text: str) -> Wall | None:
    """Read `Apr  7 17:39:16` or `0407 17:39:16.123456`."""
    if found := _WALL.fullmatch(text):
        month = _MONTHS.index(found[1]) + 1 if found[1] in _MONTHS else 0
    elif found := _PACKED.fullmatch(text):
        month = int(found[1])
    else:
        return None
    day, hour, minute, second = (int(found[part]) for part in (2, 3, 4, 5))
    wall = Wall(month, day, hour, minute, second, int((found[6] or "0").ljust(6, "0")))
    return wall if wall.in_year(2000) else None  # a leap year has every day that any year has


def read_timestamp(text: str, zone: tzinfo = UTC) -> datetime | None:
    """Return an aware UTC time; a stamp without zone is of `zone`. None where it is no time at all."""
    return read_moment(text, zone)[0]


def read_moment(text: str, zone: tzinfo = UTC) -> tuple[datetime | None, bool]:
    """Return the time in UTC, and whether its zone was assumed because the stamp has none."""
    moment = _read(text)
    if moment is None:
        return None, False
    try:
        if moment.tzinfo is UTC:
            return moment, False
        assumed = moment.tzinfo is None
        return (moment.replace(tzinfo=zone) if assumed else moment).astimezone(UTC), assumed
    except (ValueError, OverflowError):
        return None, False


def _read(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return _unusual(text)


def _unusual(text: str) -> datetime | None:
    """Read what ISO has no word for: slashes, the day first, seconds since 1970, a leap second, 24 o'clock."""
    text = text.replace("/", "-")
    try:
        if found := _DAY_FIRST.fullmatch(text):
            century = "20" if len(found[4]) == 2 else ""  # noqa: PLR2004 - two digits of a year
            return datetime.fromisoformat(f"{century}{found[4]}-{found[3]}-{found[1]}T{int(found[5]):02}{found[6]}")
        if _EPOCH.fullmatch(text):
            return datetime.fromtimestamp(float(text), UTC)
        if found := _END_OF_TIME.fullmatch(text):
            leap = found[2] != "24:00:00"
            clock, rest = (found[2][:-2] + "59", timedelta(seconds=1)) if leap else ("00:00:00", timedelta(days=1))
            return datetime.fromisoformat(found[1] + clock + found[3]) + rest
        return datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
