"""A queue's processes while it is measured: its own Valkey, a feeder, workers; and what they say, as it is said."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bot.store import embedded
from tests.bench.children import ChildError, child

PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Contender:
    """A queue under its name, its programs, and the Python that has it installed."""

    name: str
    module: str
    python: str


@dataclass(frozen=True, slots=True)
class Said:
    """One line: what happened to which job, when, and which worker says so."""

    word: str
    name: str
    at: int
    by: int


@dataclass(slots=True)
class Log:
    """Everything that workers and feeders of one queue said, in the order in which it was read."""

    lines: list[Said] = field(default_factory=list)
    grown: asyncio.Event = field(default_factory=asyncio.Event)

    def of(self, word: str, name: str | None = None) -> list[Said]:
        return [said for said in self.lines if said.word == word and name in {None, said.name}]

    async def wait_for(self, word: str, *, count: int = 1, name: str | None = None) -> list[Said]:
        """The lines with this word once there are so many."""
        async with asyncio.timeout(PATIENCE):
            while len(found := self.of(word, name)) < count:
                self.grown.clear()
                await self.grown.wait()
        return found

    async def read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            match line.decode().split():
                case [word, name, at]:
                    self.lines.append(Said(word, name, int(at), process.pid))
                    self.grown.set()


@dataclass(slots=True)
class Crew:
    """One contender with a Valkey of its own, while it is measured."""

    contender: Contender
    url: str
    folder: Path
    stack: AsyncExitStack
    log: Log = field(default_factory=Log)
    feeder: asyncio.subprocess.Process | None = None

    async def worker(self, *words: str) -> asyncio.subprocess.Process:
        """A worker, as soon as it has come as far as to work."""
        ready = len(self.log.of("ready", "worker"))
        process = await self._start(f"worker {ready + 1}", "work", self.url, *words)
        await self.log.wait_for("ready", name="worker", count=ready + 1)
        return process

    async def feed(self, command: str) -> None:
        """Put jobs into the queue: `noop COUNT`, or a kind with a name and seconds."""
        if self.feeder is None:
            self.feeder = await self._start("feeder", "feed", self.url)
            await self.log.wait_for("ready", name="feeder")
        assert self.feeder.stdin is not None
        self.feeder.stdin.write(f"{command}\n".encode())
        await self.feeder.stdin.drain()

    async def _start(self, name: str, *words: str) -> asyncio.subprocess.Process:
        process = await self.stack.enter_async_context(
            child(
                f"{self.contender.name} {name}",
                f"tests.bench.queues.{self.contender.module}",
                *words,
                folder=self.folder,
                python=self.contender.python,
                stdin=asyncio.subprocess.PIPE,
            )
        )
        reading = asyncio.create_task(self.log.read(process))
        self.stack.callback(reading.cancel)
        return process


@asynccontextmanager
async def crew(contender: Contender) -> AsyncIterator[Crew]:
    """A contender alone with an empty Valkey; all of it is gone afterwards, whoever was killed or paused meanwhile."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        embedded.start(Path(folder) / "valkey") as server,
        suppress(ChildError),  # some are killed on purpose
    ):
        async with AsyncExitStack() as stack:
            yield Crew(contender, server.url, Path(folder), stack)


def send(process: asyncio.subprocess.Process, what: signal.Signals) -> None:
    """A signal to a process of ours that may have ended."""
    with suppress(ProcessLookupError):
        os.kill(process.pid, what)


def resident(process: asyncio.subprocess.Process) -> float:
    """Megabytes of memory that a process has now."""
    for line in Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
