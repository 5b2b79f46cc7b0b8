"""From all lines of a log to those worth keeping: candidates and their neighbours. Pure, one log at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bot.hostlog.cursor import Line

LINES_BEFORE = 2
LINES_AFTER = 3

Keep = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Vicinity:
    """What must be known of the lines so far to go on: the last ones not delivered, and how many are still to be."""

    before: tuple[Line, ...] = ()
    after: int = 0

    def to_json(self) -> str:
        return json.dumps([self.after, *([line.number, line.text] for line in self.before)], ensure_ascii=False)

    @staticmethod
    def from_json(text: str) -> Vicinity:
        after, *before = json.loads(text)
        return Vicinity(tuple(Line(number, line) for number, line in before), after)


class Sieve:
    """Lets candidates through with two lines before and three after them, each line once and in order."""

    def __init__(self, keep: Keep, vicinity: Vicinity | None = None) -> None:
        self._keep = keep
        self.vicinity = vicinity or Vicinity()

    def take(self, lines: Iterable[Line]) -> list[Line]:
        """Return the lines to be delivered."""
        return [kept for line in lines for kept in self._next(line)]

    def _next(self, line: Line) -> Iterator[Line]:
        before, after = self.vicinity.before, self.vicinity.after
        if self._keep(line.text):
            yield from (*before, line)
            self.vicinity = Vicinity((), LINES_AFTER)
        elif after > 0:
            yield line
            self.vicinity = Vicinity((), after - 1)
        else:
            self.vicinity = Vicinity((*before, line)[-LINES_BEFORE:], 0)
