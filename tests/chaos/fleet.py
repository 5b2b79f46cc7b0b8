"""The workers of a night: real processes that are killed, paused, told to stop, and replaced; and a book about it."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bot.store import keys
from bot.store.client import Store
from tests.chaos.nursery import Nursery, Process, execute
from tests.chaos.ring_world import SETTLE_MARGIN

OPTIONS: Final = ("--read-on", "0.2", "--settle-margin", str(SETTLE_MARGIN))


@dataclass(eq=False, slots=True)
class Employee:
    """One worker, from its start to its end. `sent_off` is when it was told to stop, or killed by us."""

    process: Process
    options: tuple[str, ...]
    born: float
    dismissed: bool = False

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    def is_called(self, name: str) -> bool:
        """Whether this is the worker of that name in the ledger."""
        return f"-{self.pid}-" in name


@dataclass(frozen=True, slots=True)
class Death:
    """A SIGKILL: when, where, and the jobs that were held at that moment, each by the name of its owner."""

    at: float
    how: str
    held: dict[str, str] = field(hash=False)


@dataclass
class Fleet:
    """`settings`, `secrets`: what each worker is told. With `exec_` workers are started as in real life."""

    settings: Path
    secrets: dict[str, str]
    log: Path
    store: Store
    nursery: Callable[[], Awaitable[Nursery]]
    workers: list[Employee] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)
    strange_ends: list[str] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    stay: bool = True
    strange: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a worker ended that nobody had touched."""
    _minding: set[asyncio.Task[None]] = field(default_factory=set)

    async def hire(
        self, *options: str, exec_: bool = False, first: Sequence[tuple[str, str]] = (), replaced: bool = False
    ) -> Employee:
        """A new worker. `replaced`: when it is killed, another with the same options comes at once."""
        words = ("worker", "--config", str(self.settings), *OPTIONS, *options)
        if exec_:
            process: Process = await execute(words, environment=self.secrets, log=self.log)
        else:
            nursery = await self.nursery()
            process = await nursery.fork(words, environment=self.secrets, log=self.log, first=first)
        worker = Employee(process, options, time.time())
        self.workers.append(worker)

        async def again() -> None:
            await self.hire(*options, exec_=exec_, first=first, replaced=True)

        self._mind(self._noticed(worker, again if replaced else None))
        return worker

    async def kill(self, worker: Employee, how: str) -> Death | None:
        """SIGKILL; None if it had ended by itself."""
        if not worker.alive:
            return None
        worker.dismissed = True
        at = time.time()
        worker.process.send_signal(signal.SIGKILL)
        await worker.process.wait()
        return await self._died(worker, how, at)

    def tell_to_stop(self, worker: Employee) -> float:
        """SIGTERM; when."""
        worker.dismissed = True
        worker.process.send_signal(signal.SIGTERM)
        return time.time()

    def pick(self, dice: random.Random) -> Employee | None:
        """Any worker that lives."""
        living = self.living
        return dice.choice(living) if living else None

    @property
    def living(self) -> list[Employee]:
        return [worker for worker in self.workers if worker.alive]

    def called(self, name: str) -> Employee | None:
        """The living worker of this name in the ledger."""
        return next((worker for worker in self.living if worker.is_called(name)), None)

    async def held_by(self, worker: Employee) -> dict[str, str]:
        """The jobs that it has a lease of, with its name."""
        held: dict[str, str] = {}
        for job in await self.store.execute_command("ZRANGE", keys.LEASE, 0, -1):
            owner = await self.store.execute_command("HGET", keys.job(job), "owner")
            if owner and worker.is_called(owner):
                held[job] = owner
        return held

    async def dismiss_all(self) -> None:
        """Tell every worker to stop, and wait until they have."""
        self.stay = False
        for worker in self.living:
            worker.process.send_signal(signal.SIGCONT)
            self.tell_to_stop(worker)
        for worker in list(self.workers):
            code = await worker.process.wait()
            if code not in {0, -signal.SIGKILL}:
                self.strange_ends.append(f"a worker that was told to stop ended with {code}")
        await asyncio.gather(*self._minding)

    async def _noticed(self, worker: Employee, again: Callable[[], Awaitable[None]] | None) -> None:
        """When it ends: write down why, and send for another one."""
        code = await worker.process.wait()
        if not worker.dismissed:
            if code == -signal.SIGKILL:
                point = worker.options[worker.options.index("--die-at") + 1] if "--die-at" in worker.options else "?"
                await self._died(worker, point, worker.process.ended_at)
            else:
                self.strange_ends.append(f"a worker ended by itself with {code}")
                self.strange.set()
        if again is not None and self.stay:
            await again()

    async def _died(self, worker: Employee, how: str, at: float) -> Death:
        death = Death(at, how, await self.held_by(worker))
        self.deaths.append(death)
        self.counted[how] += 1
        return death

    def _mind(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._minding.add(task)
        task.add_done_callback(self._minding.discard)


@asynccontextmanager
async def hired(fleet: Fleet) -> AsyncIterator[Fleet]:
    """The fleet during the block; however that ends, nobody is left."""
    try:
        yield fleet
        await fleet.dismiss_all()
    finally:
        fleet.stay = False
        for worker in fleet.living:
            worker.dismissed = True
            worker.process.send_signal(signal.SIGKILL)
