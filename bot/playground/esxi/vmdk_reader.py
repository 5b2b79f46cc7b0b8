"""From a stream-optimised VMDK to its grains, checked on the way: markers, order, compression, tables, the end."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Generator, Iterator

from bot.playground.esxi.vmdk_format import (
    AT_END,
    ENTRIES,
    GRAIN,
    OVERHEAD,
    SECTOR,
    TABLE_SECTORS,
    DamagedVmdkError,
    MarkerKind,
    read_header,
    read_marker,
)

_MOST = 2 * GRAIN
"""Bytes that a grain can become by compression, generously."""
Grain = tuple[int, bytes]
_Steps = Generator[int | Grain, bytes, None]


class VmdkReader:
    """Takes a stream in pieces of any length. `capacity` is what the disk must have."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._buffer = bytearray()
        self._sectors = 0
        self._tables: dict[int, int] = {}
        self._steps = self._read()
        self._wanted = self._next_wish(next(self._steps))
        self.complete = False

    def feed(self, data: bytes) -> Iterator[Grain]:
        """Yield (number, content) of every grain that is whole now. Refuses with DamagedVmdkError what is wrong."""
        if self.complete and data:
            raise DamagedVmdkError("there is more behind the end of the stream")
        self._buffer += data
        while not self.complete and len(self._buffer) >= self._wanted:
            taken = bytes(self._buffer[: self._wanted])
            del self._buffer[: self._wanted]
            self._sectors += len(taken) // SECTOR
            try:
                said = self._steps.send(taken)
                while not isinstance(said, int):
                    yield said
                    said = next(self._steps)
                self._wanted = said
            except StopIteration:
                self.complete = True
        if self.complete and self._buffer:
            raise DamagedVmdkError("there is more behind the end of the stream")

    def close(self) -> None:
        """Refuse a stream that broke off with DamagedVmdkError."""
        if not self.complete:
            raise DamagedVmdkError(f"the stream broke off after {self._sectors * SECTOR + len(self._buffer)} bytes")

    @staticmethod
    def _next_wish(said: int | Grain) -> int:
        if not isinstance(said, int):
            raise TypeError("a reader begins by asking for bytes")
        return said

    def _read(self) -> _Steps:
        """Ask for bytes by their number and yield grains, to the end of the stream."""
        header = read_header((yield SECTOR))
        if header.capacity != self._capacity:
            raise DamagedVmdkError(f"the disk has {self._capacity} bytes, the VMDK {header.capacity}")
        if header.directory_at != AT_END:
            raise DamagedVmdkError("the grain directory is not at the end")
        yield (OVERHEAD - 1) * SECTOR
        table, last = [0] * ENTRIES, -1
        while True:
            begun = self._sectors
            value, size, kind = read_marker(sector := (yield SECTOR))
            if size:
                number, grain = yield from self._grain(value, size, sector)
                if number <= last or (last >= 0 and any(table) and number // ENTRIES != last // ENTRIES):
                    raise DamagedVmdkError(f"grain {number} comes after grain {last}")
                table[number % ENTRIES], last = begun, number
                yield number, grain
            elif kind == MarkerKind.GRAIN_TABLE:
                self._compare((yield TABLE_SECTORS * SECTOR), table, what="grain table")
                self._tables[last // ENTRIES] = begun + 1
                table = [0] * ENTRIES
            elif kind == MarkerKind.GRAIN_DIRECTORY and not any(table):
                yield from self._end(begun + 1, value)
                return
            else:
                raise DamagedVmdkError(f"a marker of type {kind} in sector {begun}")

    def _grain(self, value: int, size: int, sector: bytes) -> Generator[int | Grain, bytes, Grain]:
        number, odd = divmod(value * SECTOR, GRAIN)
        if odd or value * SECTOR >= self._capacity or size > _MOST:
            raise DamagedVmdkError(f"a grain of {size} bytes for sector {value}")
        missing = -(-(12 + size) // SECTOR) - 1
        data = sector[12:] + ((yield missing * SECTOR) if missing else b"")
        inflater = zlib.decompressobj()
        try:
            grain = inflater.decompress(data[:size], GRAIN + 1)
        except zlib.error as error:
            raise DamagedVmdkError(f"the grain for sector {value} cannot be decompressed") from error
        if len(grain) != GRAIN or not inflater.eof:
            raise DamagedVmdkError(f"the grain for sector {value} has {len(grain)} bytes")
        return number, grain

    def _end(self, directory_at: int, sectors: int) -> _Steps:
        """Read the grain directory, the footer and the last marker."""
        count = -(-self._capacity // (GRAIN * ENTRIES))
        if sectors != -(-count * 4 // SECTOR):
            raise DamagedVmdkError(f"a grain directory of {sectors} sectors")
        self._compare((yield sectors * SECTOR), [self._tables.get(n, 0) for n in range(count)], what="directory")
        if read_marker((yield SECTOR)) != (1, 0, MarkerKind.FOOTER):
            raise DamagedVmdkError("no footer behind the grain directory")
        footer = read_header((yield SECTOR))
        if (footer.capacity, footer.directory_at) != (self._capacity, directory_at):
            raise DamagedVmdkError("the footer does not know the grain directory")
        if read_marker((yield SECTOR)) != (0, 0, MarkerKind.END_OF_STREAM):
            raise DamagedVmdkError("no end of the stream behind the footer")

    @staticmethod
    def _compare(data: bytes, expected: list[int], *, what: str) -> None:
        if list(struct.unpack_from(f"<{len(expected)}I", data)) != expected:
            raise DamagedVmdkError(f"a {what} does not fit the grains before it")
