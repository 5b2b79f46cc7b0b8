"""Bytes that strangers wrote, on this machine's disk, with a bound. The file has no name and ends with the player."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO

_LARGEST = 2**30


class SpoolFullError(Exception):
    """The player keeps no more foreign bytes; this is its own limit, not one of the world."""

    def __init__(self, largest: int) -> None:
        super().__init__(f"the player keeps at most {largest} bytes that are not of its own disks")


class Spool:
    """Blocks by number. The file is made when the first block comes, in `directory` or where the system likes."""

    def __init__(self, *, largest: int = _LARGEST) -> None:
        self.directory: Path | None = None
        self.largest = largest
        self._file: IO[bytes] | None = None
        self._size = 0
        self._count = 0

    def add(self, block: bytes) -> int:
        """Keep a block and return its number; all blocks have the same length."""
        if self._size + len(block) > self.largest:
            raise SpoolFullError(self.largest)
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self.directory)  # noqa: SIM115 - lives as long as the spool
        self._file.seek(self._size)
        self._file.write(block)
        self._size += len(block)
        self._count += 1
        return self._count - 1

    def block(self, number: int) -> bytes | None:
        if self._file is None or number >= self._count:
            return None
        length = self._size // self._count
        self._file.seek(number * length)
        return self._file.read(length)

    def close(self) -> None:
        """Forget everything."""
        if self._file is not None:
            self._file.close()
        self._file, self._size, self._count = None, 0, 0
