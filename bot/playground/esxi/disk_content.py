"""What stands on disks: noise that follows from a name, and what somebody wrote. No files of a host, no wire.

Content is made block by block when it is read. A block of a world's own disk says whose it is and which: so a copy of
a disk is remembered by the name of the original, whatever its size, and only what is nobody's is kept as bytes.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from bot.playground.esxi.spool import Spool

BLOCK = 64 * 2**10
"""A grain of a stream-optimised VMDK has the same size, so grains are blocks."""
ZEROS = bytes(BLOCK)
_UNIT = 2**20 // BLOCK
"""VMFS gives a thin disk its space in megabytes."""
_TAG = 16
_HEAD = _TAG + 8


class Blocks(Protocol):
    """A store of numbered blocks of `BLOCK` bytes."""

    def block(self, number: int) -> bytes | None:
        """Return a block, None where nothing was written."""


class Content(Blocks, Protocol):
    """What stands in a file or on a disk. Bytes of its last block that lie beyond `size` do not count."""

    @property
    def size(self) -> int: ...

    @property
    def used(self) -> int:
        """How many bytes lie in blocks that were written."""


def pieces(content: Content, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """Yield the bytes from start to stop, a block at a time."""
    stop = content.size if stop is None else min(stop, content.size)
    while start < stop:
        number, skip = divmod(start, BLOCK)
        block = content.block(number) or ZEROS
        piece = block[skip : min(BLOCK, skip + stop - start)]
        yield piece
        start += len(piece)


def sha256_of(content: Content) -> str:
    """Return the digest that a copy of the content must have."""
    digest = hashlib.sha256()
    for piece in pieces(content):
        digest.update(piece)
    return digest.hexdigest()


@dataclass(frozen=True)
class Seeded:
    """A disk of the world: the same name gives the same bytes for ever.

    Half of each block is noise and half repeats itself, so that it shrinks as real disks do. `used` bytes are spread
    over the disk in whole megabytes, the first of which is always written.
    """

    name: str
    size: int
    used: int

    @cached_property
    def tag(self) -> bytes:
        return hashlib.blake2b(self.name.encode(), digest_size=_TAG).digest()

    def block(self, number: int) -> bytes | None:
        if not self._is_written(number):
            return None
        head = self.tag + number.to_bytes(_HEAD - _TAG, "little")
        noise = hashlib.shake_128(head).digest(BLOCK // 2 - _HEAD)
        line = head.hex().encode().ljust(64, b".")
        return head + noise + line * (BLOCK // 2 // len(line))

    def _is_written(self, number: int) -> bool:
        units = -(-self.size // (BLOCK * _UNIT))
        written = min(-(-self.used // (BLOCK * _UNIT)), units)
        unit = number // _UNIT
        return 0 <= unit < units and unit * written // units != (unit - 1) * written // units


class Text:
    """A small file."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def size(self) -> int:
        return len(self._content)

    @property
    def used(self) -> int:
        return len(self._content)

    def block(self, number: int) -> bytes | None:
        return self._content[number * BLOCK : (number + 1) * BLOCK].ljust(BLOCK, b"\0")


@dataclass
class _Extent:
    first: int
    count: int
    source: Blocks
    place: int
    """Where in the source the first block of it is."""


class Written:
    """What somebody wrote, from the front to the back. `size` grows with `append`; `put` leaves holes of nothing."""

    def __init__(self, library: Library, *, size: int = 0) -> None:
        self._library = library
        self._extents: list[_Extent] = []
        self._rest = b""
        self._next = 0
        self.size = size

    @property
    def used(self) -> int:
        return sum(extent.count for extent in self._extents) * BLOCK

    def append(self, data: bytes) -> None:
        """Write on. Refuses with SpoolFullError what the player cannot keep."""
        self.size += len(data)
        data = self._rest + data if self._rest else data
        whole = len(data) - len(data) % BLOCK
        for at in range(0, whole, BLOCK):
            self._add(data[at : at + BLOCK])
        self._rest = data[whole:]

    def end(self) -> None:
        """Write down what does not fill a block."""
        if self._rest:
            self._add(self._rest.ljust(BLOCK, b"\0"))
            self._rest = b""

    def put(self, number: int, block: bytes) -> None:
        """Write one whole block behind all others. Refuses to go back with ValueError."""
        if number < self._next:
            raise ValueError(f"block {number} comes after block {self._next - 1}")
        self._next = number
        self._add(block)

    def _add(self, block: bytes) -> None:
        number, self._next = self._next, self._next + 1
        found = self._library.keep(block)
        if found is None:
            return
        source, place = found
        last = self._extents[-1] if self._extents else None
        goes_on = last and last.source is source and last.first + last.count == number
        if last and goes_on and last.place + last.count == place:
            last.count += 1
        else:
            self._extents.append(_Extent(number, 1, source, place))

    def block(self, number: int) -> bytes | None:
        at = bisect_right(self._extents, number, key=lambda extent: extent.first) - 1
        if at < 0:
            return None
        extent = self._extents[at]
        behind = number - extent.first
        return extent.source.block(extent.place + behind) if behind < extent.count else None


class Library:
    """All disks of a world by the mark on their blocks; what bears none is spooled."""

    def __init__(self, seed: int, spool: Spool) -> None:
        self._seed = seed
        self._spool = spool
        self._originals: dict[bytes, Seeded] = {}

    def seeded(self, name: str, *, size: int, used: int) -> Seeded:
        """Return the disk of this name; its blocks are recognised wherever they are written."""
        disk = Seeded(f"{self._seed}/{name}", size, used)
        return self._originals.setdefault(disk.tag, disk)

    def keep(self, block: bytes) -> tuple[Blocks, int] | None:
        """Return where a block can be read again, None for one of zeros."""
        if block == ZEROS:
            return None
        original = self._originals.get(block[:_TAG])
        number = int.from_bytes(block[_TAG:_HEAD], "little")
        if original and original.block(number) == block:
            return original, number
        return self._spool, self._spool.add(block)
