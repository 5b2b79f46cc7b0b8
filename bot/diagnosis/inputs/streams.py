"""The plain streams: a file, a piece of a file, a window on a stream, a stream whose start was looked at."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import BinaryIO

from bot.diagnosis.inputs.budget import Budget, size_words
from bot.diagnosis.inputs.member import Stream, UnreadableError

_SCRATCH = memoryview(bytearray(64 * 1024))  # for bytes that nobody wants


def read_exactly(stream: Stream, count: int) -> bytes:
    """Return `count` bytes, less only at the end of the stream."""
    data = bytearray(count)
    return bytes(data[: fill(stream, memoryview(data))])


def fill(stream: Stream, buffer: memoryview) -> int:
    """Fill `buffer` unless the stream ends before."""
    filled = 0
    while filled < len(buffer) and (got := stream.readinto(buffer[filled:])):
        filled += got
    return filled


def skip_by_reading(stream: Stream, count: int) -> int:
    """Read past up to `count` bytes and return how many were there."""
    left = count
    while left and (got := stream.readinto(_SCRATCH[:left])):
        left -= got
    return count - left


def words(refusal: OSError | ValueError) -> str:
    """Say why the system refused a file."""
    match refusal:
        case FileNotFoundError():
            return "no such file"
        case PermissionError():
            return "permission denied"
        case OSError(strerror=str(reason)):
            return reason.lower()
        case _:
            return str(refusal)


class FileStream:
    """An open file or pipe. What is read of it counts as input."""

    def __init__(self, file: io.FileIO | BinaryIO, budget: Budget, *, seekable: bool) -> None:
        self.file = file
        self.seekable = seekable
        self._budget = budget
        self._readinto = getattr(file, "readinto", None)
        self._failure: UnreadableError | None = None

    def readinto(self, buffer: memoryview, /) -> int:
        if self._failure is not None:
            raise self._failure
        try:
            got = self._read(buffer)
        except (OSError, ValueError) as refusal:
            self._failure = UnreadableError(f"{words(refusal)}; what came before was read")
            raise self._failure from refusal
        self._budget.take(got)
        return got

    def _read(self, buffer: memoryview) -> int:
        if self._readinto is not None:
            return self._readinto(buffer) or 0
        data = self.file.read(len(buffer)) or b""
        buffer[: len(data)] = data
        return len(data)

    def skip(self, count: int, /) -> None:
        if not self.seekable or count <= len(_SCRATCH):
            skip_by_reading(self, count)
        else:
            self.file.seek(count, io.SEEK_CUR)
            self._budget.take(count)


class Segment:
    """Some bytes of a file that can be read at any place. Several segments of one file may be read in turns."""

    def __init__(self, file: io.FileIO, start: int, size: int, budget: Budget | None = None) -> None:
        self._file = file
        self._place = start
        self._left = size
        self._budget = budget

    def readinto(self, buffer: memoryview, /) -> int:
        if not self._left:
            return 0
        try:
            self._file.seek(self._place)
            got = self._file.readinto(buffer[: self._left]) or 0
        except (OSError, ValueError) as refusal:
            raise UnreadableError(f"{words(refusal)}; what came before was read") from refusal
        if not got:
            raise UnreadableError("the archive is cut off; what came before the cut was read")
        self._place += got
        self._left -= got
        if self._budget is not None:
            self._budget.take(got)
        return got

    def skip(self, count: int, /) -> None:
        self._place += min(count, self._left)
        self._left -= min(count, self._left)


class Window:
    """The next `size` bytes of a stream, such as a file in a tar archive. `cut` is raised when they are not there."""

    def __init__(self, stream: Stream, size: int, cut: str) -> None:
        self._stream = stream
        self.left = size
        self.broken = False  # the stream around it failed, so nothing behind it can be read either
        self._cut = cut

    def readinto(self, buffer: memoryview, /) -> int:
        if not self.left:
            return 0
        try:
            got = self._stream.readinto(buffer[: self.left])
        except UnreadableError:
            self.broken = True
            raise
        if not got:
            self.broken = True
            raise UnreadableError(self._cut)
        self.left -= got
        return got

    def skip(self, count: int, /) -> None:
        count = min(count, self.left)
        self._stream.skip(count)
        self.left -= count


class Looked:
    """A stream of which the start was looked at, and which still hands it out."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._start = b""

    def look(self, count: int) -> bytes:
        """Return the next bytes, `count` of them unless the stream ends or fails before, without using them up.

        Raises UnreadableError when there is not a single byte before the damage.
        """
        pieces = [self._start]
        have = len(self._start)
        try:
            while have < count and (piece := read_some(self.stream, count - have)):
                pieces.append(piece)
                have += len(piece)
        except UnreadableError:
            if not have:
                raise
        self._start = b"".join(pieces)
        return self._start

    def readinto(self, buffer: memoryview, /) -> int:
        if not self._start:
            return self.stream.readinto(buffer)
        start = self._start[: len(buffer)]
        self._start = self._start[len(start) :]
        buffer[: len(start)] = start
        return len(start)

    def skip(self, count: int, /) -> None:
        kept = min(count, len(self._start))
        self._start = self._start[kept:]
        if count > kept:
            self.stream.skip(count - kept)


def read_some(stream: Stream, most: int) -> bytes:
    """Return at least one byte unless the stream is at its end."""
    data = bytearray(most)
    return bytes(data[: stream.readinto(memoryview(data))])


class Buffered:
    """Small reads of a stream at the price of a slice; big ones go through."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._buffer = memoryview(bytearray(32 * 1024))
        self._ready = self._buffer[:0]

    def readinto(self, buffer: memoryview, /) -> int:
        ready = self._ready
        if not ready:
            if len(buffer) >= len(self._buffer):
                return self._stream.readinto(buffer)
            ready = self._buffer[: self._stream.readinto(self._buffer)]
        size = min(len(buffer), len(ready))
        buffer[:size] = ready[:size]
        self._ready = ready[size:]
        return size

    def skip(self, count: int, /) -> None:
        kept = min(count, len(self._ready))
        self._ready = self._ready[kept:]
        if count > kept:
            self._stream.skip(count - kept)


class Joined:
    """Streams one after the other."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        self._streams = list(reversed(streams))

    def readinto(self, buffer: memoryview, /) -> int:
        while self._streams:
            if got := self._streams[-1].readinto(buffer):
                return got
            self._streams.pop()
        return 0

    def skip(self, count: int, /) -> None:
        skip_by_reading(self, count)


class Literal:
    """Bytes that are at hand."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def readinto(self, buffer: memoryview, /) -> int:
        data = self._data[: len(buffer)]
        self._data = self._data[len(data) :]
        buffer[: len(data)] = data
        return len(data)

    def skip(self, count: int, /) -> None:
        self._data = self._data[count:]


class Bounded:
    """A stream that is refused where it grows too long."""

    def __init__(self, stream: Stream, most: int) -> None:
        self._stream = stream
        self._most = most
        self._left = most

    def readinto(self, buffer: memoryview, /) -> int:
        if self._left:
            got = self._stream.readinto(buffer[: self._left])
            self._left -= got
            return got
        if skip_by_reading(self._stream, 1):
            raise UnreadableError(f"it is longer than {size_words(self._most)}; what came before that was read")
        return 0

    def skip(self, count: int, /) -> None:
        self._stream.skip(count)
