"""UTF-16, as Windows writes exported logs, becomes UTF-8 while it is read."""

from __future__ import annotations

import codecs

from bot.diagnosis.inputs.member import Stream, UnreadableError
from bot.diagnosis.inputs.streams import skip_by_reading

_STEP = 64 * 1024
UTF_8_MARK = b"\xef\xbb\xbf"


class Utf16:
    """A UTF-16 stream as UTF-8, without its mark. Halves of pairs that stand alone become U+FFFD."""

    def __init__(self, stream: Stream, encoding: str) -> None:
        self._stream = stream
        self._raw = memoryview(bytearray(_STEP))
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._ready = memoryview(b"")
        self._cut = False

    def readinto(self, buffer: memoryview, /) -> int:
        while not self._ready and not self._cut:
            got = self._stream.readinto(self._raw)
            if not got:
                self._cut = bool(self._decoder.getstate()[0])
                break
            self._ready = memoryview(self._decoder.decode(bytes(self._raw[:got])).encode("utf-8", "replace"))
        if self._cut:
            raise UnreadableError("the UTF-16 text ends in the middle of a character; what came before was read")
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def skip(self, count: int, /) -> None:
        skip_by_reading(self, count)
