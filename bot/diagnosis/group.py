"""The lines of one failure, while they are being gathered: exact counts of all, and as many lines as are worth showing.

Which lines go together is decided in `incident.py`, what they mean in `judge.py`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from bot.diagnosis.causes import Role
from bot.diagnosis.event import Event
from bot.diagnosis.records import dataclass, field
from bot.diagnosis.rules import Hit, Rule

_FIRST_OF_RULE = 3
_MOST_KEPT = 48
_LAST_OF_ALL = 12
_MOST_NAMES = 32
_NO_TIME = datetime.min.replace(tzinfo=UTC)  # sorts before every time


@dataclass(frozen=True, slots=True)
class Witness:
    """An event and the rules that know it; and what of the caller's question it is about (`Scope.about`)."""

    event: Event
    hits: tuple[Hit, ...]
    about: frozenset[str] = frozenset()

    @property
    def context_only(self) -> bool:
        return all(hit.rule.role is Role.CONTEXT for hit in self.hits)

    def captured(self, name: str) -> str | None:
        return next((hit.captured[name] for hit in self.hits if name in hit.captured), None)

    def known_by(self, rules: Mapping[str, Rule]) -> Witness | None:
        """Return the same with the hits of `rules` alone; None if none is left."""
        hits = tuple(hit for hit in self.hits if hit.rule.id in rules)
        return Witness(self.event, hits, self.about) if hits else None


def _in_file(witness: Witness) -> tuple[str, int]:
    return witness.event.source.file, witness.event.source.line


@dataclass(slots=True)
class Span:
    """How many lines, from when to when; lines without a readable time only count."""

    lines: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def add(self, moment: datetime | None) -> None:
        self.absorb(Span(1, moment, moment))

    def absorb(self, other: Span) -> None:
        self.lines += other.lines
        self.first = min(filter(None, (self.first, other.first)), default=None)
        self.last = max(filter(None, (self.last, other.last)), default=None)

    def within(self, other: Span, distance: timedelta) -> bool:
        """Tell whether the two overlap in time, or nearly; unknown times never do."""
        if self.first is None or self.last is None or other.first is None or other.last is None:
            return False
        return self.first - distance <= other.last and other.first - distance <= self.last


@dataclass(slots=True)
class Group:
    """One failure. `bases` are operations of users, `loops` the housekeeping opIDs that lines bore; both map the
    folded form to the one first read. A `thrifty` group keeps few lines; it still counts all.
    """

    thrifty: bool = False
    bases: dict[str, str] = field(default_factory=dict)
    loops: dict[str, str] = field(default_factory=dict)
    tasks: set[str] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    sides: set[str] = field(default_factory=set)
    about: set[str] = field(default_factory=set)
    span: Span = field(default_factory=Span)
    contexts: set[str] = field(default_factory=set)
    _spans: dict[tuple[str, ...], Span] = field(default_factory=dict)  # by the rules that know a line
    _kept: list[Witness] = field(default_factory=list)
    _recent: deque[Witness] = field(default_factory=lambda: deque(maxlen=_LAST_OF_ALL))
    _seen: Counter[str] = field(default_factory=Counter)

    @property
    def anonymous(self) -> bool:
        """Nothing but time, or a housekeeping loop, joins these lines."""
        return not self.bases and not self.tasks

    @property
    def rules(self) -> Counter[str]:
        """How many lines each rule knows; lines of context are not counted."""
        counts: Counter[str] = Counter()
        for names, span in self._spans.items():
            counts.update(dict.fromkeys(names, span.lines))
        return counts

    def add(self, witness: Witness) -> None:
        event = witness.event
        if task := witness.captured("task"):
            self.tasks.add(task)
        self.about |= witness.about
        self._name(event)
        if witness.context_only:
            self.contexts.update(hit.rule.id for hit in witness.hits)
        else:
            names = tuple(hit.rule.id for hit in witness.hits)
            self._spans.setdefault(names, Span()).add(event.timestamp)
            self.span.add(event.timestamp)
        self._keep(witness)

    def witnesses(self) -> list[Witness]:
        """Return what was kept in the order of time; lines whose time is unknown keep their place in their file."""
        ordered = sorted(
            (*self._kept, *self._recent), key=lambda kept: (kept.event.source.file, kept.event.source.line)
        )
        placed: list[tuple[datetime, int]] = []
        latest = _NO_TIME
        file = ""
        for place, witness in enumerate(ordered):
            if witness.event.source.file != file:
                file, latest = witness.event.source.file, _NO_TIME
            latest = witness.event.timestamp or latest
            placed.append((latest, place))
        return [ordered[place] for _, place in sorted(placed)]

    def absorb(self, other: Group) -> None:
        self.bases = {**other.bases, **self.bases}
        self.loops = {**other.loops, **self.loops}
        self.tasks |= other.tasks
        self.hosts |= other.hosts
        self.files |= other.files
        self.sides |= other.sides
        self.about |= other.about
        self.contexts |= other.contexts
        self.span.absorb(other.span)
        for names, span in other._spans.items():
            self._spans.setdefault(names, Span()).absorb(span)
        self._seen.update(other._seen)
        self._kept += other._kept
        self._recent.extend(other._recent)

    def known_by(self, rules: Mapping[str, Rule]) -> None:
        """Forget every line, and what was counted of it, that none of `rules` knows."""
        counted = list(self._spans.items())
        self.contexts &= rules.keys()
        self.span, self._spans = Span(), {}
        for names, span in counted:
            left = tuple(name for name in names if name in rules)
            if any(rules[name].role is not Role.CONTEXT for name in left):
                self._spans.setdefault(left, Span()).absorb(span)
                self.span.absorb(span)
        self._kept = [seen for kept in self._kept if (seen := kept.known_by(rules))]
        self._recent = deque((seen for kept in self._recent if (seen := kept.known_by(rules))), maxlen=_LAST_OF_ALL)

    def _name(self, event: Event) -> None:
        if event.host and len(self.hosts) < _MOST_NAMES:
            self.hosts.add(event.host)
        if len(self.files) < _MOST_NAMES:
            self.files.add(event.source.file)
        if event.source.side:
            self.sides.add(event.source.side)

    def _keep(self, witness: Witness) -> None:
        each, most = (1, _FIRST_OF_RULE) if self.thrifty else (_FIRST_OF_RULE, _MOST_KEPT)
        names = [hit.rule.id for hit in witness.hits]
        rare = any(self._seen[name] < each for name in names)
        self._seen.update(names)
        if rare and len(self._kept) < most:
            self._kept.append(witness)
        elif not self.thrifty:
            self._recent.append(witness)
