"""Disks and the VMDK streams made of them, read and written by code that shares nothing with the player's."""

import random

import pytest

from bot.playground.esxi.disk_content import BLOCK, ZEROS, Library, Written, pieces, sha256_of
from bot.playground.esxi.spool import Spool, SpoolFullError
from bot.playground.esxi.vmdk_format import DamagedVmdkError
from bot.playground.esxi.vmdk_reader import VmdkReader
from bot.playground.esxi.vmdk_writer import vmdk_stream
from tests.playground.vmdk_by_hand import as_disk, put_together, take_apart

MIB = 2**20
CAPACITY = 80 * MIB


@pytest.fixture
def spool():
    with_a_bound = Spool(largest=4 * BLOCK)
    yield with_a_bound
    with_a_bound.close()


@pytest.fixture
def library(spool):
    return Library(7, spool)


@pytest.fixture
def disk(library):
    return library.seeded("web01/0", size=CAPACITY, used=5 * MIB)


@pytest.fixture
def stream(disk):
    return b"".join(vmdk_stream(disk, name="disk-0.vmdk", cid="12345678"))


def blocks_of(content):
    return {n: block for n in range(content.size // BLOCK) if (block := content.block(n)) is not None}


def feed(stream, capacity, step=70_001):
    reader, grains = VmdkReader(capacity), {}
    for at in range(0, len(stream), step):
        grains.update(reader.feed(stream[at : at + step]))
    reader.close()
    return grains


def test_a_disk_is_always_the_same_and_as_full_as_it_should_be(disk):
    again = Library(7, Spool()).seeded("web01/0", size=CAPACITY, used=5 * MIB)
    other = Library(8, Spool()).seeded("web01/0", size=CAPACITY, used=5 * MIB)
    assert sha256_of(disk) == sha256_of(again) != sha256_of(other)
    assert len(blocks_of(disk)) * BLOCK == 5 * MIB
    assert disk.block(0) is not None
    assert len(set(blocks_of(disk).values())) == len(blocks_of(disk))


def test_parts_of_a_disk_are_parts_of_the_whole(disk):
    whole = b"".join(pieces(disk))
    assert len(whole) == CAPACITY
    for start, stop in ((0, 1), (BLOCK - 1, BLOCK + 1), (3 * MIB - 7, 3 * MIB + 2 * BLOCK), (CAPACITY - 5, None)):
        assert b"".join(pieces(disk, start, stop)) == whole[start:stop]


@pytest.mark.parametrize("used", [0, 1, MIB, 79 * MIB + 1, CAPACITY])
def test_emptiness_and_fullness(library, used):
    disk = library.seeded(f"{used}", size=CAPACITY, used=used)
    assert len(blocks_of(disk)) * BLOCK == -(-used // MIB) * MIB


def test_a_stream_is_what_the_format_says(disk, stream):
    capacity, grains, descriptor = take_apart(stream)
    assert capacity == CAPACITY
    assert grains == blocks_of(disk)
    assert 'createType="streamOptimized"' in descriptor
    assert f'RDONLY {CAPACITY // 512} SPARSE "disk-0.vmdk"' in descriptor
    assert len(stream) < 4 * MIB  # half of each block repeats itself


def test_an_empty_disk_is_a_short_stream(library):
    empty = library.seeded("empty", size=CAPACITY, used=0)
    stream = b"".join(vmdk_stream(empty, name="e", cid="0"))
    assert take_apart(stream)[1] == {}
    assert feed(stream, CAPACITY) == {}


@pytest.mark.parametrize("step", [1, 511, 512, 70_001, 2**24])
def test_a_stream_made_by_hand_is_read_whatever_its_pieces(step):
    dice = random.Random(1)
    grains = {number: dice.randbytes(BLOCK) for number in (0, 3, 511, 512, 1279)}
    stream = put_together(CAPACITY, grains)
    assert feed(stream, CAPACITY, step) == grains
    assert take_apart(stream)[1] == grains


def damaged(stream, at, byte=None):
    return stream[:at] + bytes([stream[at] ^ 0xFF if byte is None else byte]) + stream[at + 1 :]


@pytest.mark.parametrize("cut", [0, 100, 512, 70_000, -512, -1])
def test_a_stream_that_breaks_off_is_refused(stream, cut):
    with pytest.raises(DamagedVmdkError, match="broke off"):
        feed(stream[:cut], CAPACITY)


def test_what_is_wrong_is_found(stream):
    first, behind = 128 * 512, stream + bytes(512)
    wrong = {
        "does not begin": damaged(stream, 0),
        "line ends": damaged(stream, 75),
        "not stream-optimised": damaged(stream, 8),
        "unusual size": damaged(stream, 20, 64),
        "decompressed": damaged(stream, first + 12 + 5000),
        "for sector": damaged(stream, first + 7),
        "grain table does not fit": damaged(stream, len(stream) - 512 * 9),
        "directory does not fit": damaged(stream, len(stream) - 512 * 4),
        "footer does not know": damaged(stream, len(stream) - 1024 + 56),
        "no end of the stream": damaged(stream, len(stream) - 512),
        "more behind": behind,
    }
    for what, broken in wrong.items():
        with pytest.raises(DamagedVmdkError, match=what):
            feed(broken, CAPACITY)
    with pytest.raises(DamagedVmdkError, match="the disk has"):
        feed(stream, CAPACITY + BLOCK)
    two = put_together(CAPACITY, {1: b"x" * BLOCK, 2: b"y" * BLOCK})
    at = 128 * 512
    end = at + 512  # both grains fit into a sector each
    swapped = two[:at] + two[end : end + 512] + two[at:end] + two[end + 512 :]
    with pytest.raises(DamagedVmdkError, match="comes after"):
        feed(swapped, CAPACITY)


def test_a_copy_of_a_disk_costs_no_space_and_is_the_same(library, disk, spool):
    copy = Written(library)
    for piece in pieces(disk):
        copy.append(piece[:1000])
        copy.append(piece[1000:])
    copy.end()
    assert sha256_of(copy) == sha256_of(disk)
    assert (copy.size, copy.used) == (CAPACITY, 5 * MIB)
    spool.add(b"x" * BLOCK)
    assert spool.block(0) == b"x" * BLOCK  # it was empty until now


def test_foreign_bytes_are_spooled_up_to_a_bound(library):
    dice = random.Random(2)
    text = dice.randbytes(3 * BLOCK + 77)
    mine = Written(library)
    mine.append(text)
    mine.end()
    assert b"".join(pieces(mine)) == text
    with pytest.raises(SpoolFullError):
        Written(library).append(dice.randbytes(BLOCK))


def test_a_block_that_only_looks_like_a_disks_is_kept_as_it_is(library, disk):
    forged = disk.block(0)[:100] + b"!" + disk.block(0)[101:]
    mine = Written(library)
    mine.append(forged)
    mine.end()
    assert mine.block(0) == forged != disk.block(0)


def test_holes_are_holes(library):
    mine = Written(library, size=CAPACITY)
    mine.put(3, b"a" * BLOCK)
    mine.put(900, b"b" * BLOCK)
    mine.put(901, ZEROS)
    with pytest.raises(ValueError, match="comes after"):
        mine.put(5, b"c" * BLOCK)
    assert blocks_of(mine) == {3: b"a" * BLOCK, 900: b"b" * BLOCK}
    assert b"".join(pieces(mine)) == as_disk(CAPACITY, blocks_of(mine))
