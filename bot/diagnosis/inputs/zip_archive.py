"""Reads zip archives by their directory: stored, deflated, bzip2 and xz entries, zip64. Memory does not grow with them.

The standard library's reader keeps half a kilobyte for each entry, and the one of Python 3.11 hands out overlapping
entries, of which flat zip bombs are made. Nothing here is written to disk.
"""

from __future__ import annotations

import io
import struct
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from bot.diagnosis.inputs.budget import Budget
from bot.diagnosis.inputs.entry import Entry, EntryKind
from bot.diagnosis.inputs.member import Stream, UnreadableError
from bot.diagnosis.inputs.streams import Segment, read_exactly
from bot.diagnosis.inputs.unpacking import Inflated, Squeezed
from bot.diagnosis.records import dataclass

_LOCAL = struct.Struct("<4s22xHH")
_ENTRY = struct.Struct("<4s4xHHHHLLLHHHHHLL")
_END = struct.Struct("<4s4xHHLLH")
_END_64 = struct.Struct("<4s8x4x8xQQQQ")
_LOCATOR = struct.Struct("<4s4xQ4x")
_FURTHEST_END = _END.size + 0xFFFF  # a comment may follow
_NO_DIRECTORY = "the zip archive is cut off or damaged: its directory, which stands at the end, is missing"
_DAMAGED = "the directory of the zip archive is damaged; what it listed before the damage was read"
_ENCRYPTED, _UTF_8 = 0x1, 0x800
_STORED, _DEFLATED = 0, 8
_SQUEEZED = {12: "bzip2", 93: "zstd", 95: "xz"}
_ZIP64, _UNIX_TIME = 0x1, 0x5455
# The upper bits of a Unix mode, which most writers of zip archives give. Those that do not, give 0.
_FILE_TYPES = {0: EntryKind.FILE, 0o10: EntryKind.FILE, 0o4: EntryKind.FOLDER, 0o12: EntryKind.LINK}
_UNKNOWN_32 = 0xFFFFFFFF
_LARGEST = (1 << 64) - 1
_ENTRY_MARK = b"PK\x01\x02"
_DIRECTORY_STEP = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Listed:
    """What the directory says of one entry."""

    name: str
    flags: int
    method: int
    checksum: int
    packed: int
    size: int
    start: int
    modified: datetime | None
    mode: int


