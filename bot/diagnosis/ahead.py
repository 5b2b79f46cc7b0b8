"""Reads ahead: a thread unpacks the next piece of a stream while the one before is looked through.

Worth it where unpacking takes about as long as looking: both let go of Python's lock while they work. Two pieces are in
hand at most, so memory stays flat.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Thread

from bot.diagnosis.scan import ByteStream

PIECE = 256 * 1024


class _Ahead:
    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._empty: SimpleQueue[bytearray | None] = SimpleQueue()
        self._full: SimpleQueue[tuple[bytearray, int, Exception | None]] = SimpleQueue()
        self._piece = bytearray()
        self._rest = memoryview(b"")
        self._failure: Exception | None = None
        self._ended = False
        for _ in range(2):
            self._empty.put(bytearray(PIECE))
        self._thread = Thread(target=self._fill, name="reading ahead", daemon=True)
        self._thread.start()

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the front of `buffer`, as the stream itself would; its error comes when its bytes are used up."""
        if not self._rest and not self._ended:
            self._next()
        if not self._rest:
            if self._failure is not None:
                raise self._failure
            return 0
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        """End the thread; the stream is the caller's again."""
        self._empty.put(None)
        self._thread.join()

    def _next(self) -> None:
        if self._piece:
            self._empty.put(self._piece)
        self._piece, count, self._failure = self._full.get()
        self._rest = memoryview(self._piece)[:count]
        self._ended = count < PIECE

    def _fill(self) -> None:
        while (piece := self._empty.get()) is not None:
            count, failure = 0, None
            try:
                with memoryview(piece) as whole:
                    while count < PIECE and (more := self._stream.readinto(whole[count:])):
                        count += more
            except Exception as refusal:  # noqa: BLE001 - raised again, where the stream is read
                failure = refusal
            self._full.put((piece, count, failure))
            if failure is not None or count < PIECE:
                return


@contextmanager
def ahead_of(stream: ByteStream) -> Iterator[ByteStream]:
    """Read the stream by a thread of its own for as long as the block runs; nobody else may touch it meanwhile."""
    reader = _Ahead(stream)
    try:
        yield reader
    finally:
        reader.close()
