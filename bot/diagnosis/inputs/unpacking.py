"""Compressed streams: gzip (isal, or zlib where that is missing), the deflate of zip archives, xz, bzip2 and zstd.

Each is imported when the first such stream turns up. What comes before damage is handed out before the damage is said.
"""

from __future__ import annotations

import struct
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol

from bot.diagnosis.inputs.budget import Budget, size_words
from bot.diagnosis.inputs.member import Stream, UnreadableError
from bot.diagnosis.inputs.streams import skip_by_reading

_INTAKE = 64 * 1024
_STEP = 128 * 1024  # unpacked at a time: what damage may take along of what came before it
_RESCUED = 256 * 1024  # packed bytes at the start of a run that are kept to get everything out before damage
_GZIP = b"\x1f\x8b"
_LONGEST_FIELD = 64 * 1024  # a file name or comment in a gzip header


class Decoder(Protocol):
    """What lzma, bz2 and isal have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: Any, max_length: int) -> bytes: ...


class _ZlibDecoder:
    """zlib with the manners of the others; the way without isal."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail and not self._full

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: Any, max_length: int) -> bytes:
        out = self._zlib.decompress(self._zlib.unconsumed_tail or data, max_length)
        self._full = len(out) == max_length and not self._zlib.eof
        return out


def _deflate() -> tuple[Callable[[], Decoder], Callable[[bytes, int], int], tuple[type[Exception], ...]]:
    """Return what decodes deflate, what sums it up, and what these raise on damage."""
    try:
        from isal import igzip_lib, isal_zlib  # noqa: PLC0415 - a few milliseconds, when there is something to unpack
    except ImportError:
        return _ZlibDecoder, zlib.crc32, (zlib.error,)
    damage: Any = igzip_lib.IsalError  # its stub calls the class an instance
    return lambda: igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_DEFLATE), isal_zlib.crc32, (damage, ValueError)


