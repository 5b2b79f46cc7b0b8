"""The logs of one machine: growing lines under a key, rotated as the machine rotates them, old files kept and named.

What they say comes from `diary`; this module only stores. ESXi rotates at 1 MiB and keeps eight old files of each log
(the defaults of `esxcli system syslog config logger list`); both can be set, and a number of lines can be a limit too.
"""

from __future__ import annotations

import gzip
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.playground.esxi.line_forms import Generation, section_line

_OLDEST_WITH_VOBD = 5


def host_keys(version: str) -> tuple[str, ...]:
    """Return the logs that a host of this version keeps; vobd has a file of its own from 5.0 on."""
    keys = ("hostd", "vpxa", "vmkernel")
    return (*keys, "vobd") if int(version.partition(".")[0]) >= _OLDEST_WITH_VOBD else keys


@dataclass(frozen=True)
class Rotation:
    """When a log is rotated, and how many old files stay."""

    size: int = 2**20
    lines: int = 20_000
    kept: int = 8


class HostLogs:
    """Line lists by key. A log that grows too long is rotated by itself, as on a host."""

    def __init__(
        self,
        version: str,
        *,
        keys: Iterable[str] = (),
        rotation: Rotation | None = None,
        section: Callable[[datetime, str], str] = section_line,
    ) -> None:
        self.version = version
        self._section = section
        self.keys = tuple(keys) or host_keys(version)
        self.rotation = rotation or Rotation()
        self._current: dict[str, list[str]] = {key: [] for key in self.keys}
        self._sizes = dict.fromkeys(self.keys, 0)
        self._older: dict[str, deque[list[str]]] = {key: deque() for key in self.keys}
        self._rotated = dict.fromkeys(self.keys, 0)
        self._past: Callable[[], None] | None = None
        self.listener: Callable[[str, Iterable[str]], None] | None = None
        """Who hears of every line as it is written, with its log."""

    def owe(self, past: Callable[[], None]) -> None:
        """Let `past` write what was there before the play began, once somebody reads or writes: most never do."""
        self._past = past

    def settle(self) -> None:
        """Write what is owed. Whoever rolls dice for a line calls this first, so that the past has rolled before."""
        past, self._past = self._past, None
        if past is not None:
            past()

    def append(self, key: str, lines: Iterable[str], *, at: datetime) -> None:
        """Write lines; a file that is full is put aside first. KeyError for a log that the machine does not keep."""
        self.settle()
        if self._sizes[key] >= self.rotation.size or len(self._current[key]) >= self.rotation.lines:
            self.rotate(key, at=at)
        lines = list(lines)
        self._current[key].extend(lines)
        self._sizes[key] += sum(map(len, lines)) + len(lines)
        if self.listener is not None:
            self.listener(key, lines)

    def lines(self, key: str) -> list[str]:
        """Return the lines of the current file; KeyError for an unknown log."""
        self.settle()
        return self._current[key]

    def everything(self, key: str) -> list[str]:
        """Return what is left of the rotated files and the current one: what a support bundle would hold."""
        self.settle()
        return [line for file in (*self._older[key], self._current[key]) for line in file]

    def rotate(self, key: str, *, at: datetime) -> None:
        """Put the file aside and start a new one: line numbers begin again, and the oldest file may go."""
        self.settle()
        older = self._older[key]
        older.append(self._current[key])
        while len(older) > self.rotation.kept:
            older.popleft()
        self._rotated[key] += 1
        line = self._section(at, self.version)
        self._current[key], self._sizes[key] = [line], len(line) + 1

    def files(self) -> list[str]:
        """Name the files as they lie in the machine's log folder, the current one of each log first."""
        self.settle()
        return [name for key in self.keys for name in (f"{key}.log", *self._names(key))]

    def file(self, name: str) -> bytes:
        """Return the content of a file of that name; KeyError if there is none."""
        self.settle()
        for key in self.keys:
            if name == f"{key}.log":
                return _text(self._current[key])
            for found, lines in zip(self._names(key), reversed(self._older[key]), strict=True):
                if found == name:
                    return gzip.compress(_text(lines), mtime=0) if name.endswith(".gz") else _text(lines)
        raise KeyError(name)

    def _names(self, key: str) -> list[str]:
        """Name the old files, the newest first.

        From 5.0 on the newest is `vpxa.0.gz`; a 4.x host numbers them upwards for ever and packs nothing
        (`hostd-386.log`, `vmkernel.9`: LOG_FORMATS section 6).
        """
        count, last = len(self._older[key]), self._rotated[key] - 1
        if Generation.of(self.version) is not Generation.A or self.version.startswith("5."):
            return [f"{key}.{number}.gz" for number in range(count)]
        form = "{key}.{number}" if key == "vmkernel" else "{key}-{number}.log"
        return [form.format(key=key, number=last - back) for back in range(count)]


def _text(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
