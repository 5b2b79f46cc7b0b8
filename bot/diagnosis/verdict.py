"""What a diagnosis says. `to_json` of a report is the contract `coldmigrate.diagnosis/1`, which only ever grows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.diagnosis.causes import Basis, Cause, Role, Session, Stage
from bot.diagnosis.records import dataclass, fields

SCHEMA = "coldmigrate.diagnosis/1"


class MatchKind(StrEnum):
    """How lines were joined: by opID, or by what they mention and when."""

    EXACT = "exact"
    PROBABLE = "probable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """How much was read. `unparsed_lines`: those without a known header, among the lines that were looked at."""

    files: int = 0
    bytes: int = 0
    lines: int = 0
    unparsed_lines: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that could not be read, or of which a part is missing; `reason` is for people."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line that an incident rests on. `moment` is its time on the common clock, where that is known."""

    file: str
    line: int
    text: str
    role: Role
    moment: datetime | None = None
    host: str | None = None


@dataclass(frozen=True, slots=True)
class NextCheck:
    """What to look at next. `command` and `where` may be empty."""

    what: str
    command: str
    where: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another cause that the same lines allow."""

    cause: Cause
    confidence: float


@dataclass(frozen=True, slots=True)
class Looked:
    """What was measured, and when. `check` is the one of `checks.toml` that it carries out."""

    check: str
    text: str
    at: datetime | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Number:
    """An error number of the lines, decoded: `393225` is `DiskLib: system error 6, no such device or address`."""

    text: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Workaround:
    """A way around the failure, filled with what is known. Commands are quoted for a POSIX shell."""

    id: str
    title: str
    steps: tuple[str, ...]
    commands: tuple[str, ...]
    caveat: str
    executable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One failure: its cause, how sure that is, and what it rests on. `lines` counts all its lines but the context.

    `session` is whose copy it was, where the lines tell.
    """

    id: str
    cause: Cause
    confidence: float
    basis: Basis
    stage: Stage | None
    first: datetime | None
    last: datetime | None
    op_ids: tuple[str, ...]
    match: MatchKind
    task: str | None
    vm: str | None
    hosts: tuple[str, ...]
    peer: str | None
    lines: int
    evidence: tuple[Evidence, ...]
    explanation: str
    known: tuple[str, ...]
    ruled_out: tuple[str, ...]
    unreadable: tuple[str, ...]
    next_checks: tuple[NextCheck, ...]
    links: tuple[str, ...]
    alternatives: tuple[Alternative, ...]
    workarounds: tuple[Workaround, ...]
    session: Session | None = None
    numbers: tuple[Number, ...] = ()
    measured: tuple[Looked, ...] = ()

    @property
    def decisive(self) -> tuple[Evidence, ...]:
        return tuple(line for line in self.evidence if line.role is Role.DECISIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of reading some logs. A healthy log gives no incidents."""

    stats: Stats
    errors: tuple[Trouble, ...] = ()
    gaps: tuple[Trouble, ...] = ()
    incidents: tuple[Incident, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the contract as plain objects, ready for `json.dumps`."""
        return {"schema": SCHEMA, **_plain_fields(self)}


def _plain_fields(record: Any) -> dict[str, Any]:
    return {entry.name: _plain(getattr(record, entry.name)) for entry in fields(record)}


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat(timespec="milliseconds")
        case StrEnum():
            return value.value
        case str() | int() | float() | None:
            return value
        case Sequence():
            return [_plain(item) for item in value]
        case _:
            return _plain_fields(value)
