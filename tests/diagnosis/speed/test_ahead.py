"""Reading ahead changes nothing but the time: the same bytes, the same end or the same error, and no thread left."""

from __future__ import annotations

import gzip
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.diagnosis.ahead import PIECE, ahead_of
from bot.diagnosis.engine import load_engine
from bot.diagnosis.inputs.member import UnreadableError
from bot.diagnosis.reading import WORTH_A_THREAD


class Pieces:
    """A stream that comes in odd pieces, and may break at its end."""

    def __init__(self, data, size, failure=None):
        self._data, self._size, self._failure = data, size, failure
        self._place = 0

    def readinto(self, buffer, /):
        part = self._data[self._place : self._place + min(self._size, len(buffer))]
        if not part and self._failure is not None:
            raise self._failure
        buffer[: len(part)] = part
        self._place += len(part)
        return len(part)


def read(stream, size):
    buffer = memoryview(bytearray(size))
    parts = []
    while count := stream.readinto(buffer):
        parts.append(bytes(buffer[:count]))
    assert stream.readinto(buffer) == 0
    return b"".join(parts)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([0, 1, 1000, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 7]),
    st.integers(5000, 2 * PIECE),
    st.integers(5000, 2 * PIECE),
)
def test_the_same_bytes_arrive(length, given_size, asked_size):
    data = bytes(range(251)) * (length // 251 + 1)
    with ahead_of(Pieces(data[:length], given_size)) as stream:
        assert read(stream, asked_size) == data[:length]
    assert threading.active_count() == threads_before()


def threads_before():
    return sum(thread.name != "reading ahead" for thread in threading.enumerate())


@pytest.mark.parametrize("length", [0, 10, PIECE, 2 * PIECE + 5])
def test_an_error_comes_behind_the_bytes_before_it(length):
    with ahead_of(Pieces(b"x" * length, 7000, UnreadableError("damaged"))) as stream:
        buffer = memoryview(bytearray(length + 1))
        seen = 0
        with pytest.raises(UnreadableError, match="damaged"):  # noqa: PT012 - bytes come first
            while True:
                seen += stream.readinto(buffer[seen:])
    assert seen == length


def test_whoever_stops_early_leaves_no_thread():
    for _ in range(20):
        with ahead_of(Pieces(b"x" * 20 * PIECE, PIECE)) as stream:
            stream.readinto(memoryview(bytearray(10)))
    assert threading.active_count() == threads_before()


def test_a_packed_log_is_diagnosed_alike(tmp_path, seed_file):
    noise = b"".join(b"2026-01-05T10:00:00.000Z In(166) Vpxa[1]: %d\n" % (n * 7919**3 % 10**12) for n in range(200_000))
    packed = tmp_path / "vpxa.gz"
    packed.write_bytes(gzip.compress(noise + seed_file.read_bytes() + noise, 1))
    assert packed.stat().st_size > WORTH_A_THREAD
    engine = load_engine()
    alone, ahead = (engine.diagnose_paths([packed], processes=number) for number in (1, 2))
    assert ahead.incidents == alone.incidents
    assert (ahead.stats.bytes, ahead.stats.lines, len(ahead.incidents)) == (alone.stats.bytes, alone.stats.lines, 1)
    packed.write_bytes(packed.read_bytes()[:-1_000_000])
    alone, ahead = (engine.diagnose_paths([packed], processes=number) for number in (1, 2))
    assert (ahead.errors, ahead.incidents, ahead.stats.bytes) == (alone.errors, alone.incidents, alone.stats.bytes)
    assert ahead.errors
