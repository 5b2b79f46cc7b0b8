"""The stream-optimised VMDK: header, markers, tables. Facts of VMware's "Virtual Disk Format 5.0", sections 4 and 4.4.

What both directions share; `vmdk_writer` makes such streams, `vmdk_reader` takes them apart.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

SECTOR = 512
GRAIN_SECTORS = 128
GRAIN = GRAIN_SECTORS * SECTOR
ENTRIES = 512
"""Of one grain table."""
TABLE_SECTORS = ENTRIES * 4 // SECTOR
OVERHEAD = 128
"""Sectors before the first grain."""
AT_END = 2**64 - 1
"""Stands in the first header for a grain directory whose place only the footer knows."""
_MAGIC, _VERSION = 0x564D444B, 3
_FLAGS = 0x30001
"""Line ends can be checked; grains are compressed; there are markers."""
_DEFLATE = 1
_LINE_ENDS = b"\n \r\n"
_HEADER = struct.Struct("<IIIQQQQIQQQB4sH433x")
_MARKER = struct.Struct("<QII")
_DESCRIPTOR_AT, _DESCRIPTOR_SECTORS = 1, 20


class DamagedVmdkError(ValueError):
    """The stream is no stream-optimised VMDK, or a broken one; the message says where."""


class MarkerKind(IntEnum):
    END_OF_STREAM = 0
    GRAIN_TABLE = 1
    GRAIN_DIRECTORY = 2
    FOOTER = 3


@dataclass(frozen=True)
class Header:
    """The first sector, and the footer, which is the same but for the place of the grain directory."""

    capacity: int
    directory_at: int
    """In sectors."""

    def packed(self) -> bytes:
        return _HEADER.pack(
            _MAGIC, _VERSION, _FLAGS, self.capacity // SECTOR, GRAIN_SECTORS, _DESCRIPTOR_AT, _DESCRIPTOR_SECTORS,
            ENTRIES, 0, self.directory_at, OVERHEAD, 0, _LINE_ENDS, _DEFLATE,
        )  # fmt: skip


def read_header(sector: bytes) -> Header:
    """Read a header. Refuses what this player does not write itself with DamagedVmdkError."""
    (magic, version, flags, capacity, grain, _, _, entries, _, directory, overhead, unclean, ends, method) = (
        _HEADER.unpack(sector)
    )
    if magic != _MAGIC:
        raise DamagedVmdkError("the stream does not begin with a VMDK header")
    if ends != _LINE_ENDS:
        raise DamagedVmdkError("line ends were converted on the way")
    if version not in {1, 2, 3} or flags & _FLAGS != _FLAGS or method != _DEFLATE or unclean:
        raise DamagedVmdkError("the VMDK is not stream-optimised")
    if (grain, entries, overhead) != (GRAIN_SECTORS, ENTRIES, OVERHEAD):
        raise DamagedVmdkError("the VMDK has grains, tables or a header of an unusual size")
    return Header(capacity * SECTOR, directory)


def marker(kind: MarkerKind, sectors: int) -> bytes:
    """Return the sector that announces metadata of so many sectors."""
    return padded(_MARKER.pack(sectors, 0, kind))


def grain_marker(at: int, data: bytes) -> bytes:
    """Return a compressed grain with its marker; `at` is its place on the disk in bytes."""
    return padded(_MARKER.pack(at // SECTOR, len(data), 0)[:12] + data)


def read_marker(sector: bytes) -> tuple[int, int, int]:
    """Return (value, size of the data, type) of a marker; the type only counts where the size is 0."""
    value, size, kind = _MARKER.unpack_from(sector)
    return value, size, kind


def padded(data: bytes) -> bytes:
    """Fill up to whole sectors."""
    return data.ljust(-(-len(data) // SECTOR) * SECTOR, b"\0")


def descriptor(capacity: int, *, name: str, cid: str) -> bytes:
    """Return the text that stands behind the header of a stream."""
    cylinders = min(capacity // (16 * 63 * SECTOR), 65535)
    text = (
        "# Disk DescriptorFile\n"
        "version=1\n"
        f"CID={cid}\n"
        "parentCID=ffffffff\n"
        'createType="streamOptimized"\n'
        "\n# Extent description\n"
        f'RDONLY {capacity // SECTOR} SPARSE "{name}"\n'
        "\n# The Disk Data Base\n#DDB\n\n"
        'ddb.adapterType = "lsilogic"\n'
        f'ddb.geometry.cylinders = "{cylinders}"\n'
        'ddb.geometry.heads = "16"\n'
        'ddb.geometry.sectors = "63"\n'
        'ddb.virtualHWVersion = "21"\n'
    ).encode()
    return text[: _DESCRIPTOR_SECTORS * SECTOR].ljust(_DESCRIPTOR_SECTORS * SECTOR, b"\0")
