"""The logs of one host: growing lines under a key, rotated as a host rotates them. What they say comes from `diary`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.playground.esxi.line_forms import section_line

KEYS = ("hostd", "vpxa", "vmkernel")
_KEPT_LINES = 20_000


class HostLogs:
    """Line lists by key. A log that grows too long is rotated by itself, as on a host."""

    def __init__(self, version: str) -> None:
        self.version = version
        self._current: dict[str, list[str]] = {key: [] for key in KEYS}
        self._older: dict[str, list[str]] = {key: [] for key in KEYS}

    def append(self, key: str, lines: Iterable[str], *, at: datetime) -> None:
        if len(self._current[key]) >= _KEPT_LINES:
            self.rotate(key, at=at)
        self._current[key].extend(lines)

    def lines(self, key: str) -> list[str]:
        """Return the lines of the current file; KeyError for an unknown log."""
        return self._current[key]

    def everything(self, key: str) -> list[str]:
        """Return the rotated file and the current one: what a support bundle would hold."""
        return [*self._older[key], *self._current[key]]

    def rotate(self, key: str, *, at: datetime) -> None:
        """Put the file aside and start a new one: line numbers begin again."""
        self._older[key] = self._current[key]
        self._current[key] = [section_line(at, self.version)]
