"""The words that every form of a report shares: how sure, when, who, how many, and in which order people read.

Plain text only: what steers a terminal, Markdown or a page is taken out by the module that writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from bot.diagnosis.causes import CAUSE_IN_WORDS, STAGE_IN_WORDS, Basis, Cause, Role
from bot.diagnosis.records import dataclass, fields, is_dataclass
from bot.diagnosis.verdict import Evidence, Incident, MatchKind, Report, Trouble

BASIS_IN_WORDS = {
    Basis.LOG: "one log alone, which sees a failure but not always its cause",
    Basis.BOTH_ENDS: "the logs of both ends",
    Basis.MEASURED: "a measurement",
}
SEVERAL_LOGS = "logs alone, which see a failure but not always its cause"
ROLE_IN_WORDS = {
    Role.DECISIVE: "names the cause",
    Role.SYMPTOM: "shows the failure",
    Role.UNWINDING: "falls over because of it",
    Role.CONTEXT: "says what else happened",
}
# What the forms of a report lay out themselves. Any other field that an incident has is shown by `extras`.
_LAID_OUT = frozenset(
    {
        "id", "cause", "confidence", "basis", "stage", "first", "last", "op_ids", "match", "task", "vm", "hosts",
        "peer", "lines", "evidence", "explanation", "known", "ruled_out", "unreadable", "next_checks", "links",
        "alternatives", "workarounds",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tally:
    """How often one cause was found."""

    cause: Cause
    incidents: int
    first: datetime | None
    last: datetime | None


def ranked(incidents: Iterable[Incident]) -> list[Incident]:
    """Return incidents as somebody at night should read them: the surest and largest first, then the earliest.

    One of each cause comes before the second of any, so that a flood of one failure does not hide another.
    """
    weighed = sorted(incidents, key=lambda incident: (-incident.confidence, -incident.lines))
    heads = {incident.cause: incident for incident in reversed(weighed)}
    first = [incident for incident in weighed if heads[incident.cause] is incident]
    return first + [incident for incident in weighed if heads[incident.cause] is not incident]


def tallies(incidents: Iterable[Incident]) -> list[Tally]:
    """Count incidents by cause, the most frequent cause first."""
    found: dict[Cause, list[Incident]] = {}
    for incident in incidents:
        found.setdefault(incident.cause, []).append(incident)
    counted = [
        Tally(
            cause,
            len(those),
            min((one.first for one in those if one.first), default=None),
            max((one.last for one in those if one.last), default=None),
        )
        for cause, those in found.items()
    ]
    return sorted(counted, key=lambda tally: -tally.incidents)


def cause_in_words(cause: Cause) -> str:
    return CAUSE_IN_WORDS[cause]


def how_sure(incident: Incident) -> str:
    """Say how far to trust the verdict, and what it was read from."""
    if incident.cause is Cause.UNDETERMINED:
        return "Nobody can tell from these lines: none of them names a cause. What they do say is below."
    basis = BASIS_IN_WORDS[incident.basis]
    if incident.basis is Basis.LOG and len({line.file for line in incident.evidence}) > 1:
        basis = SEVERAL_LOGS
    return f"{percent(incident.confidence)} sure, from {basis}."


def percent(share: float) -> str:
    return f"{share:.0%}"


def stage_of(incident: Incident) -> str:
    return f"It failed {STAGE_IN_WORDS[incident.stage]}." if incident.stage else ""


def span(first: datetime | None, last: datetime | None) -> str:
    """Return a stretch of time with its zone, no longer than it has to be; nothing where no time is known."""
    if first is None or last is None:
        return ""
    if last - first < timedelta(seconds=1):
        return f"{first:%Y-%m-%d %H:%M:%S} UTC"
    end = f"{last:%H:%M:%S}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M:%S}"
    return f"{first:%Y-%m-%d %H:%M:%S} to {end} UTC"


def subject(incident: Incident) -> Iterator[str]:
    """Yield what the incident is of: when, which operation, which VM, which hosts."""
    yield span(incident.first, incident.last) or "at an unknown time"
    yield from (f"opID {op_id}" for op_id in incident.op_ids[:MOST_NAMES])
    if incident.match is MatchKind.PROBABLE and not incident.op_ids:
        yield "joined by task or time only"
    if incident.task:
        yield incident.task
    if incident.vm:
        yield f"VM {incident.vm}"
    if incident.hosts:
        yield f"host{'' if len(incident.hosts) == 1 else 's'} {', '.join(incident.hosts[:MOST_NAMES])}"
    if incident.peer:
        yield f"peer {incident.peer}"
    yield count(incident.lines, "line")


MOST_NAMES = 4


def name_of(incident: Incident) -> str:
    """Return the shortest thing by which people find the incident again."""
    first = incident.evidence[0]
    return next(iter(incident.op_ids), None) or incident.task or incident.vm or f"{short_file(first.file)}:{first.line}"


def weightiest(incident: Incident, most: int) -> list[Evidence]:
    """Return the lines to show where there is room for few: those that decide or, where none does, the first."""
    return list((incident.decisive or incident.evidence)[:most])


def excerpt(incident: Incident, most: int) -> tuple[list[Evidence], int]:
    """Return the lines that tell most, in the order in which they were written, and how many there are besides."""
    chosen = {id(line) for line in weightiest(incident, most)}
    for line in incident.evidence:
        if len(chosen) < most:
            chosen.add(id(line))
    shown = [line for line in incident.evidence if id(line) in chosen]
    return shown, max(incident.lines, len(incident.evidence)) - len(shown)


def summary(report: Report) -> str:
    """Say in one sentence how much was read and found."""
    stats = report.stats
    return (
        f"{count(len(report.incidents), 'incident')} in {count(stats.files, 'file')}, "
        f"{count(stats.lines, 'line')}, {size(stats.bytes)}, {stats.seconds:.2f} s."
    )


def remarks(report: Report) -> Iterator[str]:
    """Yield what a reader should know of the reading itself."""
    if report.stats.unparsed_lines:
        unknown = count(report.stats.unparsed_lines, "line")
        yield f"{unknown} had no header of a known format; their text was searched all the same."


def trouble_in_words(trouble: Trouble) -> str:
    return f"{trouble.file}: {trouble.reason}" if trouble.file else trouble.reason


def extras(incident: Incident) -> Iterator[tuple[str, list[str]]]:
    """Yield the incident's further fields, as a title and sentences, so that a new one is never lost in a report."""
    for entry in fields(incident):
        if entry.name not in _LAID_OUT and (told := list(_sentences(getattr(incident, entry.name)))):
            yield entry.name.replace("_", " ").capitalize(), told


