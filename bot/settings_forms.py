"""How values are written in `coldmigrate.toml`: windows, moments, shares, and the places of keys. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

WINDOW: Final = re.compile(
    r"(?P<first>Mon|Tue|Wed|Thu|Fri|Sat|Sun)(-(?P<last>Mon|Tue|Wed|Thu|Fri|Sat|Sun))? "
    r"(?P<start>([01]\d|2[0-3]):[0-5]\d)-(?P<end>([01]\d|2[0-3]):[0-5]\d|24:00) (?P<zone>\S+)",
    re.ASCII,
)
MOMENT: Final = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})([ T](?P<clock>([01]\d|2[0-3]):[0-5]\d)(:00)?)?( (?P<zone>\S+))?", re.ASCII
)
PERCENT: Final = re.compile(r"(\d+(?:\.\d+)?) ?%")
HUNDRED: Final = 100.0


def window(text: str) -> str:
    found = WINDOW.fullmatch(text)
    if not found:
        raise ValueError("not a window")
    zone_name(found["zone"])
    return text


def zone_name(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError("not a time zone") from error
    return name


def as_text(given: object) -> object:
    """TOML has dates of its own, and who leaves the quotes out means the same."""
    return given.isoformat() if isinstance(given, date) else given


def moment(text: str) -> str:
    instant(text, ZoneInfo("UTC"), whole_day=False)
    return text


def instant(text: str, zone: ZoneInfo, *, whole_day: bool) -> datetime:
    """The moment that is written; of a day without a time its beginning, or for `whole_day` its end. Or ValueError."""
    found = MOMENT.fullmatch(text)
    if not found:
        raise ValueError("not a date")
    zone = ZoneInfo(zone_name(found["zone"])) if found["zone"] else zone
    day = datetime.fromisoformat(f"{found['day']} {found['clock'] or '00:00'}").replace(tzinfo=zone)
    return day + timedelta(days=1) if whole_day and not found["clock"] else day


def share(text: str) -> str:
    found = PERCENT.fullmatch(text)
    if not found or float(found[1]) > HUNDRED:
        raise ValueError("not a percentage")
    return text


def key_of(place: Iterable[int | str]) -> str:
    """A place in the file as people write it; tables of a list are counted from 1."""
    text = ""
    for part in place:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def instead(word: str, known: Iterable[str]) -> str:
    words = sorted(known)
    close = difflib.get_close_matches(word, words, n=1)
    return f"; did you mean {close[0]}?" if close else f"; expected one of {', '.join(words)}"
