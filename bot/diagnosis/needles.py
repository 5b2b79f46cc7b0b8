"""Seeks all needles of the catalogue at once in big blocks of raw bytes: the first, cheapest look at a log.

Three engines that find the same lines: for little data, one plain search for each needle, which needs no preparation;
for more, Hyperscan, the only user of that library; RE2 where Hyperscan has no wheel. What lines mean is not known here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from bot.diagnosis.patterns import BytePattern, any_of
from bot.diagnosis.shelf import kept

# Bytes of one stream; beyond, preparing the next engine costs less than going on with the one before.
PLAIN_UP_TO = 16 * 1024
RE2_UP_TO = 4 * 1024 * 1024
_KEPT = Path(__file__).with_name("needles-hyperscan")


class Finder(Protocol):
    """Seeks the needles in `buffer[start:stop]`. Not to be shared by threads.

    Returns offsets in ascending order, each of some byte within a needle, one or more in every line that holds one.
    """

    def __call__(self, buffer: bytearray, start: int, stop: int, /) -> list[int]: ...


class Needles:
    """A fixed set of plain strings, compared byte by byte. What serves several scans is prepared once, and late."""

    def __init__(self, texts: Iterable[str], *, kept_as: Path = _KEPT) -> None:
        """Raise ValueError for an empty text or one of several lines, which no line could hold."""
        self._kept_as = kept_as
        self.literals = tuple(sorted({text.encode() for text in texts}))
        if bad := [literal for literal in self.literals if not literal or b"\n" in literal]:
            raise ValueError(f"not a needle: {bad[0]!r}")

    def held_by(self, line: bytes) -> bool:
        """Tell whether `line` holds a needle."""
        return self._automaton.search(line) is not None

    def finder(self) -> Finder:
        """Return a finder for one scan, in one thread."""
        return _Growing(self)

    def plain_finder(self) -> Finder:
        return _plain_finder(self.literals)

    def re2_finder(self) -> Finder:
        return _re2_finder(self._automaton)

    def block_finder(self) -> Finder:
        """Return the fastest finder for much data that this machine has."""
        return self.re2_finder() if self._database is None else _hyperscan_finder(self._database)

    def prepare(self) -> None:
        """Do now what the first big scan would do, as before a fork."""
        _ = self._automaton if self._database is None else self._database

    @property
    def prepared(self) -> bool:
        return "_database" in self.__dict__

    def __reduce__(self) -> tuple[type[Needles], tuple[list[str]]]:
        """What was prepared stays behind: another process prepares its own."""
        return Needles, ([literal.decode() for literal in self.literals],)

    @cached_property
    def _automaton(self) -> BytePattern:
        return any_of(self.literals)

    @cached_property
    def _database(self) -> Any:
        return _hyperscan_database(self.literals, self._kept_as)


class _Growing:
    """Begins plainly, and changes to faster engines as soon as there is enough to seek in."""

    def __init__(self, needles: Needles) -> None:
        later = [] if needles.prepared else [(PLAIN_UP_TO, needles.plain_finder), (RE2_UP_TO, needles.re2_finder)]
        self._stages = iter([*later, (math.inf, needles.block_finder)])
        self._seen = 0
        self._enough, self._find = self._next()

    def __call__(self, buffer: bytearray, start: int, stop: int, /) -> list[int]:
        self._seen += stop - start
        while self._seen > self._enough:
            self._enough, self._find = self._next()
        return self._find(buffer, start, stop)

    def _next(self) -> tuple[float, Finder]:
        enough, prepare = next(self._stages)
        return enough, prepare()


def _plain_finder(literals: Iterable[bytes]) -> Finder:
    def find(buffer: bytearray, start: int, stop: int, /) -> list[int]:
        places = []
        for literal in literals:
            place = buffer.find(literal, start, stop)
            while place >= 0:
                places.append(place)
                place = buffer.find(literal, place + len(literal), stop)
        places.sort()
        return places

    return find


def _re2_finder(automaton: BytePattern) -> Finder:
    def find(buffer: bytearray, start: int, stop: int, /) -> list[int]:
        places = []
        position = start
        while (hit := automaton.search(buffer, position, stop)) is not None:
            places.append(hit.start())
            position = hit.end()
        return places

    return find


def _hyperscan_database(literals: tuple[bytes, ...], kept_as: Path) -> Any:
    """Return the literals compiled; None where there is no Hyperscan, or nothing to seek."""
    if not literals:
        return None
    try:
        import hyperscan  # noqa: PLC0415 - a small log is read before this is loaded
    except ImportError:
        return None

    def compiled() -> bytes:
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        sought = _shortest(literals)
        none = [0] * len(sought)
        database.compile(expressions=sought, ids=none, elements=len(none), flags=none, literal=True)
        return hyperscan.dumpb(database)

    try:
        dump = kept(kept_as, [getattr(hyperscan, "__version__", ""), literals], compiled)
        try:
            return hyperscan.loadb(dump, mode=hyperscan.HS_MODE_BLOCK)
        except hyperscan.error:  # made on a machine with another processor
            return hyperscan.loadb(compiled(), mode=hyperscan.HS_MODE_BLOCK)
    except hyperscan.error:  # such as on a processor that is too old for it
        return None


def _shortest(literals: tuple[bytes, ...]) -> list[bytes]:
    """Return the needles without those that hold another one: whoever finds the shorter has found their lines too."""
    return [one for one in literals if not any(other in one for other in literals if other != one)]


def _hyperscan_finder(database: Any) -> Finder:
    import hyperscan  # noqa: PLC0415 - it is loaded by now

    scratch = hyperscan.Scratch(database)  # the library's working memory, which only one scan may use at a time
    places: list[int] = []
    add: Callable[[int], None] = places.append

    def note(_id: int, _start: int, end: int, _flags: int, _context: object) -> None:
        add(end - 1)

    def find(buffer: bytearray, start: int, stop: int, /) -> list[int]:
        places.clear()
        with memoryview(buffer) as whole, whole[start:stop] as part:
            database.scan(part, match_event_handler=note, scratch=scratch)
        return sorted(place + start for place in places)

    return find
