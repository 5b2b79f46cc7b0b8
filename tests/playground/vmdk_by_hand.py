"""A stream-optimised VMDK taken apart and put together by hand, from the "Virtual Disk Format 5.0" text alone.

Shares nothing with the player's own code, so that a misreading of the format cannot be shared either. Whole streams in
memory: for disks of a test.
"""

import struct
import zlib

SECTOR, GRAIN = 512, 65536


def take_apart(stream):
    """Return (capacity in bytes, {grain number: bytes}, descriptor); every field and table on the way is checked."""
    assert len(stream) % SECTOR == 0
    head = stream[:SECTOR]
    assert head[:4] == b"KDMV"
    version, flags = struct.unpack_from("<II", head, 4)
    capacity, grain_size, descriptor_at, descriptor_size = struct.unpack_from("<QQQQ", head, 12)
    (entries,) = struct.unpack_from("<I", head, 44)
    redundant, directory_at, overhead = struct.unpack_from("<QQQ", head, 48)
    assert (version, flags) == (3, 0x30001)
    assert (grain_size, entries, redundant, directory_at) == (128, 512, 0, 0xFFFFFFFFFFFFFFFF)
    assert head[72] == 0
    assert head[73:77] == b"\n \r\n"
    assert struct.unpack_from("<H", head, 77) == (1,)
    assert not any(head[79:])
    descriptor = stream[descriptor_at * SECTOR : (descriptor_at + descriptor_size) * SECTOR].rstrip(b"\0").decode()

    grains, places, tables, at = {}, {}, {}, overhead * SECTOR
    while True:
        value, size = struct.unpack_from("<QI", stream, at)
        if size:
            data = zlib.decompress(stream[at + 12 : at + 12 + size])
            assert len(data) == GRAIN
            assert value % 128 == 0
            assert value // 128 not in grains
            grains[value // 128], places[value // 128] = data, at // SECTOR
            at += -(-(12 + size) // SECTOR) * SECTOR
            continue
        (kind,) = struct.unpack_from("<I", stream, at + 12)
        at += SECTOR
        if kind == 1:  # a grain table
            assert value == 4
            tables[at // SECTOR] = struct.unpack_from("<512I", stream, at)
        elif kind == 2:  # the grain directory
            found = struct.unpack_from(f"<{value * 128}I", stream, at)
            directory_sector = at // SECTOR
        elif kind == 3:  # the footer
            footer = stream[at : at + SECTOR]
            assert struct.unpack_from("<Q", footer, 56) == (directory_sector,)
            assert footer[:56] + footer[64:] == head[:56] + head[64:]
        else:
            assert (kind, value) == (0, 0)
            assert at == len(stream)
            break
        at += value * SECTOR
    reached = {}
    for number, sector in enumerate(found):
        if sector:
            reached |= {number * 512 + k: place for k, place in enumerate(tables[sector]) if place}
    assert reached == places  # the tables lead to every grain and nowhere else
    return capacity * SECTOR, grains, descriptor


def put_together(capacity, grains):
    """Return a stream with these grains."""

    def header(directory_at):
        return (
            b"KDMV"
            + struct.pack("<IIQQQQIQQQ", 3, 0x30001, capacity // SECTOR, 128, 1, 20, 512, 0, directory_at, 128)
            + b"\0\n \r\n"
            + struct.pack("<H", 1)
        ).ljust(SECTOR, b"\0")

    def sectors(data):
        return data + bytes(-len(data) % SECTOR)

    out = bytearray(header(0xFFFFFFFFFFFFFFFF) + b"# Disk DescriptorFile\n".ljust(20 * SECTOR, b"\0"))
    out += bytes(128 * SECTOR - len(out))
    directory = []
    for first in range(0, -(-capacity // GRAIN), 512):
        table = [0] * 512
        for number in range(first, first + 512):
            if number in grains:
                packed = zlib.compress(grains[number])
                table[number - first] = len(out) // SECTOR
                out += sectors(struct.pack("<QI", number * 128, len(packed)) + packed)
        directory.append(len(out) // SECTOR + 1 if any(table) else 0)
        if any(table):
            out += sectors(struct.pack("<QII", 4, 0, 1)) + struct.pack("<512I", *table)
    listed = sectors(struct.pack(f"<{len(directory)}I", *directory))
    out += sectors(struct.pack("<QII", len(listed) // SECTOR, 0, 2))
    place = len(out) // SECTOR
    out += listed + sectors(struct.pack("<QII", 1, 0, 3)) + header(place)
    return bytes(out + bytes(SECTOR))


def as_disk(capacity, grains):
    """Return the bytes of the whole disk."""
    return b"".join(grains.get(number, bytes(GRAIN)) for number in range(-(-capacity // GRAIN)))[:capacity]
