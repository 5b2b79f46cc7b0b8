"""What the feed needs of a vCenter: to read a host's log by line numbers. `bot.vsphere` has it; they are strangers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class HostLogReader(Protocol):
    """Reads hosts' logs. Every failure is an OutsideError whose text an operator can act on."""

    async def last_line(self, host: str, log: str) -> int:
        """The number of the last line there is now."""
        ...

    async def read(self, host: str, log: str, *, start: int, lines: int) -> tuple[int, Sequence[str]]:
        """The number of the last line of the file, and lines from `start` on, as many as the source gives at once."""
        ...