def count(number: int, noun: str) -> str:
    return f"{grouped(number) if number else 'No'} {noun}{'' if number == 1 else 's'}"


def grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def size(number: int) -> str:
    """Return a number of bytes as people say it."""
    amount = float(number)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:  # noqa: PLR2004 - decimal units
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def short_file(name: str) -> str:
    """Return the end of a file's name that tells it from others: the last two parts of its path."""
    return "/".join(name.replace("\\", "/").rsplit("/", 2)[-2:])


def own_names(names: Iterable[str]) -> dict[str, str]:
    """Return for each file the part of its name that the files do not share."""
    listed = list(dict.fromkeys(names))
    if len(listed) == 1:
        return {listed[0]: short_file(listed[0])}
    folders = [name.replace("\\", "/").split("/")[:-1] for name in listed]
    shared = sum(1 for _ in takewhile(lambda parts: len(set(parts)) == 1, zip(*folders, strict=False)))
    return {name: "/".join(name.replace("\\", "/").split("/")[shared:]) for name in listed}


def _sentences(value: Any) -> Iterator[str]:
    match value:
        case None | False | "" | () | []:
            return
        case Mapping():
            yield from (f"{name}: {_plain(inner)}" for name, inner in value.items())
        case list() | tuple() | set() | frozenset():
            yield from map(_plain, value)
        case _:
            yield _plain(value)


def _plain(value: Any) -> str:
    if is_dataclass(value) and not isinstance(value, type):
        told = {entry.name: getattr(value, entry.name) for entry in fields(value)}
        if len(told) == 2 and all(isinstance(part, str) for part in told.values()):  # noqa: PLR2004 - a pair
            return ": ".join(told.values())
        return ", ".join(f"{name.replace('_', ' ')} {_plain(part)}" for name, part in told.items() if part is not None)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, timedelta):
        return f"{value.total_seconds():+.1f} s"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return str(value)
