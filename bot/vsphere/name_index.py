"""Finds VMs by what people type, fast enough to do so between two messages: dictionaries for what is exact, and for
near misses a short list of names that share pairs of letters, which alone are compared in full. Pure.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from heapq import nsmallest
from typing import Final

from bot.vsphere.port import InventoryVm

SHORT_LIST: Final = 100
"""Names compared in full; comparing all of 20,000 would hold everybody else up for a third of a second."""


_PLAIN_QUOTES: Final = str.maketrans("\u201c\u201d\u201e\u2018\u2019\u201a", "\"\"\"'''")


class NameIndex:
    """An index over rows that do not change. Building it takes some milliseconds per thousand rows."""

    def __init__(self, rows: Iterable[InventoryVm]) -> None:
        self._exact: dict[str, list[InventoryVm]] = defaultdict(list)
        self._folded: dict[str, list[InventoryVm]] = defaultdict(list)
        self._by_pair: dict[str, list[str]] = defaultdict(list)
        self._named: dict[str, list[InventoryVm]] = defaultdict(list)
        for row in rows:
            for text in {row.ref.name, row.path, row.ref.uuid}:
                self._exact[text].append(row)
            for text in {_folded(row.ref.name), _folded(row.path), _folded(row.ref.uuid)}:
                self._folded[text].append(row)
            self._named[_folded(row.ref.name)].append(row)
        for name in self._named:
            for pair in set(_pairs(name)):
                self._by_pair[pair].append(name)

    def exact(self, text: str) -> Sequence[InventoryVm]:
        """Rows whose name, path or UUID is this text."""
        return self._exact.get(text, ())

    def folded(self, text: str) -> Sequence[InventoryVm]:
        """The same, but for case and ways of writing."""
        return self._folded.get(_folded(text), ())

    def near(self, text: str, *, limit: int) -> Sequence[InventoryVm]:
        """Names that begin with the text, then those that contain it, then those that look like it.

        Nothing typed yet: the first ones there are.
        """
        wanted = _folded(text)
        names = nsmallest(limit, (name for name in self._named if wanted in name), key=lambda name: _rank(name, wanted))
        if wanted and len(names) < limit:
            names += get_close_matches(wanted, self._short_list(wanted), n=limit)
        rows = [row for name in dict.fromkeys(names) for row in self._named[name]]
        return rows[:limit]

    def _short_list(self, wanted: str) -> list[str]:
        shared = Counter(name for pair in set(_pairs(wanted)) for name in self._by_pair.get(pair, ()))
        return [name for name, _ in shared.most_common(SHORT_LIST)]


def _folded(name: str) -> str:
    """What two ways of writing one name have in common: a Mac composes letters, a phone embellishes quotes."""
    if name.isascii():
        return name.casefold()
    visible = "".join(c for c in name.translate(_PLAIN_QUOTES) if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFC", visible).casefold()


def _rank(name: str, wanted: str) -> tuple[bool, str]:
    return not name.startswith(wanted), name


def _pairs(text: str) -> Iterator[str]:
    """Neighbouring letters, the first and the last one with the edge."""
    edged = f"\0{text}\0"
    return (edged[at : at + 2] for at in range(len(edged) - 1))
