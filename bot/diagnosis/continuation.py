"""Lines that belong to the entry above them, and entries that somebody's screen or mail has folded.

Whether a line bears a header is for `formats` to say; here it is told what a line without one, or one that is marked,
may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from itertools import pairwise

from bot.diagnosis.patterns import Pattern, compile_pattern
from bot.diagnosis.printable import whole_text

_HEAD = 512
_LONGEST_ENTRY = 32  # lines; a folded entry has few
_WIDTHS = range(40, 161)  # of screens, mails and pages that fold at words
_SCREENS = frozenset({72, 76, 78, 79, 80, 100, 120, 132, 160})  # which fold in the middle of a word, too


class Continuation(StrEnum):
    """How a line goes on with the entry above it."""

    ARROW = "arrow"  # `-->`, alone or behind a header
    MARKED = "marked"  # `In(166)[+]` of ESXi 8: another line of the same submission
    RECORD = "record"  # the rest of a lock record of vmkernel
    FRAME = "frame"  # a frame of a backtrace; these interleave with lines of other threads


def continuation_of(text: str) -> Continuation | None:
    """Return how a line shows by itself that it continues an entry, or None where it does not."""
    head = whole_text(text[:_HEAD]).lstrip(" \t>")
    return next((kind for kind, pattern in _patterns() if pattern.match(head)), None)


def wraps(entry: Sequence[str], text: str) -> bool:
    """Tell whether `text`, which bears no header, may be one entry with the lines above it, folded to a width.

    A line is folded where its next word found no room: every line but the last, and the first word of the line below
    it, are together wider than the widest of them. Or each line but the last is as wide as a screen, and words are
    torn. That is sound in one direction: what was folded is always told; a short line below a long one is told, too.
    """
    if not entry or not text.strip() or len(entry) >= _LONGEST_ENTRY or continuation_of(text) is not None:
        return False
    lines = [*entry, text]
    return _torn(lines) or _folded(lines)


def unfold(lines: Sequence[str]) -> str:
    """Return a folded entry as the one line it was; torn words are mended."""
    between = "" if len(lines) > 1 and _torn(lines) else " "
    return between.join(line.lstrip() if place else line for place, line in enumerate(lines))


def _folded(lines: Sequence[str]) -> bool:
    width = max(map(len, lines))
    if width not in _WIDTHS:
        return False
    return all(
        len(line) + 1 + len(below.split(maxsplit=1)[0]) > width for line, below in pairwise(lines) if below.strip()
    )


def _torn(lines: Sequence[str]) -> bool:
    *full, last = map(len, lines)
    return len(set(full)) == 1 and full[0] in _SCREENS and last <= full[0]


@cache
def _patterns() -> tuple[tuple[Continuation, Pattern], ...]:
    """Return what each kind looks like; the arrow was a dash of some width when it came through a word processor."""
    return (
        (
            Continuation.ARROW,
            compile_pattern(r"^(?:--|[\x{2013}\x{2014}])>|^(?:\d{4}-|<\d|[A-Z][a-z]{2} ).{1,120}?\S: *-->"),
        ),
        (Continuation.MARKED, compile_pattern(r"^\d{4}-\d\d-\S+ [A-Z][a-z]\(\d{1,3}\)(?:\[\+\]|\+) ")),
        (
            Continuation.RECORD,
            compile_pattern(
                r"^(?:.{0,80}vmkernel: )?(?:\[(?:type|Req mode|addr) \S|gen \d+, mode \d+, owner |num \d+ gblnum )"
            ),
        ),
        (Continuation.FRAME, compile_pattern(r"^(?:.{0,80}?[\w.-]+: )?(?:backtrace)?\[\d\d\] (?:rip|eip|\w+ rip) ")),
    )