class _Intake:
    """The compressed side, through one small buffer."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._buffer = memoryview(bytearray(_INTAKE))
        self._ready = self._buffer[:0]

    def chunk(self) -> memoryview:
        """Return what is there, or else the next bytes; empty at the end. Valid until the next call."""
        if not self._ready:
            self._ready = self._buffer[: self._stream.readinto(self._buffer)]
        ready, self._ready = self._ready, self._buffer[:0]
        return ready

    def give_back(self, rest: bytes) -> None:
        self._ready = memoryview(rest)

    def exactly(self, count: int) -> bytes:
        """Return `count` bytes, less at the end."""
        data = b""
        while len(data) < count and (chunk := self.chunk()):
            wanted = count - len(data)
            data += chunk[:wanted]
            self._ready = chunk[wanted:]
        return data

    def until_nul(self) -> bool:
        """Go behind the next NUL; False when there is none near."""
        passed = 0
        while passed <= _LONGEST_FIELD and (chunk := self.chunk()):
            end = bytes(chunk).find(b"\0")
            if end >= 0:
                self._ready = chunk[end + 1 :]
                return True
            passed += len(chunk)
        return False


class Unpacked(ABC):
    """A compressed stream, unpacked. Fills the whole buffer while it can."""

    def __init__(self, stream: Stream, budget: Budget) -> None:
        self._intake = _Intake(stream)
        self._budget = budget
        self._failure: UnreadableError | None = None

    @abstractmethod
    def _step(self, most: int) -> bytes:
        """Return up to `most` bytes; none at the end."""

    def readinto(self, buffer: memoryview, /) -> int:
        filled, size = 0, len(buffer)
        while filled < size and self._failure is None:
            try:
                data = self._step(min(size - filled, _STEP))
                if not data:
                    break
                buffer[filled : filled + len(data)] = data
                filled += len(data)
                self._budget.unpack(len(data))
            except UnreadableError as refusal:
                self._failure = refusal
        if not filled and self._failure is not None:
            raise self._failure
        return filled

    def skip(self, count: int, /) -> None:
        skip_by_reading(self, count)


class _Body:
    """One run of deflate data, with its sum and its length."""

    def __init__(self, intake: _Intake, kind: str) -> None:
        make, self._sum, self._errors = _deflate()
        self._decoder = make()
        self._intake = intake
        self._kind = kind
        self._begin: list[bytes] | None = []  # of a short run, or a long one while it is short; for the rescue
        self._begin_size = 0
        self._saved: memoryview | None = None  # what was got out from right before damage
        self._ended = False
        self.sum = 0
        self.length = 0

    def step(self, most: int) -> bytes:
        """Return up to `most` bytes, none at the end of the run; what follows the run is back in the intake then."""
        decoder = self._decoder
        if self._saved is not None:
            return self._out_of_saved(most)
        while not self._ended:
            chunk: memoryview | bytes = self._next_chunk() if decoder.needs_input else b""
            try:
                data = decoder.decompress(chunk, most)
            except self._errors:
                self._saved = self._rescue()
                return self._out_of_saved(most)
            self._ended = decoder.eof
            if self._ended:
                self._intake.give_back(decoder.unused_data)
            if data:
                self.sum = self._sum(data, self.sum)
                self.length += len(data)
                return data
        return b""

    def _next_chunk(self) -> memoryview:
        chunk = self._intake.chunk()
        if not chunk:
            raise UnreadableError(f"the {self._kind} stream is cut off; what came before the cut was read")
        if self._begin is not None:
            self._begin.append(bytes(chunk))
            self._begin_size += len(chunk)
            if self._begin_size > _RESCUED:
                self._begin = None
        return chunk

    def _out_of_saved(self, most: int) -> bytes:
        if not self._saved:
            raise UnreadableError(f"damaged {self._kind} data; what came before the damage was read")
        data, self._saved = bytes(self._saved[:most]), self._saved[most:]
        return data

    def _rescue(self) -> memoryview:
        """Return what lies right before damage, near the start of a run: there zlib can begin again.

        zlib gives out every byte before the damage when it is fed one at a time; isal all of a step or nothing.
        """
        again, passed, rest = zlib.decompressobj(-zlib.MAX_WBITS), 0, bytearray()
        with suppress(zlib.error):
            for piece in _last_one_bytewise(self._begin or []):
                data = again.decompress(piece)
                rest += data[max(0, self.length - passed) :]
                passed += len(data)
                if len(rest) > _STEP:
                    break
        return memoryview(bytes(rest[:_STEP]))


def _last_one_bytewise(chunks: Sequence[bytes]) -> Iterator[bytes]:
    yield from chunks[:-1]
    for chunk in chunks[-1:]:
        yield from (chunk[place : place + 1] for place in range(len(chunk)))


class Gunzip(Unpacked):
    """A gzip stream, of one member or many. Raises UnreadableError where not even its header can be read.

    `modified` is when the packed file was last written.
    """

    def __init__(self, stream: Stream, budget: Budget) -> None:
        super().__init__(stream, budget)
        self.modified: datetime | None = None
        self._body: _Body | None = None
        self._doubt: UnreadableError | None = None
        self._begun = False
        self._begin()

    def _step(self, most: int) -> bytes:
        while body := self._body or self._begin():
            if data := body.step(most):
                return data
            self._end(body)
        if self._doubt is not None:
            raise self._doubt
        return b""

    def _begin(self) -> _Body | None:
        """Read the header of the next member, if there is one. Zeros behind a member are padding."""
        mark = self._intake.exactly(2)
        while self._begun and mark and not mark.strip(b"\0"):
            self._to_the_end_of_zeros()
            mark = self._intake.exactly(2)
        if not mark:
            return None
        if mark != _GZIP:
            if self._begun:
                raise UnreadableError("what follows the gzip data is not gzip; what came before it was read")
            raise UnreadableError("damaged gzip data: its header makes no sense")
        self._header()
        self._begun = True
        self._body = _Body(self._intake, "gzip")
        return self._body

    def _to_the_end_of_zeros(self) -> None:
        while chunk := self._intake.chunk():
            if rest := bytes(chunk).lstrip(b"\0"):
                self._intake.give_back(rest)
                return

    def _header(self) -> None:
        head = self._intake.exactly(8)
        if len(head) < 8:  # noqa: PLR2004 - RFC 1952: ten bytes, two of them read before
            raise UnreadableError("the gzip stream is cut off in its header")
        method, flags, written = struct.unpack("<BBLxx", head)
        if method != 8 or flags & 0xE0:  # noqa: PLR2004 - RFC 1952: 8 is deflate, the upper bits are reserved
            raise UnreadableError("damaged gzip data: its header makes no sense")
        if not self._begun and written:
            self.modified = datetime.fromtimestamp(written, UTC)
        if flags & 4:
            size = self._intake.exactly(2)
            self._intake.exactly(int.from_bytes(size, "little"))
        for present in (flags & 8, flags & 16):
            if present and not self._intake.until_nul():
                raise UnreadableError("the gzip stream is cut off in its header")
        if flags & 2:
            self._intake.exactly(2)

    def _end(self, body: _Body) -> None:
        trailer = self._intake.exactly(8)
        self._body = None
        if len(trailer) < 8:  # noqa: PLR2004 - RFC 1952: sum and length
            raise UnreadableError("the gzip stream is cut off; what came before the cut was read")
        if struct.unpack("<LL", trailer) != (body.sum, body.length & 0xFFFFFFFF):
            self._doubt = UnreadableError(
                "the checksum of the gzip data does not match; all of it was read, some of it may be wrong"
            )


class Inflated(Unpacked):
    """The deflate data of a zip archive's entry, with the sum that its directory gives."""

    def __init__(self, stream: Stream, budget: Budget, checksum: int) -> None:
        super().__init__(stream, budget)
        self._body = _Body(self._intake, "zip")
        self._checksum = checksum

    def _step(self, most: int) -> bytes:
        data = self._body.step(most)
        if not data and self._body.sum != self._checksum:
            raise UnreadableError(
                "the checksum of the zip data does not match; all of it was read, some of it may be wrong"
            )
        return data


