"""The one door to RE2: patterns that take linear time whatever a log throws at them. No other module imports `re2`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, cast

import re2

_NOTHING = rb"[^\x00-\xff]"


class PatternError(ValueError):
    """RE2 refuses the pattern; `str(error)` is its reason."""


class Match(Protocol):
    """What the room needs of a match."""

    def start(self) -> int: ...
    def groupdict(self) -> dict[str, str | None]: ...


class Pattern(Protocol):
    """A compiled pattern over text."""

    @property
    def groupindex(self) -> Mapping[str, int]: ...
    def search(self, text: str) -> Match | None: ...
    def match(self, text: str) -> Match | None: ...


class BytePattern(Protocol):
    """A compiled pattern over raw bytes; `position` and `end` spare a copy of the buffer."""

    def search(self, data: bytes, position: int = 0, end: int | None = None) -> Match | None: ...


def _options(*, raw_bytes: bool) -> re2.Options:
    options = re2.Options()
    options.log_errors = False  # RE2 would print to stderr by itself
    if raw_bytes:
        options.encoding = re2.Options.Encoding.LATIN1
    return options


def compile_pattern(pattern: str) -> Pattern:
    """Compile, or raise PatternError: look-arounds and back-references are not in RE2's language."""
    try:
        return cast("Pattern", re2.compile(pattern, options=_options(raw_bytes=False)))
    except re2.error as refusal:
        reason = refusal.args[0] if refusal.args else "unknown reason"
        raise PatternError(reason.decode() if isinstance(reason, bytes) else str(reason)) from refusal


def any_of(literals: Iterable[bytes]) -> BytePattern:
    """One automaton for all `literals`, however many; none at all matches nothing."""
    # Longest first: RE2 prefers the left alternative, and a hit should span the most telling needle.
    ordered = sorted(set(literals), key=lambda literal: (-len(literal), literal))
    pattern = b"|".join(map(re2.escape, ordered)) or _NOTHING
    return cast("BytePattern", re2.compile(pattern, options=_options(raw_bytes=True)))