class ZipArchive:
    """A zip archive in a file that can be read at any place. Raises UnreadableError where it has no directory."""

    def __init__(self, file: io.FileIO, size: int, budget: Budget, *, counted: bool) -> None:
        self._file = file
        self._size = size
        self._budget = budget
        self._counted = counted  # whether what is read here is input, and not the spool of some other layer
        self._directory, self._directory_size, self._shift = self._find_directory()
        self.count, self._overlapping = self._surveyed()

    def entries(self, order: Callable[[str], Any] | None = None) -> Iterator[Entry]:
        """Yield the entries as they are listed, or sorted by `order` of the name. Raises UnreadableError at damage."""
        listed = self._listed() if order is None else self._ordered(order)
        for entry in listed:
            yield self._entry(entry)

    def _ordered(self, order: Callable[[str], Any]) -> Iterator[_Listed]:
        found: list[_Listed] = []
        damage: UnreadableError | None = None
        try:
            found.extend(self._listed())
        except UnreadableError as refusal:
            damage = refusal  # said after what is listed before it
        yield from sorted(found, key=lambda entry: order(entry.name))
        if damage is not None:
            raise damage

    def _entry(self, listed: _Listed) -> Entry:
        kind = self._kind(listed)
        body = _Late(lambda: self._open(listed)) if kind is EntryKind.FILE else None
        return Entry(listed.name, kind, listed.size, listed.modified, body)

    def _kind(self, listed: _Listed) -> EntryKind:
        kind = EntryKind.FOLDER if listed.name.endswith("/") else _FILE_TYPES.get(listed.mode >> 12, EntryKind.DEVICE)
        if kind is not EntryKind.FILE:
            return kind
        if listed.flags & _ENCRYPTED:
            return EntryKind.ENCRYPTED
        if listed.start in self._overlapping:
            return EntryKind.OVERLAPPING
        if listed.method not in {_STORED, _DEFLATED, *_SQUEEZED}:
            return EntryKind.UNKNOWN_PACKING
        return EntryKind.FILE

    def _open(self, listed: _Listed) -> Stream:
        head = read_exactly(self._segment(listed.start, _LOCAL.size), _LOCAL.size)
        mark, name_size, extra_size = _LOCAL.unpack(head)
        if mark != b"PK\x03\x04":
            raise UnreadableError("damaged zip archive: there is no file where its directory says")
        packed = self._segment(listed.start + _LOCAL.size + name_size + extra_size, listed.packed)
        if listed.method == _STORED:
            return packed
        if listed.method == _DEFLATED:
            return Inflated(packed, self._budget, listed.checksum)
        return Squeezed(packed, self._budget, _SQUEEZED[listed.method])

    def _segment(self, start: int, size: int) -> Segment:
        return Segment(self._file, start, size, self._budget if self._counted else None)

    def _find_directory(self) -> tuple[int, int, int]:
        """Return where the directory lies, its size, and how far everything lies behind where the archive thinks."""
        reach = min(self._size, _FURTHEST_END)
        tail = read_exactly(self._segment(self._size - reach, reach), reach)
        place = tail.rfind(b"PK\x05\x06")
        if place < 0 or len(tail) - place < _END.size:
            raise UnreadableError(_NO_DIRECTORY)
        _, _, _, size, start, _ = _END.unpack_from(tail, place)
        end = self._size - reach + place
        if _UNKNOWN_32 in {size, start} or place >= _LOCATOR.size:
            big = self._find_big_directory(end)
            if big is not None:
                return big
        return self._checked(end - size, size, end - size - start)

    def _find_big_directory(self, end: int) -> tuple[int, int, int] | None:
        """Look for the zip64 form of the end, None where there is none."""
        if end < _LOCATOR.size + _END_64.size:
            return None
        raw = read_exactly(self._segment(end - _LOCATOR.size, _LOCATOR.size), _LOCATOR.size)
        mark, stated = _LOCATOR.unpack(raw)
        if mark != b"PK\x06\x07":
            return None
        # Data in front of the archive shifts everything: then the record lies right before its locator.
        for place in (stated, end - _LOCATOR.size - _END_64.size):
            if 0 <= place <= end - _END_64.size:
                found = read_exactly(self._segment(place, _END_64.size), _END_64.size)
                mark, _, _, size, start = _END_64.unpack(found)
                if mark == b"PK\x06\x06":
                    return self._checked(place - size, size, place - size - start)
        return None

    def _checked(self, place: int, size: int, shift: int) -> tuple[int, int, int]:
        if place < 0 or shift < 0:
            raise UnreadableError(_NO_DIRECTORY)
        return place, size, shift

    def _listed(self) -> Iterator[_Listed]:
        """Read the directory from front to back."""
        for fields, name, extra in self._records():
            yield self._read(fields, name, extra)

    def _records(self) -> Iterator[tuple[tuple[Any, ...], bytes, bytes]]:
        """Yield the numbers, the name and the extra field of each entry. Raises UnreadableError at damage."""
        directory = self._segment(self._directory, self._directory_size)
        data, place, left = b"", 0, self._directory_size
        while left - place > 0:
            size = _ENTRY.size
            if len(data) - place >= size:
                fields = _ENTRY.unpack_from(data, place)
                name_size, extra_size, comment_size = fields[8:11]
                size += name_size + extra_size + comment_size
                if fields[0] != _ENTRY_MARK or size > left - place:
                    raise UnreadableError(_DAMAGED)
                if len(data) - place >= size:
                    name_end = place + _ENTRY.size + name_size
                    yield fields, data[place + _ENTRY.size : name_end], data[name_end : name_end + extra_size]
                    place += size
                    continue
            more = read_exactly(directory, min(_DIRECTORY_STEP, left - len(data)))
            if not more:
                raise UnreadableError(_DAMAGED)
            data, left, place = data[place:] + more, left - place, 0

    def _read(self, fields: tuple[Any, ...], name: bytes, extra: bytes) -> _Listed:
        _, flags, method, clock, day, checksum, packed, size, _, _, _, _, _, attributes, start = fields
        extras = dict(_extras(extra))
        numbers = _Numbers(extras.get(_ZIP64, b""))
        size, packed, start = (number if number != _UNKNOWN_32 else numbers.next() for number in (size, packed, start))
        return _Listed(
            name=name.decode("utf-8" if flags & _UTF_8 or name.isascii() else "cp437", "backslashreplace"),
            flags=flags,
            method=method,
            checksum=checksum,
            packed=packed,
            size=size,
            start=min(start + self._shift, _LARGEST),
            modified=_unix_time(extras.get(_UNIX_TIME, b"")) or _dos_time(day, clock),
            mode=attributes >> 16,
        )

    def _surveyed(self) -> tuple[int, frozenset[int]]:
        """Count the entries; return where those begin that share bytes with another, or reach into the directory.

        Damage ends the survey, and is said when the entries are asked for.
        """
        starts, ends, count = array("Q"), array("Q"), 0
        with suppress(UnreadableError):
            for listed in self._listed():
                count += 1
                if count > self._budget.limits.members:
                    break
                if not listed.name.endswith("/"):
                    starts.append(listed.start)
                    ends.append(min(listed.start + _LOCAL.size + listed.packed, _LARGEST))
        return count, _overlapping(starts, ends, self._directory)