class Squeezed(Unpacked):
    """An xz, bzip2 or zstd stream, of one member or many."""

    def __init__(self, stream: Stream, budget: Budget, kind: str) -> None:
        super().__init__(stream, budget)
        self._kind = kind
        self._make, self._errors = _codec(kind, budget)
        self._decoder = self._make()
        self._begun = False

    def _step(self, most: int) -> bytes:
        while True:
            if self._decoder.eof and not self._next():
                return b""
            chunk: memoryview | bytes = b""
            if self._decoder.needs_input:
                chunk = self._intake.chunk()
                if not chunk:
                    raise UnreadableError(f"the {self._kind} stream is cut off; what came before the cut was read")
            try:
                data = self._decoder.decompress(chunk, most)
            except self._errors as refusal:
                raise UnreadableError(self._words(refusal)) from refusal
            if data:
                return data

    def _next(self) -> bool:
        """Go on with the next stream behind this one; False at the end. Zeros between them are padding."""
        rest = self._decoder.unused_data.lstrip(b"\0")
        while not rest:
            chunk = self._intake.chunk()
            if not chunk:
                return False
            rest = bytes(chunk).lstrip(b"\0")
        self._intake.give_back(rest)
        self._decoder = self._make()
        return True

    def _words(self, refusal: Exception) -> str:
        if isinstance(refusal, MemoryError) or "emory usage limit" in str(refusal):
            return (
                f"unpacking this {self._kind} file takes more than "
                f"{size_words(self._budget.limits.dictionary)} of memory; unpack it and give the result"
            )
        return f"damaged {self._kind} data; what came before the damage was read"


def _codec(kind: str, budget: Budget) -> tuple[Callable[[], Decoder], tuple[type[Exception], ...]]:
    """Return what decodes this kind, and what that raises on damage."""
    # Each is imported here and not above: start-up is counted in milliseconds, and most logs are none of these.
    match kind:
        case "xz":
            import lzma  # noqa: PLC0415

            return (
                lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=budget.limits.dictionary),
                (lzma.LZMAError, EOFError, ValueError, MemoryError),
            )
        case "bzip2":
            import bz2  # noqa: PLC0415

            return bz2.BZ2Decompressor, (OSError, EOFError, ValueError)
        case _:
            return _zstd()


def _zstd() -> tuple[Callable[[], Decoder], tuple[type[Exception], ...]]:
    from importlib import import_module  # noqa: PLC0415 - see above

    try:
        zstd = import_module("compression.zstd")  # in the standard library from Python 3.14 on
    except ImportError:
        raise UnreadableError(
            "a zstd file, which this Python cannot unpack; use `zstd -d` and give the result"
        ) from None
    return zstd.ZstdDecompressor, (zstd.ZstdError, EOFError, ValueError)
