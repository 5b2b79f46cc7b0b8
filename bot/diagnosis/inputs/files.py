"""Opens what lies on disk: a file, the fragments of one, standard input. Words for what the system refuses."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from bot.diagnosis.inputs.budget import Budget
from bot.diagnosis.inputs.fragments import fragment, missing_words
from bot.diagnosis.inputs.member import Stream, UnreadableError
from bot.diagnosis.inputs.reassembly import joined
from bot.diagnosis.inputs.streams import FileStream, words
from bot.diagnosis.inputs.unit import Unit
from bot.diagnosis.records import dataclass


@dataclass(frozen=True, slots=True)
class Opened:
    """An open unit. `missing` says what is not in it, and is empty when nothing is known to be missing."""

    stream: Stream
    modified: datetime | None
    missing: str = ""


@contextmanager
def opened(unit: Unit, budget: Budget, stdin: BinaryIO | None) -> Iterator[Opened]:
    """Open a unit for as long as the block runs. Raises UnreadableError; standard input is not closed."""
    with ExitStack() as stack:
        if unit.path is None:
            if stdin is None:
                raise UnreadableError("standard input is not available here")
            yield Opened(FileStream(stdin, budget, seekable=False), None)
        elif unit.fragments:
            yield _fragments(unit, budget, stack)
        else:
            file, status = _open(unit.path)
            stack.callback(file.close)
            yield Opened(FileStream(file, budget, seekable=stat.S_ISREG(status.st_mode)), _written(status))


def _fragments(unit: Unit, budget: Budget, stack: ExitStack) -> Opened:
    numbers: list[int] = []
    streams: list[Stream] = []
    refused: list[str] = []
    written: datetime | None = None
    for path in unit.fragments:
        try:
            file, status = _open(path)
        except UnreadableError as refusal:
            refused.append(f"{path.name}: {refusal}")
            continue
        file.close()
        late = _Late(path, budget)
        stack.callback(late.close)
        part = fragment(path.name)
        numbers.append(part[1] if part else len(numbers))
        streams.append(late)
        written = max(filter(None, (written, _written(status))), default=None)
    if not streams:
        raise UnreadableError("; ".join(refused))
    missing = "; ".join(filter(None, (missing_words(numbers), *refused)))
    return Opened(joined(numbers, streams), written, missing)


class _Late:
    """A fragment that is opened when its turn comes, so that thousands of them need one open file."""

    def __init__(self, path: Path, budget: Budget) -> None:
        self._path = path
        self._budget = budget
        self._file: io.FileIO | None = None
        self._stream: FileStream | None = None

    def readinto(self, buffer: memoryview, /) -> int:
        if self._stream is None:
            self._file, _ = _open(self._path)
            self._stream = FileStream(self._file, self._budget, seekable=True)
        got = self._stream.readinto(buffer)
        if not got:
            self.close()
        return got

    def skip(self, count: int, /) -> None:
        raise NotImplementedError  # only what joins fragments reads them, and that never skips

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _open(path: Path) -> tuple[io.FileIO, os.stat_result]:
    try:
        status = path.stat()
        if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
            raise UnreadableError("a device, not a file")
        if stat.S_ISSOCK(status.st_mode):
            raise UnreadableError("a socket, not a file")
        if stat.S_ISDIR(status.st_mode):
            raise UnreadableError(_folder_words(path))
        return io.FileIO(os.fspath(path)), status
    except (OSError, ValueError) as refusal:
        raise UnreadableError(words(refusal)) from refusal


def _folder_words(path: Path) -> str:
    """Say why a folder stands in the list of what is to be read: it cannot be walked, or there is nothing in it."""
    with os.scandir(path):
        return "a folder without files: there is nothing to read"


def _written(status: os.stat_result) -> datetime | None:
    with suppress(OverflowError, OSError, ValueError):
        return datetime.fromtimestamp(status.st_mtime, UTC)
    return None