def _overlapping(starts: array[int], ends: array[int], directory: int) -> frozenset[int]:
    ordered = array("Q", sorted(starts))
    shared: set[int] = set()
    for start, end in zip(starts, ends, strict=True):
        following = bisect_right(ordered, start)
        if end > directory or (following > 1 and ordered[following - 2] == start):
            shared.add(start)
        elif following < len(ordered) and ordered[following] < end:
            shared |= {start, ordered[following]}
    return frozenset(shared)


class _Late:
    """An entry that is opened when it is first read, so that the ones nobody wants cost nothing."""

    def __init__(self, opening: Callable[[], Stream]) -> None:
        self._opening = opening
        self._stream: Stream | None = None

    def readinto(self, buffer: memoryview, /) -> int:
        if self._stream is None:
            self._stream = self._opening()
        return self._stream.readinto(buffer)

    def skip(self, count: int, /) -> None:
        if self._stream is not None:
            self._stream.skip(count)


class _Numbers:
    """The 64-bit numbers of an extra field, one after the other."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def next(self) -> int:
        number, self._raw = self._raw[:8], self._raw[8:]
        return int.from_bytes(number, "little")


def _extras(raw: bytes) -> Iterator[tuple[int, bytes]]:
    while len(raw) >= 4:  # noqa: PLR2004 - two 16-bit numbers
        kind, size = struct.unpack_from("<HH", raw)
        yield kind, raw[4 : 4 + size]
        raw = raw[4 + size :]


def _unix_time(raw: bytes) -> datetime | None:
    if len(raw) < 5 or not raw[0] & 1:  # noqa: PLR2004 - flags and a 32-bit time
        return None
    return datetime.fromtimestamp(int.from_bytes(raw[1:5], "little"), UTC)


def _dos_time(day: int, clock: int) -> datetime | None:
    """Read the old form, which has no zone: taken as UTC, it is right to a day."""
    try:
        return datetime(
            1980 + (day >> 9),
            day >> 5 & 0xF,
            day & 0x1F,
            clock >> 11,
            clock >> 5 & 0x3F,
            (clock & 0x1F) * 2,
            tzinfo=UTC,
        )
    except ValueError:
        return None
