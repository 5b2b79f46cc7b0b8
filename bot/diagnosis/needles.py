"""Seeks all needles of the catalogue at once in big blocks of raw bytes: the first, cheapest look at a log.

Three engines that find the same lines: for little data, one plain search for each needle, which needs no preparation;
for more, Hyperscan, the only user of that library; RE2 where Hyperscan has no wheel. What lines mean is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Protocol

from bot.diagnosis.patterns import BytePattern, any_of

PLAIN_UP_TO = 32 * 1024  # bytes; beyond, preparing an engine is sooner done than searching for every needle by itself


class Finder(Protocol):
    """Seeks the needles in `buffer[start:stop]`. Not to be shared by threads.

    Returns offsets in ascending order, each of some byte within a needle, one or more in every line that holds one.
    """

    def __call__(self, buffer: bytearray, start: int, stop: int, /) -> list[int]: ...


class Needles:
    """A fixed set of plain strings, compared byte by byte. What serves several scans is prepared once, and late."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Raise ValueError for an empty text or one of several lines, which no line could hold."""
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

    def block_finder(self) -> Finder:
        """Return the fastest finder for much data that this machine has."""
        return self.re2_finder() if self._database is None else _hyperscan_finder(self._database)

    def re2_finder(self) -> Finder:
        return _re2_finder(self._automaton)

    def prepare(self) -> None:
        """Do now what the first big scan would do, as before a fork."""
        _ = self._automaton if self._database is None else self._database

    def __reduce__(self) -> tuple[type[Needles], tuple[list[str]]]:
        """What was prepared stays behind: another process prepares its own."""
        return Needles, ([literal.decode() for literal in self.literals],)

    @cached_property
    def _automaton(self) -> BytePattern:
        return any_of(self.literals)

    @cached_property
    def _database(self) -> Any:
        return _hyperscan_database(self.literals)


class _Growing:
    """Begins plainly, and changes to the fast engine as soon as there is enough to seek in."""

    def __init__(self, needles: Needles) -> None:
        self._needles = needles
        self._seen = 0
        self._find = needles.plain_finder()
        self._plain = True

    def __call__(self, buffer: bytearray, start: int, stop: int, /) -> list[int]:
        self._seen += stop - start
        if self._plain and self._seen > PLAIN_UP_TO:
            self._find, self._plain = self._needles.block_finder(), False
        return self._find(buffer, start, stop)


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


def _hyperscan_database(literals: tuple[bytes, ...]) -> Any:
    """Compile the literals, in milliseconds; None where there is no Hyperscan, or nothing to seek."""
    if not literals:
        return None
    try:
        import hyperscan  # noqa: PLC0415 - a small log is read before this is loaded
    except ImportError:
        return None
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    count = len(literals)
    try:
        database.compile(expressions=list(literals), ids=[0] * count, elements=count, flags=[0] * count, literal=True)
    except hyperscan.error:  # such as on a processor that is too old for it
        return None
    return database


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
