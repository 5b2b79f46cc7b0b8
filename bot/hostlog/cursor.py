"""Where a reader is in a growing log that may be rotated under it. Pure: it says what to ask for and what came of it.

A line number alone cannot tell whether the file is still the same one, so each read begins at the last line that was
delivered and compares it. Lines that were written after the last read and before a rotation are out of reach: a
rotation is therefore told to whoever reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MARK_LENGTH = 512


@dataclass(frozen=True, slots=True)
class Line:
    """A line by its number in the file."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What one read gave. `more`: ask again at once, from `cursor`."""

    cursor: Cursor
    lines: tuple[Line, ...]
    rotated: bool
    more: bool


@dataclass(frozen=True, slots=True)
class Cursor:
    """`next` is the number of the line to be delivered next; `mark` how the line before it begins, if there is one."""

    next: int = 1
    mark: str | None = None

    @property
    def start(self) -> int:
        """The number of the first line to ask for: the last delivered one, to see whether it is still there."""
        return self.next - 1 if self._checks else self.next

    @property
    def _checks(self) -> bool:
        return self.mark is not None and self.next > 1

    def take(self, lines: Sequence[str], *, last: int) -> Taken:
        """Make sense of the lines that were found from `start` on, in a file whose last line is `last`."""
        if not self._checks:
            return ROTATED if last < self.next - 1 else _advance(self, lines, last)
        if not lines or not lines[0].startswith(str(self.mark)) or (self.mark == "" != lines[0]):
            return ROTATED
        if lines[0] == self.mark or len(str(self.mark)) == MARK_LENGTH:
            return _advance(self, lines[1:], last)
        return _advance(Cursor(self.next - 1), lines, last)  # it had been read half written: deliver it whole


def mark_of(line: str) -> str:
    """Return what is remembered of a line to know it again."""
    return line[:MARK_LENGTH]


def _advance(cursor: Cursor, lines: Sequence[str], last: int) -> Taken:
    ready = list(lines)
    if cursor.next + len(ready) > last:
        while ready and not ready[-1]:  # an empty last line may be one that is just being written
            ready.pop()
    found = tuple(Line(number, text) for number, text in enumerate(ready, start=cursor.next))
    if not found:
        return Taken(cursor, (), rotated=False, more=False)
    moved = Cursor(cursor.next + len(found), mark_of(found[-1].text))
    return Taken(moved, found, rotated=False, more=moved.next <= last and len(ready) == len(lines))


ROTATED = Taken(Cursor(), (), rotated=True, more=True)
"""The file is another one: its first line is next, and what the old one got last is lost."""
