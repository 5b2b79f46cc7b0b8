"""The candidate lines of the last minutes, and which of them a new one may belong with. Bounded; nothing is judged.

A failure is told over seconds, by several hosts, so every new line is read together with those around it: all lines of
its operation wherever they were written, and what its host wrote just before.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from bot.diagnosis.event import SourceLine
from bot.diagnosis.opid import is_internal, op_base, op_ids_in
from bot.hostlog.line import HostKey, LogLine
from bot.logs.port import Watched

SPAN: Final = timedelta(minutes=15)
"""How long a line is remembered after it came."""

NEAR: Final = timedelta(minutes=2)
"""Lines of a host that bear no opID belong together if they are closer than this; the engine asks for 30 s."""

MOST_OF_A_HOST: Final = 500
MOST: Final = 60_000
MOST_OPERATIONS: Final = 20_000
"""A host that floods may name another operation in each line."""


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """`order` counts lines as they came, over all hosts."""

    order: int
    line: LogLine
    operations: frozenset[str]


@dataclass(slots=True)
class _Host:
    kept: deque[_Kept] = field(default_factory=lambda: deque(maxlen=MOST_OF_A_HOST))
    known: set[tuple[str, str]] = field(default_factory=set)


class WatchMemory:
    """Give it entries of the fleet's stream; it gives back the lines that have to be read again because of them."""

    def __init__(self, *, span: timedelta = SPAN, near: timedelta = NEAR) -> None:
        self._span = span
        self._near = near
        self._hosts: defaultdict[HostKey, _Host] = defaultdict(_Host)
        self._operations: defaultdict[str, deque[_Kept]] = defaultdict(lambda: deque(maxlen=MOST_OF_A_HOST))
        self._count = 0

    def take(self, entries: Iterable[Watched]) -> list[SourceLine]:
        """Remember the lines of these entries. Returns them with all that they may belong to, each once.

        A line that a host wrote once and that came twice (it sends to two receivers) is one line.
        """
        new = [kept for entry in entries for kept in self._remember(entry)]
        if not new:
            return []
        self._forget(before=new[-1].line.seen_at - self._span)
        return _as_read(self._around(new))

    def everything(self) -> list[SourceLine]:
        """All lines that are remembered."""
        return _as_read(kept for host in self._hosts.values() for kept in host.kept)

    def _remember(self, entry: Watched) -> Iterator[_Kept]:
        host = self._hosts[entry.host]
        for item in entry.items:
            if not isinstance(item, LogLine) or (item.log, item.text) in host.known:
                continue
            self._count += 1
            kept = _Kept(self._count, item, _operations(item.text))
            if len(host.kept) == MOST_OF_A_HOST:
                self._drop(host, host.kept[0])
            host.kept.append(kept)
            host.known.add((item.log, item.text))
            for operation in kept.operations:
                self._operations[operation].append(kept)
            yield kept

    def _drop(self, host: _Host, kept: _Kept) -> None:
        host.known.discard((kept.line.log, kept.line.text))

    def _around(self, new: Sequence[_Kept]) -> Iterator[_Kept]:
        for name in {kept.line.host for kept in new}:
            host = self._hosts[name]
            newest = max(kept.line.seen_at for kept in islice(reversed(host.kept), 1))
            yield from (kept for kept in host.kept if kept.line.seen_at >= newest - self._near)
        for operation in {operation for kept in new for operation in kept.operations}:
            yield from self._operations[operation]

    def _forget(self, *, before: datetime) -> None:
        """Let go of what is too old, and of the oldest of all hosts if there is too much altogether."""
        for name in [name for name, host in self._hosts.items() if not host.kept or _oldest(host.kept) < before]:
            host = self._hosts[name]
            while host.kept and _oldest(host.kept) < before:
                self._drop(host, host.kept.popleft())
            if not host.kept:
                del self._hosts[name]
        for operation in [name for name, kept in self._operations.items() if _oldest(kept) < before]:
            lines = self._operations[operation]
            while lines and _oldest(lines) < before:
                lines.popleft()
            if not lines:
                del self._operations[operation]
        self._stay_within()

    def _stay_within(self) -> None:
        while sum(len(host.kept) for host in self._hosts.values()) > MOST:
            largest = max(self._hosts.values(), key=lambda host: len(host.kept))
            self._drop(largest, largest.kept.popleft())
        for oldest in list(islice(self._operations, max(0, len(self._operations) - MOST_OPERATIONS))):
            del self._operations[oldest]


def _oldest(kept: deque[_Kept]) -> datetime:
    return kept[0].line.seen_at


def _operations(text: str) -> frozenset[str]:
    return frozenset(op_base(found).casefold() for found in op_ids_in(text) if not is_internal(found))


def _as_read(kept: Iterable[_Kept]) -> list[SourceLine]:
    """As the diagnosis reads them: each once, in the order in which they came, every log under a name of its own."""
    unique = {one.order: one.line for one in kept}
    return [_source_line(unique[order]) for order in sorted(unique)]


def _source_line(line: LogLine) -> SourceLine:
    name = line.host.partition("/")[2]
    return SourceLine(file=f"{name} {line.log}.log", line=line.number, text=line.text, host=name)
