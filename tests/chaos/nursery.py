"""Where the workers of a night come from: forked from a process that has everything loaded, or exec'd as in real life.

A start by exec costs 1.5 s of processor, a fork a hundredth of that; a night of hundreds of kills needs the fork, and a
part that uses `exec` keeps it honest. Both give a process of its own to be signalled.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from bot.settings import with_environment
from tests import warm
from tests.chaos.rows import UnmeasuredError

ROOT: Final = Path(__file__).resolve().parents[2]
READY: Final = 60.0
FORKED: Final = 20.0


class Process(Protocol):
    """What is started here, by either way."""

    pid: int
    ended_at: float
    """The wall clock when its end was noticed; 0 while it lives."""

    @property
    def returncode(self) -> int | None: ...
    def send_signal(self, number: signal.Signals) -> None: ...
    async def wait(self) -> int: ...


class Forked:
    """A child of the nursery."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended_at = 0.0
        self._code: int | None = None
        self._ended = asyncio.Event()

    @property
    def returncode(self) -> int | None:
        return self._code

    def send_signal(self, number: signal.Signals) -> None:
        if self._code is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def wait(self) -> int:
        await self._ended.wait()
        assert self._code is not None
        return self._code

    def has_ended(self, code: int, at: float) -> None:
        self._code, self.ended_at = code, at
        self._ended.set()


class Nursery:
    """Starts roles by fork. Use `nursery()`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._orders = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Forked]] = {}
        self._children: dict[int, Forked] = {}

    async def fork(
        self,
        words: Sequence[str],
        *,
        environment: Mapping[str, str],
        log: Path,
        first: Sequence[tuple[str, str]] = (),
    ) -> Forked:
        """`coldmigrate words…` as a new process. `first`: modules that take hold of it before, with an argument."""
        number = next(self._orders)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        order = {
            "order": number,
            "words": ["coldmigrate", *words],
            "environment": with_environment(environment),
            "log": str(log),
            "first": list(first),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        async with asyncio.timeout(FORKED):
            child: Forked = await answer
        return child

    async def listen(self) -> None:
        """Read what the nursery says, until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._hear(json.loads(line))
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(UnmeasuredError("the nursery ended"))

    def _hear(self, said: Mapping[str, Any]) -> None:
        if "started" in said:
            child = self._children[said["started"]] = Forked(said["started"])
            answer = self._waiting.pop(said["order"])
            if not answer.done():
                answer.set_result(child)
        elif "ended" in said:
            self._children.pop(said["ended"]).has_ended(said["code"], said["at"])


@asynccontextmanager
async def nursery(log: Path) -> AsyncIterator[Nursery]:
    """A nursery with everything loaded; at the end of the block none of its children is left."""
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            *warm.module("tests.chaos.nursery_process"),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=file,
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY):
            if not await process.stdout.readline():
                raise UnmeasuredError(f"the nursery did not come up: {log.read_text(encoding='utf-8')[-2000:]}")
        this = Nursery(process)
        listening = asyncio.create_task(this.listen(), name="nursery")
        try:
            yield this
        finally:
            process.stdin.close()
            await process.wait()
            await listening
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class Executed:
    """A process that was exec'd, like those of a real night."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid
        self.ended_at = 0.0

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    def send_signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def wait(self) -> int:
        code = await self._process.wait()
        self.ended_at = self.ended_at or time.time()
        return code


async def execute(words: Sequence[str], *, environment: Mapping[str, str], log: Path) -> Executed:
    """`coldmigrate words…` as a real night has it: a new interpreter that loads everything itself."""
    with log.open("ab") as file:
        return Executed(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", *words),
                stdout=file,
                stderr=file,
                env=with_environment(environment),
            )
        )
