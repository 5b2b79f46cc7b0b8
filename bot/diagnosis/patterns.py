"""The one door to RE2: patterns that take linear time whatever a log throws at them. No other module imports `re2`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, Protocol, cast

import re2

_NOTHING = rb"[^\x00-\xff]"


class PatternError(ValueError):
    """RE2 refuses the pattern; `str(error)` is its reason."""


class Match(Protocol):
    """What the room needs of a match."""

    def start(self) -> int: ...
    def end(self) -> int: ...
    def groupdict(self) -> dict[str, str | None]: ...


class Pattern(Protocol):
    """A compiled pattern over text."""

    @property
    def groupindex(self) -> Mapping[str, int]: ...
    def search(self, text: str) -> Match | None: ...
    def match(self, text: str) -> Match | None: ...


class BytePattern(Protocol):
    """A compiled pattern over raw bytes; `position` and `end` spare a copy of the buffer."""

    def search(self, data: bytes | bytearray, position: int = 0, end: int | None = None) -> Match | None: ...


class HeadPattern:
    """A compiled pattern that is tried at the start of Latin-1 bytes, where a byte is a character."""

    __slots__ = ("_pattern", "groups")

    def __init__(self, pattern: str) -> None:
        try:
            encoded = pattern.encode("latin-1")
        except UnicodeEncodeError as refusal:
            raise PatternError("only Latin-1 letters may stand in the pattern of a header") from refusal
        self._pattern = _compiled(encoded, raw_bytes=True)
        self.groups = {name.decode(): index for name, index in self._pattern.groupindex.items()}

    def spans(self, head: bytes) -> Sequence[tuple[int, int]] | None:
        """Return where each group lies, (-1, -1) for one that took no part, or None where nothing fits."""
        found = self._pattern.match(head)
        # The public span() asks C++ for the number of groups each time, which costs more than the match.
        return None if found is None else cast("Sequence[tuple[int, int]]", found._spans)  # noqa: SLF001


def _options(*, raw_bytes: bool) -> re2.Options:
    options = re2.Options()
    options.log_errors = False  # RE2 would print to stderr by itself
    if raw_bytes:
        options.encoding = re2.Options.Encoding.LATIN1
    return options


def compile_pattern(pattern: str) -> Pattern:
    """Compile, or raise PatternError: look-arounds and back-references are not in RE2's language."""
    return cast("Pattern", _compiled(pattern, raw_bytes=False))


@cache
def compiled(pattern: str) -> Pattern:
    """Compile a pattern that is known to be sound when it is first needed, and keep it."""
    return compile_pattern(pattern)


def _compiled(pattern: str | bytes, *, raw_bytes: bool) -> Any:
    try:
        return re2.compile(pattern, options=_options(raw_bytes=raw_bytes))
    except re2.error as refusal:
        reason = refusal.args[0] if refusal.args else "unknown reason"
        raise PatternError(reason.decode() if isinstance(reason, bytes) else str(reason)) from refusal


def any_of(literals: Iterable[bytes]) -> BytePattern:
    """One automaton for all `literals`, however many; none at all matches nothing."""
    # Longest first: RE2 prefers the left alternative, and a hit should span the most telling needle.
    ordered = sorted(set(literals), key=lambda literal: (-len(literal), literal))
    pattern = b"|".join(map(re2.escape, ordered)) or _NOTHING
    return cast("BytePattern", re2.compile(pattern, options=_options(raw_bytes=True)))


class LiteralSet:
    """Tells which of some plain strings a text holds: all of them in one pass, once that is worth preparing."""

    _FEW = 64  # texts; to look for each string by itself costs as much for so many as preparing the set

    def __init__(self, literals: Iterable[str]) -> None:
        self._literals = tuple(literals)
        self._asked = 0

    def held_by(self, text: str) -> list[int]:
        """Return the places of those strings in the order in which they were given; unsorted."""
        self._asked += 1
        if self._asked <= self._FEW:
            return [place for place, literal in enumerate(self._literals) if literal in text]
        return self._set.Match(text) or []  # the binding says None for none

    @cached_property
    def _set(self) -> Any:
        prepared = re2.Set.SearchSet(_options(raw_bytes=False))
        for literal in self._literals:
            prepared.Add(re2.escape(literal))
        prepared.Compile()
        return prepared
