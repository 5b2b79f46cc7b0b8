"""Puts the fragments of big files together that lie in one archive, in whatever order they come.

A set is given out as soon as its shape says that it is whole: all fragments have one size, but the last, which is
smaller. So the temporary file holds little more than the set that is being read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.diagnosis.inputs.budget import Budget
from bot.diagnosis.inputs.fragments import missing_words
from bot.diagnosis.inputs.member import Stream, UnreadableError
from bot.diagnosis.inputs.sniffing import HEAD, Kind, kind_of
from bot.diagnosis.inputs.spool import Piece, Spool
from bot.diagnosis.inputs.streams import Joined, Literal, Looked, Segment
from bot.diagnosis.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Whole:
    """A file put together. `missing` says what is not in it, and is empty when nothing is known to be missing."""

    name: str
    stream: Stream
    modified: datetime | None
    missing: str


@dataclass(slots=True)
class _Set:
    modified: datetime | None
    pieces: dict[int, Piece] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        last = len(self.pieces) - 1
        return (
            last in self.pieces  # as many as the highest number says
            and max(self.pieces) == last
            and self.pieces[last].size < self.pieces[0].size
        )


class Reassembly:
    """The fragments of one archive."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._spool: Spool | None = None
        self._sets: dict[str, _Set] = {}
        self._unwanted: set[str] = set()
        self._given: dict[str, int] = {}  # how many fragments of a file were given out: a later one goes on from there

    def refuse(self, name: str) -> None:
        """Take no fragments of this file: it is no log."""
        self._unwanted.add(name)
        self._sets.pop(name, None)

    def wants(self, name: str) -> bool:
        return name not in self._unwanted

    def add(self, name: str, number: int, body: Stream, modified: datetime | None) -> UnreadableError | None:
        """Keep a fragment, the first of its number, and return why not all of it could be kept.

        Raises UnreadableError without a place to keep anything.
        """
        self._spool = self._spool or Spool(self._budget)
        if number < self._given.get(name, 0):
            return None
        found = self._sets.setdefault(name, _Set(modified))
        if number in found.pieces:
            return None
        found.pieces[number] = piece = self._spool.add(body)
        return piece.failure

    def whole(self, name: str) -> Iterator[Whole]:
        """Yield the file if all of it is there. What is yielded is valid until the next call of anything."""
        if name in self._sets and self._sets[name].whole:
            yield self._take(name)
            self._give_back()

    def rest(self) -> Iterator[Whole]:
        """Yield what nobody could know to be whole before the archive ended."""
        for name in list(self._sets):
            yield self._take(name)
        self._give_back()

    def close(self) -> None:
        if self._spool is not None:
            self._spool.close()

    def _take(self, name: str) -> Whole:
        assert self._spool is not None  # noqa: S101 - for the type checker
        found = self._sets.pop(name)
        numbers = sorted(found.pieces)
        streams: list[Stream] = [
            Segment(self._spool.file, found.pieces[number].start, found.pieces[number].size) for number in numbers
        ]
        missing = missing_words(numbers, self._given.get(name, 0))
        self._given[name] = numbers[-1] + 1
        return Whole(name, joined(numbers, streams), found.modified, missing)

    def _give_back(self) -> None:
        if self._spool is not None and not self._sets:
            self._spool.clear()


def joined(numbers: Sequence[int], streams: Sequence[Stream]) -> Stream:
    """Join fragments. Where one of a text is missing, a line ends, lest two halves look like one line."""
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return Joined(streams)
    first = Looked(streams[0])
    text = kind_of(first.look(HEAD)) is Kind.TEXT
    parts: list[Stream] = [first]
    for before, number, stream in zip(numbers, numbers[1:], streams[1:], strict=False):
        if text and number != before + 1:
            parts.append(Literal(b"\n"))
        parts.append(stream)
    return Joined(parts)
