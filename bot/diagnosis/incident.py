"""Gathers lines into failures: by opID, else by task, else by time. Bounded, however much a log complains.

Nothing is judged here; `judge.py` says what a group means.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from bot.diagnosis.event import LogKind
from bot.diagnosis.group import Group, Span, Witness
from bot.diagnosis.opid import is_internal, op_base
from bot.diagnosis.patterns import compile_pattern

WINDOW = timedelta(seconds=30)  # lines without opID or task that are closer than this are one failure
ROOMY_GROUPS = 1_000
MOST_GROUPS = 5_000
_LINE_WINDOW = 50  # the same, in lines, where no time can be read
_WAITING = 4096  # operations whose context is remembered in case they fail later
_SHORTEST_BASE = 7  # of an opID that may be another's beginning: "vsan" says nothing
_REACH = 64  # the newest groups of a file that a nameless line may belong to
_CONTEXT_EACH = 4
_NO_TIME = datetime.min.replace(tzinfo=UTC)  # sorts before every time
_TASK = compile_pattern(r"\b(?P<task>task-\d+)\b")

V = TypeVar("V")


class Gathering:
    """Takes witnesses in any order and gives groups. `known` opIDs are bases by themselves, whatever their form.

    The first `ROOMY_GROUPS` failures keep their lines, later ones up to `MOST_GROUPS` only a few. Of what comes after
    that, `left_out` counts lines by rule.
    """

    def __init__(self, *, known: Sequence[str] = ()) -> None:
        self._known = tuple(known)
        self._named: dict[str, Group] = {}
        self._nameless: dict[tuple[str, str | None], list[tuple[Group, int]]] = {}
        self._count = 0
        self._context: OrderedDict[str, list[Witness]] = OrderedDict()
        self._kernel: OrderedDict[str, str] = OrderedDict()
        self.left_out: Counter[str] = Counter()

    def add(self, witness: Witness) -> None:
        if kernel_op := witness.captured("kernel_op"):
            _remember(self._kernel, _kernel_key(kernel_op), witness.captured("op_id") or "")
            return
        key = self._key(witness)
        if witness.context_only:
            self._add_context(key, witness)
        elif (group := self._group(key, witness)) is not None:
            group.add(witness)
        else:
            self.left_out.update(hit.rule.id for hit in witness.hits)

    def groups(self) -> list[Group]:
        """Return all groups with at least one line of failure, earliest first."""
        self._join_kernel_operations()
        self._join_tasks()
        self._join_callees()
        nameless = _joined(group for opened in self._nameless.values() for group, _ in opened)
        return sorted([*self._named.values(), *nameless], key=_start)

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
            self._add_nameless_context(witness)
        elif key in self._named:
            self._named[key].add(witness)
        else:
            waiting = _remember(self._context, key, [])
            if len(waiting) < _CONTEXT_EACH:
                waiting.append(witness)

    def _group(self, key: str | None, witness: Witness) -> Group | None:
        if key is None:
            return self._nameless_group(witness)
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
            return None
        self._count += 1
        return Group(thrifty=self._count > ROOMY_GROUPS)

    def _nameless_group(self, witness: Witness) -> Group | None:
        place = _place(witness)
        opened = self._nameless.setdefault(place, [])
        group = _nearest(opened, witness)
        if group is None and (group := self._open()) is not None:
            opened.append((group, witness.event.source.line))
            if witness.event.op_id:
                group.loops[witness.event.op_id.casefold()] = witness.event.op_id
            for earlier in self._context.pop(_waiting_key(place), ()):
                if _nearest(opened[-1:], earlier):
                    group.add(earlier)
        return group

    def _add_nameless_context(self, witness: Witness) -> None:
        """Context that bears no name waits for a failure close to it, and only the newest of it is kept."""
        place = _place(witness)
        if group := _nearest(self._nameless.get(place, []), witness):
            group.add(witness)
            return
        waiting = _remember(self._context, _waiting_key(place), [])
        del waiting[: max(0, len(waiting) - _CONTEXT_EACH + 1)]
        waiting.append(witness)

    def _join_kernel_operations(self) -> None:
        for kernel_key, op_id in self._kernel.items():
            if is_internal(op_id) or kernel_key not in self._named:
                continue
            group = self._named.pop(kernel_key)
            base = op_base(op_id, known=self._known)
            self._named.setdefault(base.casefold(), Group(bases={base.casefold(): base})).absorb(group)

    def _join_callees(self) -> None:
        """An opID that continues another one behind a dash is a call of that operation, whatever its form."""
        for key in sorted(self._named, key=len, reverse=True):
            dashes = [place for place, letter in enumerate(key) if letter == "-" and place >= _SHORTEST_BASE]
            caller = next((key[:dash] for dash in reversed(dashes) if key[:dash] in self._named), None)
            if caller is not None:
                group = self._named.pop(key)
                group.bases.pop(key, None)
                self._named[caller].absorb(group)

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


def _place(witness: Witness) -> tuple[str, str | None]:
    """Return where nameless lines are neighbours: in one housekeeping call, else in one file of one host."""
    event = witness.event
    return ("loop", event.op_id.casefold()) if event.op_id else (event.source.file, event.host)


def _waiting_key(place: tuple[str, str | None]) -> str:
    return f"{place[0]}\n{place[1]}"


def _nearest(opened: list[tuple[Group, int]], witness: Witness) -> Group | None:
    """Return the group that this line touches in time or, without times, in lines; it reaches as far as this then."""
    source, moment = witness.event.source, witness.event.timestamp
    for place, (group, line) in enumerate(reversed(opened[-_REACH:]), 1):
        here = Span(1, moment, moment)
        timed = moment is not None and group.span.first is not None
        if group.span.within(here, WINDOW) if timed else abs(source.line - line) <= _LINE_WINDOW:
            opened[-place] = (group, source.line)
            return group
    return None


def _start(group: Group) -> datetime:
    return group.span.first or _NO_TIME


def _joined(groups: Iterable[Group]) -> Iterator[Group]:
    """Join nameless groups that touch in time on one host: rotated files, or the files of one host's programs."""
    result: list[Group] = []
    for group in sorted(groups, key=_start):
        before = next((earlier for earlier in reversed(result[-_REACH:]) if _one_failure(earlier, group)), None)
        if before is None:
            result.append(group)
        else:
            before.absorb(group)
    yield from result


def _one_failure(earlier: Group, later: Group) -> bool:
    alike = earlier.hosts == later.hosts and earlier.loops.keys() == later.loops.keys()
    return alike and earlier.span.within(later.span, WINDOW)
