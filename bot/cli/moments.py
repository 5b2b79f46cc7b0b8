"""Times and zones as people type them: `2h`, `2012-03-14 16:30`, `Europe/Berlin`, `+02:00`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import click

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGE = re.compile(r"(\d{1,9})([smhdw])")
_OFFSET = re.compile(r"([+-])([01]\d):?([0-5]\d)")


class Moment(click.ParamType[datetime]):
    """A point in time: ISO, in UTC unless it says otherwise, or an age before now. Gives an aware UTC datetime."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        moment = _before_now(text) or _iso(text)
        if moment is None:
            self.fail(
                f"{text!r} is no time. Write '2012-03-14 16:30' (UTC), or '2h', '90m', '3d' before now.", param, ctx
            )
        return moment


class Zone(click.ParamType[tzinfo]):
    """A time zone: a name of the IANA list or an offset."""

    name = "zone"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tzinfo:
        if isinstance(value, tzinfo):
            return value
        zone = _zone(str(value).strip())
        if zone is None:
            self.fail(f"{value!r} is no time zone. Write 'Europe/Berlin', 'UTC' or '+02:00'.", param, ctx)
        return zone


def _before_now(text: str) -> datetime | None:
    parts = _AGE.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    try:
        age = sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta())
        return datetime.now(UTC) - age
    except OverflowError:
        return None


def _iso(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(text: str) -> tzinfo | None:
    if text.upper() in ("UTC", "Z"):
        return UTC
    if found := _OFFSET.fullmatch(text):
        distance = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(-distance if found[1] == "-" else distance)
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        return None
