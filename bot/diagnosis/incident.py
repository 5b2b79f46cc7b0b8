"""Gathers lines into failures: by opID, else by task, else by time. Bounded, however much a log complains.

Nothing is judged here; `judge.py` says what a group means.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from bot.diagnosis.causes import Role
from bot.diagnosis.event import Event, LogKind
from bot.diagnosis.opid import is_internal, op_base
from bot.diagnosis.patterns import compile_pattern
from bot.diagnosis.rules import Hit

WINDOW = timedelta(seconds=30)  # lines without opID or task that are closer than this are one failure
MOST_GROUPS = 1000
_LINE_WINDOW = 50  # the same, in lines, where no time can be read
_FIRST_OF_RULE = 3
_LAST_OF_ALL = 12
_WAITING = 4096  # operations whose context is remembered in case they fail later
_CONTEXT_EACH = 4
_MOST_NAMES = 32
_NO_TIME = datetime.min.replace(tzinfo=UTC)  # sorts before every time
_TASK = compile_pattern(r"\b(?P<task>task-\d+)\b")

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Witness:
    """An event and the rules that know it."""

    event: Event
    hits: tuple[Hit, ...]

    @property
    def context_only(self) -> bool:
        return all(hit.rule.role is Role.CONTEXT for hit in self.hits)

    def captured(self, name: str) -> str | None:
        return next((hit.captured[name] for hit in self.hits if name in hit.captured), None)


@dataclass(slots=True)
class Group:
    """The lines of one failure, as many as are worth showing; the counts cover all of them."""

    bases: dict[str, str] = field(default_factory=dict)  # folded base to base as first spelled
    tasks: set[str] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)
    rules: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    first: datetime | None = None
    last: datetime | None = None
    kept: list[Witness] = field(default_factory=list)
    recent: deque[Witness] = field(default_factory=lambda: deque(maxlen=_LAST_OF_ALL))

    @property
    def anonymous(self) -> bool:
        """Nothing but time joins these lines."""
        return not self.bases and not self.tasks

    def add(self, witness: Witness) -> None:
        event = witness.event
        if task := witness.captured("task"):
            self.tasks.add(task)
        if event.host and len(self.hosts) < _MOST_NAMES:
            self.hosts.add(event.host)
        if not witness.context_only:
            self._count(witness)
        rare = any(self.rules[hit.rule.id] <= _FIRST_OF_RULE for hit in witness.hits)
        (self.kept if rare and len(self.kept) < _FIRST_OF_RULE * 16 else self.recent).append(witness)

    def _count(self, witness: Witness) -> None:
        self.lines += 1
        self.rules.update(hit.rule.id for hit in witness.hits)
        if (moment := witness.event.timestamp) is not None:
            self.first = min(self.first or moment, moment)
            self.last = max(self.last or moment, moment)

    def witnesses(self) -> list[Witness]:
        """Return what was kept in the order of time; lines whose time is unknown keep their place in their file."""
        ordered = sorted(
            (*self.kept, *self.recent), key=lambda witness: (witness.event.source.file, witness.event.source.line)
        )
        placed: list[tuple[datetime, int]] = []
        latest = _NO_TIME
        for place, witness in enumerate(ordered):
            latest = witness.event.timestamp or latest
            placed.append((latest, place))
        return [ordered[place] for _, place in sorted(placed)]

    def absorb(self, other: Group) -> None:
        self.bases = {**other.bases, **self.bases}
        self.tasks |= other.tasks
        self.hosts |= other.hosts
        self.rules.update(other.rules)
        self.lines += other.lines
        self.first = min(filter(None, (self.first, other.first)), default=None)
        self.last = max(filter(None, (self.last, other.last)), default=None)
        self.kept += other.kept
        self.recent.extend(other.recent)

    def within(self, other: Group, distance: timedelta) -> bool:
        """Tell whether the two overlap in time, or nearly; unknown times never do."""
        if self.first is None or self.last is None or other.first is None or other.last is None:
            return False
        return self.first - distance <= other.last and other.first - distance <= self.last


class Gathering:
    """Takes witnesses in any order and gives groups. `known` opIDs are bases by themselves, whatever their form."""

    def __init__(self, *, known: Sequence[str] = ()) -> None:
        self._known = tuple(known)
        self._named: dict[str, Group] = {}
        self._unnamed: dict[tuple[str, str | None], list[tuple[Group, int]]] = {}
        self._count = 0
        self._context: OrderedDict[str, list[Witness]] = OrderedDict()
        self._kernel: OrderedDict[str, str] = OrderedDict()
        self.dropped = 0

    def add(self, witness: Witness) -> None:
        if kernel_op := witness.captured("kernel_op"):
            _remember(self._kernel, _kernel_key(kernel_op), witness.captured("op_id") or "")
            return
        key = self._key(witness)
        if witness.context_only:
            self._add_context(key, witness)
        elif (group := self._group(key, witness)) is not None:
            group.add(witness)

    def groups(self) -> list[Group]:
        """Return all groups with at least one line of failure, earliest first."""
        self._join_kernel_operations()
        self._join_tasks()
        groups = [*self._named.values(), *_joined(group for opened in self._unnamed.values() for group, _ in opened)]
        return sorted(groups, key=_start)

    def _key(self, witness: Witness) -> str | None:
        op_id = witness.event.op_id
        if op_id and witness.event.kind is LogKind.VMKERNEL:
            return _kernel_key(op_id)
        if op_id and not is_internal(op_id):
            return op_base(op_id, known=self._known).casefold()
        found = _TASK.search(witness.event.text)
        return found.groupdict()["task"] if found else None

    def _add_context(self, key: str | None, witness: Witness) -> None:
        if key is None:
            return
        if key in self._named:
            self._named[key].add(witness)
        else:
            waiting = _remember(self._context, key, [])
            if len(waiting) < _CONTEXT_EACH:
                waiting.append(witness)

    def _group(self, key: str | None, witness: Witness) -> Group | None:
        if key is None:
            return self._unnamed_group(witness)
        group = self._named.get(key)
        if group is None and (group := self._open()) is not None:
            self._named[key] = group
            self._name(group, key, witness)
            for earlier in self._context.pop(key, ()):
                group.add(earlier)
        return group

    def _name(self, group: Group, key: str, witness: Witness) -> None:
        op_id = witness.event.op_id
        if _TASK.match(key):
            group.tasks.add(key)
        elif op_id and witness.event.kind is not LogKind.VMKERNEL:
            group.bases[key] = op_base(op_id, known=self._known)

    def _open(self) -> Group | None:
        if self._count >= MOST_GROUPS:
            self.dropped += 1
            return None
        self._count += 1
        return Group()

    def _unnamed_group(self, witness: Witness) -> Group | None:
        source, moment = witness.event.source, witness.event.timestamp
        opened = self._unnamed.setdefault((source.file, witness.event.host), [])
        for place, (group, line) in enumerate(reversed(opened), 1):
            near = _near(group, moment) if moment and group.last else abs(source.line - line) <= _LINE_WINDOW
            if near:
                opened[-place] = (group, source.line)
                return group
        fresh = self._open()
        if fresh is not None:
            opened.append((fresh, source.line))
        return fresh

    def _join_kernel_operations(self) -> None:
        for kernel_key, op_id in self._kernel.items():
            if is_internal(op_id) or kernel_key not in self._named:
                continue
            group = self._named.pop(kernel_key)
            base = op_base(op_id, known=self._known)
            self._named.setdefault(base.casefold(), Group(bases={base.casefold(): base})).absorb(group)

    def _join_tasks(self) -> None:
        """A task that one line names without opID and another with it is one operation."""
        owners = {task: group for key, group in self._named.items() for task in group.tasks if not _TASK.match(key)}
        for task in [key for key in self._named if _TASK.match(key) and key in owners]:
            owners[task].absorb(self._named.pop(task))


def _remember(memory: OrderedDict[str, V], key: str, value: V) -> V:
    """Return what is kept under `key`, now `value` if nothing was; forget the oldest key when there are too many."""
    kept = memory.setdefault(key, value)
    memory.move_to_end(key)
    if len(memory) > _WAITING:
        memory.popitem(last=False)
    return kept


def _kernel_key(op_id: str) -> str:
    return f"vmkernel {op_id.casefold()}"


def _start(group: Group) -> datetime:
    return group.first or _NO_TIME


def _near(group: Group, moment: datetime) -> bool:
    return group.first is not None and group.last is not None and group.first - WINDOW <= moment <= group.last + WINDOW


def _joined(groups: Iterable[Group]) -> Iterator[Group]:
    """Join nameless groups that touch in time on one host: rotated files, or the files of one host's programs."""
    ordered = sorted(groups, key=_start)
    result: list[Group] = []
    for group in ordered:
        before = next(
            (earlier for earlier in reversed(result) if earlier.hosts == group.hosts and earlier.within(group, WINDOW)),
            None,
        )
        if before is None:
            result.append(group)
        else:
            before.absorb(group)
    yield from result
