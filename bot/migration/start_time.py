"""When somebody wants a migration to start, as they write it after `--at`. Pure: read first, reckoned later.

Reading needs neither a clock nor the config; `ClockTime.moment` is told both.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from bot.errors import UserError
from bot.migration.calendar import in_words, moment_of

FARTHEST: Final = timedelta(days=90)
EXAMPLES: Final = '--at 22:00, --at "2026-11-24 22:00", --at "Sat 20:00", --at "22:00 Europe/Berlin" or --at window'

_WINDOW: Final = "window"
_NAMES: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NEAR: Final = {"today": 0, "tomorrow": 1}
_SHORTEST_NAME: Final = 3
_WEEK: Final = 7
_MINUTE: Final = timedelta(minutes=1)
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 9000
_DASHES: Final = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
_TIME: Final = re.compile(r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ZONE_ALONE: Final = frozenset({"utc", "gmt"})


@dataclass(frozen=True, slots=True)
class NextWindow:
    """As soon as the windows of both sites are open and nothing is frozen."""


@dataclass(frozen=True, slots=True)
class ClockTime:
    """When clocks show this next: on that day, on that weekday (Monday is 0) or so many days ahead, if one is given."""

    clock: time
    day: date | None = None
    weekday: int | None = None
    ahead: int | None = None
    zone: str | None = None

    def moment(self, now: datetime, zone: tzinfo) -> datetime:
        """In UTC; `zone` counts if none was named. UserError for what is past or more than 90 days ahead.

        The minute that is running still counts: it means at once.
        """
        zone = ZoneInfo(self.zone) if self.zone else zone
        found = self._moment(now, zone)
        if found + _MINUTE <= now:
            raise UserError(f"{in_words(found, zone)} is past: it is {in_words(now, zone)} now.", example=EXAMPLES)
        if found - now > FARTHEST:
            raise UserError(
                f"{in_words(found, zone)} is more than {FARTHEST.days} days ahead. Ask again when it is nearer.",
                example=EXAMPLES,
            )
        return found

    def _moment(self, now: datetime, zone: tzinfo) -> datetime:
        if self.day is not None:
            return moment_of(datetime.combine(self.day, self.clock), zone)
        today = now.astimezone(zone).date()
        if self.ahead is not None:
            return moment_of(datetime.combine(today + timedelta(days=self.ahead), self.clock), zone)
        days = (today + timedelta(days=number) for number in range(_WEEK + 1))
        moments = (
            moment_of(datetime.combine(day, self.clock), zone)
            for day in days
            if self.weekday is None or day.weekday() == self.weekday
        )
        return next(moment for moment in moments if moment + _MINUTE > now)


StartTime = NextWindow | ClockTime


def read_start(text: str) -> StartTime:
    """What was written. UserError with a sentence and examples for anything that is not clear."""
    words = text.translate(_DASHES).replace(",", " ").split()
    if [word.casefold() for word in words] == [_WINDOW]:
        return NextWindow()
    if len(words) == 1 and "T" in words[0].upper():  # 2026-11-24T22:00
        words = re.split("[Tt]", words[0], maxsplit=1) if _DATE.match(words[0]) else words
    at = next((number for number, word in enumerate(words) if _TIME.fullmatch(word)), None)
    if at is None or len(words) > at + 2:
        raise _unclear(text)
    hour, minute = words[at].split(":")
    clock = time(int(hour), int(minute))
    zone = find_zone(words[at + 1]) if len(words) > at + 1 else None
    match words[:at]:
        case []:
            return ClockTime(clock, zone=zone)
        case [word] if _DATE.fullmatch(word):
            return ClockTime(clock, day=_day(word), zone=zone)
        case [word] if word.casefold() in _NEAR:
            return ClockTime(clock, ahead=_NEAR[word.casefold()], zone=zone)
        case [word] if (weekday := _weekday(word)) is not None:
            return ClockTime(clock, weekday=weekday, zone=zone)
        case [name, word] if (weekday := _weekday(name)) is not None and _DATE.fullmatch(word):
            return ClockTime(clock, day=_day(word, weekday=weekday), zone=zone)
    raise _unclear(text)


def goes_on(text: str, word: str) -> bool:
    """Whether `word` must belong to the start time `text`: people forget the quotes around "Sat 20:00"."""
    words = text.translate(_DASHES).split()
    if any(_TIME.fullmatch(part) for part in words):
        surely_a_zone = "/" in word or word.casefold() in _ZONE_ALONE
        return bool(_TIME.fullmatch(words[-1])) and surely_a_zone and word.casefold() in _zones()
    return bool(_TIME.fullmatch(word) or _DATE.fullmatch(word.translate(_DASHES)))


def find_zone(name: str) -> str:
    """The zone's proper name, whatever capitals were typed. UserError with those that are near."""
    if (found := _zones().get(name.casefold())) is not None:
        return found
    ending = sorted(zone for folded, zone in _zones().items() if folded.endswith(f"/{name.casefold()}"))
    near = ending or [_zones()[folded] for folded in difflib.get_close_matches(name.casefold(), _zones(), n=1)]
    meant = f"Did you mean {near[0]}?" if near else "Zones are named as Europe/Berlin or UTC, and hours go to 23."
    raise UserError(
        f"There is no time zone '{name}'. {meant}", example=f'--at "22:00 {near[0] if near else "Europe/Berlin"}"'
    )


@cache
def _zones() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones()} | {"z": "UTC"}


def _day(text: str, *, weekday: int | None = None) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UserError(f"There is no day {text}.", example=EXAMPLES) from None
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:  # beyond them a zone's offset leads out of the calendar
        raise UserError(f"{text} is not within {FARTHEST.days} days.", example=EXAMPLES)
    if weekday is not None and day.weekday() != weekday:
        raise UserError(f"{text} is a {_NAMES[day.weekday()].capitalize()}.", example=EXAMPLES)
    return day


def _weekday(word: str) -> int | None:
    name = word.casefold().rstrip(".")
    if len(name) < _SHORTEST_NAME:
        return None
    return next((number for number, full in enumerate(_NAMES) if full.startswith(name)), None)


def _unclear(text: str) -> UserError:
    return UserError(f"'{text}' is no time to start at.", example=EXAMPLES)
