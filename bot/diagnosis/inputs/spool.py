"""Bytes that have to be read in another order than they come in, in an anonymous temporary file of bounded size."""

from __future__ import annotations

import io

from bot.diagnosis.inputs.budget import Budget, size_words
from bot.diagnosis.inputs.member import Stream, UnreadableError
from bot.diagnosis.inputs.streams import words
from bot.diagnosis.records import dataclass

_STEP = 256 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """Where a stream lies in the spool. `failure` says why it is not whole."""

    start: int
    size: int
    failure: UnreadableError | None


class Spool:
    """A temporary file without a name, which is gone when it is closed. All spools of one input share one bound."""

    def __init__(self, budget: Budget) -> None:
        import tempfile  # noqa: PLC0415 - ten milliseconds, and most inputs need none

        self._budget = budget
        self.size = 0
        try:
            self.file: io.FileIO = tempfile.TemporaryFile("w+b", buffering=0)  # noqa: SIM115 - closed by its owner
        except OSError as refusal:
            raise UnreadableError("there is no place for a temporary file, which it takes to read this") from refusal

    def add(self, stream: Stream) -> Piece:
        """Append a stream, as much of it as can be read and kept."""
        start, failure = self.size, None
        buffer = memoryview(bytearray(_STEP))
        try:
            self.file.seek(start)
            while got := stream.readinto(buffer):
                self._keep(buffer[:got])
        except UnreadableError as refusal:
            failure = refusal
        except OSError as refusal:
            failure = UnreadableError(f"the temporary file cannot be written: {words(refusal)}")
        return Piece(start, self.size - start, failure)

    def _keep(self, data: memoryview) -> None:
        most = self._budget.limits.spool
        if self._budget.spooled + len(data) > most:
            raise UnreadableError(f"it takes more than {size_words(most)} of temporary space; the rest was not read")
        while data:
            written = self.file.write(data)
            self._budget.spooled += written
            self.size += written
            data = data[written:]

    def clear(self) -> None:
        """Give the space back; no piece is valid any more."""
        self.file.truncate(0)
        self._budget.spooled -= self.size
        self.size = 0

    def close(self) -> None:
        self._budget.spooled -= self.size
        self.size = 0
        self.file.close()
