"""Finds VMs by what people type, fast enough to do so between two messages: dictionaries for what is exact, and for
near misses a short list of names that share pairs of letters, which alone are compared in full. Pure.

Rows come and go one at a time, each in some microseconds, so whoever keeps an index up to date never holds others up.
They are kept as plain text; what is found is made into records then.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from itertools import islice
from typing import Final

from bot.migration.request import VCenterName
from bot.vsphere.inventory_line import Line
from bot.vsphere.port import InventoryVm

FEW: Final = 5
"""With so many names that contain what was typed, nobody is looking for one that only looks like it."""

SHORT_LIST: Final = 50
"""Names compared in full; comparing all of 20,000 would hold everybody else up for a third of a second."""

MOST_COUNTED: Final = 20_000
"""Names that are counted for that list, those with the rarest pairs first: what all share tells none from another."""

WORN: Final = 1_000
"""Names that may have gone from an index at least before it counts as worn."""

_PLAIN_QUOTES: Final = str.maketrans("\u201c\u201d\u201e\u2018\u2019\u201a", "\"\"\"'''")


class NameIndex:
    """An index over the rows of one vCenter, by its id of each VM."""

    def __init__(self, vcenter: VCenterName) -> None:
        self._vcenter = vcenter
        self._lines: dict[str, tuple[str, ...]] = {}  # plain tuples of text: the garbage collector soon passes them by
        self._by_name: dict[str, tuple[str, ...]] = {}
        self._by_tail: dict[str, tuple[str, ...]] = {}
        self._by_uuid: dict[str, tuple[str, ...]] = {}
        self._names: list[str] = []
        self._by_pair: dict[str, list[str]] = defaultdict(list)
        self._paired: set[str] = set()

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def worn(self) -> bool:
        """Say whether so many names have gone that a new index would be better: they stay in the lists of pairs."""
        return len(self._paired) > 2 * len(self._names) + WORN

    def put(self, vm: str, line: Line) -> None:
        """Take in a row, in place of the one that this VM had."""
        known = self._lines.get(vm)
        if known == line:
            return
        self.forget(vm)
        self._lines[vm] = tuple(line)
        name = _folded(line.name)
        if name not in self._by_name:
            self._list(name)
        _add(self._by_name, name, vm)
        _add(self._by_uuid, _folded(line.uuid), vm)
        if (tail := _tail(line.path)) != name:  # vCenter escapes what a name in a path may not show
            _add(self._by_tail, tail, vm)

    def forget(self, vm: str) -> None:
        """Drop the row of a VM, if it has one."""
        known = self._lines.pop(vm, None)
        if known is None:
            return
        line = Line._make(known)
        name = _folded(line.name)
        _drop(self._by_name, name, vm)
        _drop(self._by_uuid, _folded(line.uuid), vm)
        _drop(self._by_tail, _tail(line.path), vm)
        if name not in self._by_name:
            del self._names[bisect_left(self._names, name)]

    def exact(self, text: str) -> Sequence[InventoryVm]:
        """Rows whose name, path or UUID is this text, by path."""
        return self._records(line for line in self._candidates(text) if text in {line.name, line.path, line.uuid})

    def folded(self, text: str) -> Sequence[InventoryVm]:
        """The same, but for case and ways of writing."""
        wanted = _folded(text)
        return self._records(
            line
            for line in self._candidates(text)
            if wanted in {_folded(line.name), _folded(line.path), _folded(line.uuid)}
        )

    def near(self, text: str, *, limit: int) -> Sequence[InventoryVm]:
        """Names that begin with the text, then those that contain it, then those that look like it.

        Those last only if there are few others. Nothing typed yet: the first ones there are.
        """
        wanted = _folded(text)
        names = list(islice(self._beginning(wanted), limit))
        if wanted and len(names) < limit:
            within = (name for name in self._names if wanted in name and not name.startswith(wanted))
            names += islice(within, limit - len(names))
        if wanted and len(names) < min(limit, FEW):
            names += get_close_matches(wanted, self._short_list(wanted), n=limit)
        found = (vm for name in dict.fromkeys(names) for vm in self._named(name))
        return [vm for vm, _ in zip(found, range(limit), strict=False)]

    def _list(self, name: str) -> None:
        insort(self._names, name)
        if name not in self._paired:
            self._paired.add(name)
            for pair in set(_pairs(name)):
                self._by_pair[pair].append(name)

    def _candidates(self, text: str) -> list[Line]:
        wanted = _folded(text)
        found = [*self._by_name.get(wanted, ()), *self._by_uuid.get(wanted, ())]
        if wanted.startswith("/"):
            tail = _tail(wanted)
            found += [*self._by_name.get(tail, ()), *self._by_tail.get(tail, ())]
        return [Line._make(self._lines[vm]) for vm in dict.fromkeys(found)]

    def _records(self, lines: Iterable[Line]) -> list[InventoryVm]:
        return [line.vm(self._vcenter) for line in sorted(lines, key=lambda line: line.path)]

    def _named(self, name: str) -> list[InventoryVm]:
        return self._records(Line._make(self._lines[vm]) for vm in self._by_name[name])

    def _beginning(self, wanted: str) -> Iterator[str]:
        for at in range(bisect_left(self._names, wanted), len(self._names)):
            if not self._names[at].startswith(wanted):
                return
            yield self._names[at]

    def _short_list(self, wanted: str) -> list[str]:
        rarest = sorted((self._by_pair[pair] for pair in set(_pairs(wanted)) if pair in self._by_pair), key=len)
        shared: Counter[str] = Counter()
        counted = 0
        for names in rarest:
            counted += len(names)
            if shared and counted > MOST_COUNTED:
                break
            shared.update(names)
        return [name for name, _ in shared.most_common(SHORT_LIST) if name in self._by_name]


def _add(index: dict[str, tuple[str, ...]], text: str, vm: str) -> None:
    index[text] = (*index.get(text, ()), vm)


def _drop(index: dict[str, tuple[str, ...]], text: str, vm: str) -> None:
    left = tuple(other for other in index.get(text, ()) if other != vm)
    if left:
        index[text] = left
    else:
        index.pop(text, None)


def _tail(path: str) -> str:
    return _folded(path.rpartition("/")[2])


def _folded(name: str) -> str:
    """What two ways of writing one name have in common: a Mac composes letters, a phone embellishes quotes."""
    if name.isascii():
        return name.casefold()
    visible = "".join(c for c in name.translate(_PLAIN_QUOTES) if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFC", visible).casefold()


def _pairs(text: str) -> Iterator[str]:
    """Neighbouring letters, the first and the last one with the edge."""
    edged = f"\0{text}\0"
    return (edged[at : at + 2] for at in range(len(edged) - 1))
