"""One pattern of a format at work: from the start of a line to the fields of its header.

A pattern says by its group names what it reads. A digit behind a name ranks it: of `process` and `process9`, the first
that took part counts, so that what a program says of itself goes before what a forwarder says of it.
"""

from __future__ import annotations

from datetime import UTC, tzinfo
from functools import cache
from typing import Any

from bot.diagnosis.event import Header
from bot.diagnosis.patterns import HeadPattern, PatternError
from bot.diagnosis.stamps import read_moment, read_wall

# `wall` is a stamp without a year; `date` and `time` are one that was torn apart.
GROUPS = frozenset({"timestamp", "wall", "date", "time", "severity", "process", "component", "thread", "opid", "host"})
_ATTRIBUTES = {"opid": "op_id"}  # where a group is not called as what it becomes
_NIL = "-"  # how syslog and vmware.log write that there is none; a process may really be called so


class Grammar:
    """A compiled pattern."""

    __slots__ = ("_fields", "_pattern")

    def __init__(self, pattern: str) -> None:
        self._pattern = HeadPattern(pattern)
        self._fields = _ranked(self._pattern.groups)

    def read(self, head: str, data: bytes) -> dict[str, Any] | None:
        """Return the texts of a line that fits by attribute; `data` is `head` in bytes, one for each character."""
        spans = self._pattern.spans(data)
        if spans is None:
            return None
        found: dict[str, Any] = {}
        for field, indexes in self._fields:
            for index in indexes:
                start, end = spans[index]
                if start < end:
                    text = head[start:end]
                    if text != _NIL or field == "process":
                        found[field] = text
                    break
        return found


@cache
def grammar(pattern: str) -> Grammar:
    """Compile when first needed, and once; raise PatternError for a pattern or a group that there is not."""
    return Grammar(pattern)


def header_of(fields: dict[str, Any], format_id: str, *, process: str | None, zone: tzinfo = UTC) -> Header:
    """Make the header, out of fields that are used up by it; `process` is what writes this where no line says it."""
    if "process" not in fields:
        fields["process"] = process
    if (stamp := fields.get("timestamp")) is not None:
        fields["timestamp"], fields["zone_assumed"] = read_moment(stamp, zone)
    return Header(format=format_id, **fields) if fields.keys().isdisjoint(_TORN) else _dated(fields, format_id, zone)


_TORN = frozenset({"wall", "date", "time"})


def _dated(fields: dict[str, Any], format_id: str, zone: tzinfo) -> Header:
    """Put together a stamp in pieces; a whole stamp beside one without a year is the better one."""
    date, time, wall = (fields.pop(name, None) for name in ("date", "time", "wall"))
    if date and time:
        fields["timestamp"], fields["zone_assumed"] = read_moment(f"{date}T{time}", zone)
    if wall and fields.get("timestamp") is None:
        fields["wall"], fields["zone_assumed"] = read_wall(wall), True
    return Header(format=format_id, **fields)


def _ranked(groups: dict[str, int]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    by_field: dict[str, list[int]] = {}
    for name in sorted(groups):  # `process` before `process1` before `process9`
        by_field.setdefault(name.rstrip("0123456789"), []).append(groups[name])
    if strangers := by_field.keys() - GROUPS:
        raise PatternError(f"unknown group {', '.join(sorted(strangers))}")
    return tuple((_ATTRIBUTES.get(field, field), tuple(indexes)) for field, indexes in by_field.items())
