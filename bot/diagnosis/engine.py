"""The front door of the room: logs in, a report out.

`load_engine` reads the catalogue once. An `Engine` keeps nothing between diagnoses, so one may serve a whole process.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, timedelta, tzinfo
from pathlib import Path
from typing import BinaryIO

from bot.diagnosis.blame import lay_blame
from bot.diagnosis.event import LINE_LIMIT, Event, Header, SourceLine
from bot.diagnosis.facts import Facts
from bot.diagnosis.formats import Format, HeaderReader, load_formats
from bot.diagnosis.group import Group, Witness
from bot.diagnosis.incident import MOST_GROUPS, Gathering
from bot.diagnosis.inputs.member import Limits, Note
from bot.diagnosis.inputs.unit import units
from bot.diagnosis.judge import Judge
from bot.diagnosis.opid import belongs_to, family_base, op_base
from bot.diagnosis.printable import whole_text
from bot.diagnosis.reading import Closed, Item, Opened, Read, read
from bot.diagnosis.records import dataclass, field, replace
from bot.diagnosis.rules import Catalogue, Rule, load_catalogue
from bot.diagnosis.scan import OVERLONG, Found, is_continuation, text_of
from bot.diagnosis.scope import Scope
from bot.diagnosis.stamps import Years
from bot.diagnosis.verdict import Incident, MatchKind, Report, Stats, Trouble

EVERYTHING = Scope()
GENEROUS = Limits()
_MOST_KINDS = 8


@dataclass(slots=True)
class _Reading:
    """One diagnosis while it runs."""

    reader: HeaderReader
    gathering: Gathering
    scope: Scope
    facts: Facts
    started: float = field(default_factory=time.monotonic)
    file: str = ""
    years: Years = field(default_factory=Years)
    files: int = 0
    bytes: int = 0
    lines: int = 0
    unparsed: int = 0
    timeless: int = 0
    errors: list[Trouble] = field(default_factory=list)
    gaps: list[Trouble] = field(default_factory=list)

    def stats(self) -> Stats:
        return Stats(
            files=self.files,
            bytes=self.bytes,
            lines=self.lines,
            unparsed_lines=self.unparsed,
            seconds=round(time.monotonic() - self.started, 3),
        )


@dataclass(frozen=True, slots=True)
class Recognised:
    """A line and the rules that know it, whatever company it has."""

    event: Event
    rules: tuple[Rule, ...]


class Engine:
    """Diagnoses logs with one catalogue of formats and rules."""

    def __init__(self, formats: Sequence[Format], catalogue: Catalogue) -> None:
        self._formats = tuple(formats)
        self.catalogue = catalogue

    def is_candidate(self, text: str) -> bool:
        """Tell, cheaply, whether a line may matter: it holds a needle of some rule. Lines without one never do."""
        return self.catalogue.needles.held_by(text.encode("utf-8", "backslashreplace"))

    def diagnose_paths(
        self,
        paths: Iterable[Path | str],
        *,
        stdin: BinaryIO | None = None,
        facts: Facts | None = None,
        scope: Scope = EVERYTHING,
        zone: tzinfo = UTC,
        processes: int | None = None,
        progress: Callable[[int], None] | None = None,
        limits: Limits = GENEROUS,
    ) -> Report:
        """Read files, archives and folders, and `-` from `stdin`. What cannot be read is reported, never raised.

        `zone` is that of lines without one (UTC by default). `processes` bounds how many files are read at a time (one
        for each core by default). `progress` is called now and then with the bytes of the inputs read so far.
        """
        reading = self._begin(facts, scope, zone)
        done = 0
        for item in read(units(paths), self.catalogue.needles, processes=processes, stdin=stdin, limits=limits):
            if not isinstance(item, Read):
                self._take(item, reading)
            elif progress is not None:
                done += item.bytes
                progress(done)
        return self._report(reading)

    def diagnose_lines(
        self,
        lines: Iterable[SourceLine],
        *,
        facts: Facts | None = None,
        op_id: str | None = None,
        scope: Scope = EVERYTHING,
    ) -> Report:
        """Diagnose lines that somebody else has read, such as the excerpts of several hosts' logs.

        `op_id` is short for a scope that asks for that operation.
        """
        reading = self._begin(facts, replace(scope, op_id=op_id) if op_id else scope)
        files: set[str] = set()
        for event in self._events(lines, reading):
            files.add(event.source.file)
            if self.is_candidate(event.text):
                self._witness(event, reading)
        reading.files = len(files)
        return self._report(reading)

    def recognised(self, lines: Iterable[SourceLine], *, facts: Facts | None = None) -> Iterator[Recognised]:
        """Yield each line that some rule knows, on the common clock, whether or not it is part of a failure."""
        reading = self._begin(facts, EVERYTHING)
        for event in self._events(lines, reading):
            if self.is_candidate(event.text) and (hits := self.catalogue.read(event)):
                yield Recognised(_on_one_clock(event, reading.facts), tuple(hit.rule for hit in hits))

    def _events(self, lines: Iterable[SourceLine], reading: _Reading) -> Iterator[Event]:
        """Read the headers of lines; a line that continues an entry bears that of the entry."""
        owners: dict[str, Header | None] = {}
        years: dict[str, Years] = {}
        for given in lines:
            line = replace(given, text=whole_text(given.text[:LINE_LIMIT]).rstrip("\r\n"))
            reading.lines += 1
            reading.bytes += len(line.text.encode())
            continues = is_continuation(line.text[:LINE_LIMIT].encode())
            owner = owners.get(line.file) if continues else None
            header = self._header(line.text, reading, years.setdefault(line.file, Years()), owner, continues=continues)
            if not continues:
                owners[line.file] = header
            yield Event(line, header)

    def _begin(self, facts: Facts | None, scope: Scope, zone: tzinfo = UTC) -> _Reading:
        known = (family_base(scope.op_id) or scope.op_id,) if scope.op_id else ()
        return _Reading(HeaderReader(self._formats, zone=zone), Gathering(known=known), scope, facts or Facts())

    def _take(self, item: Item, reading: _Reading) -> None:
        match item:
            case Found():
                self._line(item, reading)
            case Opened():
                reading.files += 1
                reading.file, reading.years = item.name, Years(item.modified)
            case Closed(tally=tally):
                reading.bytes += tally.bytes
                reading.lines += tally.lines
                if tally.cut:
                    reading.gaps.append(Trouble(reading.file, _cut(tally.cut)))
            case Trouble():
                reading.errors.append(item)
            case Note():
                reading.gaps.append(Trouble(item.file, item.reason))

    def _line(self, found: Found, reading: _Reading) -> None:
        text = text_of(found.raw)
        owner = reading.reader.read(text_of(found.owner), reading.years) if found.owner and found.hit else None
        header = self._header(text, reading, reading.years, owner, continues=is_continuation(found.raw))
        if found.hit:
            self._witness(Event(SourceLine(reading.file, found.number, text), header), reading)

    @staticmethod
    def _header(text: str, reading: _Reading, years: Years, owner: Header | None, *, continues: bool) -> Header | None:
        """Read the header; a continuation bears that of the entry it belongs to, or at least its operation."""
        header = reading.reader.read(text, years)
        if header is None and not continues and text.strip():
            reading.unparsed += 1
        if owner is None or not continues:
            return header
        return owner if header is None else replace(header, op_id=header.op_id or owner.op_id)

    def _witness(self, event: Event, reading: _Reading) -> None:
        if not (hits := self.catalogue.read(event)):
            return
        event = _on_one_clock(event, reading.facts)
        if not reading.scope.in_window(event):
            return
        reading.timeless += event.timestamp is None
        reading.gathering.add(Witness(event, hits, reading.scope.about(event)))

    def _report(self, reading: _Reading) -> Report:
        scope = reading.scope
        judge = Judge(self.catalogue, reading.facts)
        groups = lay_blame(reading.gathering.groups(), self.catalogue)
        incidents = tuple(_incidents(judge, [group for group in groups if scope.asked <= group.about], scope.op_id))
        if left_out := reading.gathering.left_out:
            reading.gaps.append(Trouble("", _left_out(left_out)))
        if (scope.since or scope.until) and reading.timeless:
            reading.gaps.append(Trouble("", _timeless(reading.timeless)))
        return Report(
            stats=reading.stats(), errors=tuple(reading.errors), gaps=tuple(reading.gaps), incidents=incidents
        )


def load_engine(*, extra_rules: Sequence[Path] = ()) -> Engine:
    """Load the shipped catalogue, and rule files of an operator's own.

    Raises UserError with every mistake in those files, all at once.
    """
    return Engine(load_formats(), load_catalogue(extra_rules))


def _on_one_clock(event: Event, facts: Facts) -> Event:
    """Return the event in the time of the clock that the caller's offsets refer to."""
    offset = facts.offsets.get(event.host or "", timedelta(0))
    if not offset or event.header is None or event.header.timestamp is None:
        return event
    return replace(event, header=replace(event.header, timestamp=event.header.timestamp - offset))


def _left_out(lines: Counter[str]) -> str:
    kinds = ", ".join(f"{name} {count}" for name, count in lines.most_common(_MOST_KINDS))
    return f"more than {MOST_GROUPS} failures: {lines.total()} lines of later ones are only counted, by rule: {kinds}"


def _cut(lines: int) -> str:
    return f"{lines} line{'s' if lines > 1 else ''} longer than {OVERLONG // 1024} KiB: only the beginning was read"


def _timeless(lines: int) -> str:
    return f"{lines} line{'s bear' if lines > 1 else ' bears'} no time that can be read, and count in any window"


def _incidents(judge: Judge, groups: Iterable[Group], op_id: str | None) -> Iterator[Incident]:
    for group in groups:
        if op_id is None:
            yield judge.incident(group, MatchKind.EXACT if group.bases or group.loops else MatchKind.PROBABLE)
        elif any(belongs_to(base, wanted) for base in group.bases for wanted in (op_id, op_base(op_id))):
            yield judge.incident(group, MatchKind.EXACT)
        elif judge.mentions(group):
            yield judge.incident(group, MatchKind.PROBABLE)
