"""Reads along what Valkey is told (MONITOR) and what its scripts do: who wrote with a stale fence, and did it count?

The witness is the server. It shows each script's call with its arguments, and then every command that the script ran.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from typing import Final

_WORD: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_LINE: Final = re.compile(r"^\+[\d.]+ \[\d+ (\S+)\] ")
_WRITES: Final = frozenset(
    ("HSET", "HSETNX", "HDEL", "HINCRBY", "ZADD", "ZREM", "XADD", "SADD", "SREM", "SET", "DEL", "PEXPIRE", "RPUSH")
)
_LARGEST: Final = 16 * 2**20
_LONGEST_FENCE: Final = 15  # a token is longer


@dataclass
class Wiretap:
    """`jobs`: the ids that are known. `attempts` counts stale writes that were tried, `accepted` says which wrote."""

    jobs: Container[str]
    attempts: int = 0
    accepted: list[str] = field(default_factory=list)
    writes: int = 0
    """Writes with the right fence: without any the tap would be deaf."""
    told: Callable[[str], None] = lambda _line: None
    """Is given every line after it was counted."""
    _fences: dict[str, str] = field(default_factory=dict)
    _stale: dict[str, str] = field(default_factory=dict)
    """Of the script that runs now: the jobs that it has no right to, and the fence that it came with."""

    async def listen(self, url: str) -> None:
        """Until cancelled."""
        reader, writer = await asyncio.open_unix_connection(url.removeprefix("unix://"), limit=_LARGEST)
        try:
            writer.write(b"MONITOR\r\n")
            async for line in reader:
                text = line.decode(errors="replace")
                self.hear(text)
                self.told(text)
        finally:
            writer.close()

    def hear(self, line: str) -> None:
        """One line of MONITOR."""
        begun = _LINE.match(line)
        if begun is None:
            return
        if begun[1] == "lua":
            self._inner(_WORD.findall(line))
        elif line[begun.end() :].startswith(('"EVAL"', '"EVALSHA"')):
            self._stale = {}
            for job, fence in _claims(_WORD.findall(line)[4:]):
                if job in self.jobs:
                    self._asked(job, fence)

    def _asked(self, job: str, fence: str) -> None:
        if fence == self._fences.get(job):
            self.writes += 1
        else:
            self.attempts += 1
            self._stale[job] = fence

    def _inner(self, words: list[str]) -> None:
        command, *rest = words
        if command.upper() not in _WRITES:
            return
        for job, fence in self._stale.items():
            if any(job in word for word in rest):
                self.accepted.append(
                    f"job {job} was written with fence {fence}, which was {self._fences.get(job)}: {words}"
                )
        if command.upper() == "HSET" and "fence" in rest[1::2]:
            self._fences[rest[0].rpartition(":")[2]] = rest[rest.index("fence", 1) + 1]


def _claims(arguments: list[str]) -> Iterator[tuple[str, str]]:
    """Every (job, fence) that a call claims to have: the first two arguments, or a list of such pairs in JSON."""
    if len(arguments) > 1 and arguments[1].isdigit() and len(arguments[1]) <= _LONGEST_FENCE:
        yield arguments[0], arguments[1]
    for argument in arguments:
        if argument.startswith("[["):
            for job, fence, *_ in json.loads(json.loads(f'"{argument}"')):
                yield str(job), str(fence)
