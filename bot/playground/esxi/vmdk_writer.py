"""From the content of a disk to a stream-optimised VMDK, grain by grain. Nothing is held but the tables."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from bot.playground.esxi.disk_content import Content
from bot.playground.esxi.vmdk_format import (
    AT_END,
    ENTRIES,
    GRAIN,
    OVERHEAD,
    SECTOR,
    TABLE_SECTORS,
    Header,
    MarkerKind,
    descriptor,
    grain_marker,
    marker,
    padded,
)

_QUICK = 1


def vmdk_stream(content: Content, *, name: str, cid: str) -> Iterator[bytes]:
    """Yield the stream in pieces; an empty piece stands for a table's worth of nothing, so that others get a turn."""
    writer = _Writer(content.size)
    yield writer.begin(name, cid)
    grains = -(-content.size // GRAIN)
    for first in range(0, grains, ENTRIES):
        table = [0] * ENTRIES
        for number in range(first, min(first + ENTRIES, grains)):
            block = content.block(number)
            if block is not None:
                table[number - first] = writer.at
                yield writer.counted(grain_marker(number * GRAIN, zlib.compress(block, _QUICK)))
        yield writer.end_table(table)
    yield from writer.end()


class _Writer:
    """Where the stream stands, in sectors, and where its tables are."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._tables: list[int] = []
        self.at = 0

    def counted(self, data: bytes) -> bytes:
        self.at += len(data) // SECTOR
        return data

    def begin(self, name: str, cid: str) -> bytes:
        head = Header(self._capacity, AT_END).packed() + descriptor(self._capacity, name=name, cid=cid)
        return self.counted(head.ljust(OVERHEAD * SECTOR, b"\0"))

    def end_table(self, table: list[int]) -> bytes:
        """Write a grain table, or nothing for one without grains."""
        if not any(table):
            self._tables.append(0)
            return b""
        self._tables.append(self.at + 1)
        return self.counted(marker(MarkerKind.GRAIN_TABLE, TABLE_SECTORS) + struct.pack(f"<{ENTRIES}I", *table))

    def end(self) -> Iterator[bytes]:
        directory = padded(struct.pack(f"<{len(self._tables)}I", *self._tables))
        place = self.at + 1
        yield self.counted(marker(MarkerKind.GRAIN_DIRECTORY, len(directory) // SECTOR) + directory)
        yield marker(MarkerKind.FOOTER, 1) + Header(self._capacity, place).packed()
        yield marker(MarkerKind.END_OF_STREAM, 0)
