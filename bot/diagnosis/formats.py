"""Reads the header of a line: when, how bad, who, which operation. The grammars are data, in `formats/*.toml`.

No line is refused: what no grammar knows stays text without a header.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.diagnosis.event import Header
from bot.diagnosis.patterns import Pattern, PatternError, compile_pattern
from bot.errors import UserError

FOLDER = Path(__file__).parent / "formats"
GROUPS = frozenset({"timestamp", "date", "time", "severity", "process", "component", "thread", "opid", "host"})
_HEAD = 2048  # no header is longer; the message behind it costs nothing


@dataclass(frozen=True, slots=True)
class Format:
    """One generation of log lines. `samples` say what must be read from what, and are checked by `check_samples`."""

    id: str
    title: str
    patterns: tuple[Pattern, ...]
    process: str | None
    samples: tuple[Mapping[str, str], ...]

    def read(self, text: str) -> Header | None:
        for pattern in self.patterns:
            if found := pattern.match(text[:_HEAD]):
                return self._header(found.groupdict())
        return None

    def _header(self, groups: Mapping[str, str | None]) -> Header:
        stamp = groups.get("timestamp") or "T".join(filter(None, (groups.get("date"), groups.get("time"))))
        return Header(
            format=self.id,
            timestamp=read_timestamp(stamp),
            severity=groups.get("severity"),
            process=groups.get("process") or self.process,
            component=groups.get("component"),
            thread=groups.get("thread"),
            op_id=groups.get("opid"),
            host=groups.get("host"),
        )


class HeaderReader:
    """Tries the grammar that fitted last before the others: neighbours in a file are of one kind."""

    def __init__(self, formats: Sequence[Format]) -> None:
        self._formats = list(formats)

    def read(self, text: str) -> Header | None:
        for position, candidate in enumerate(self._formats):
            if (header := candidate.read(text)) is not None:
                if position:
                    self._formats.insert(0, self._formats.pop(position))
                return header
        return None


def read_timestamp(text: str) -> datetime | None:
    """Return an aware UTC time; a stamp without zone is UTC, as hosts write it. None where it is no time at all."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def load_formats(folder: Path = FOLDER) -> tuple[Format, ...]:
    """Read every grammar of the folder, in the order of their names; raise UserError naming file and key."""
    return tuple(_read_file(path) for path in sorted(folder.glob("*.toml")))


def check_samples(formats: Sequence[Format]) -> list[str]:
    """Return one sentence for each sample that is not read, as the first of all grammars, into what it promises."""
    return [
        complaint for known in formats for sample in known.samples for complaint in _complaints(known, formats, sample)
    ]


def _complaints(known: Format, formats: Sequence[Format], sample: Mapping[str, str]) -> list[str]:
    header = next((found for candidate in formats if (found := candidate.read(sample["text"]))), None)
    if header is None or header.format != known.id:
        return [f"format {known.id}: read by {header.format if header else 'no grammar'}: {sample['text']}"]
    return [
        f"format {known.id}: {key} is {got!r}, expected {wanted!r}: {sample['text']}"
        for key, wanted in sample.items()
        if key != "text" and (got := _shown(header, key)) != wanted
    ]


def _shown(header: Header, key: str) -> str | None:
    if key == "timestamp":
        return header.timestamp.isoformat(timespec="milliseconds") if header.timestamp else None
    value = getattr(header, "op_id" if key == "opid" else key)
    return None if value is None else str(value)


def _read_file(path: Path) -> Format:
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        patterns = tuple(compile_pattern(pattern) for pattern in raw["patterns"])
        if strangers := {group for pattern in patterns for group in pattern.groupindex} - GROUPS:
            raise UserError(f"{path}: patterns: unknown group {', '.join(sorted(strangers))}")
        if not raw["samples"]:
            raise UserError(f"{path}: samples: a grammar without a sample cannot be trusted")
        return Format(raw["id"], raw["title"], patterns, raw.get("process"), tuple(raw["samples"]))
    except PatternError as refusal:
        raise UserError(f"{path}: patterns: {refusal}") from refusal
    except KeyError as missing:
        raise UserError(f"{path}: {missing.args[0]}: missing") from missing
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as refusal:
        raise UserError(f"{path}: not TOML: {refusal}") from refusal
