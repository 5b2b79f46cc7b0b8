"""Runs roles as child processes: restarts what falls, stops all when asked, leaves no orphans.

Parsing an inventory in the worker can so never delay an acknowledgement in the bot. Which roles there are is not known
here; `roles` has the table.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from bot.cli.role_output import Said, onto_standard_error, to_file
from bot.store import leash

CONFIG_ERROR: Final = 2
"""Exit code of a role that cannot start as configured: starting it again would not help."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Role:
    """A command that is to run for as long as we do. Its words go to our standard error, or are added to a file."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None
    log: Path | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient a supervisor is.

    The wait before a fallen role is started again is doubled from the first to the longest while it keeps falling; one
    that ran for `steady` fell for a new reason, and its wait starts anew. `grace` is what a role has to stop by itself
    after SIGTERM; a worker hands its jobs over in far less.
    """

    first_wait: timedelta = timedelta(seconds=0.5)
    longest_wait: timedelta = timedelta(seconds=30)
    steady: timedelta = timedelta(seconds=30)
    grace: timedelta = timedelta(seconds=15)


class RoleState(StrEnum):
    """`running`: its process is there. `starting`: it fell and is waited for. `stopped`: nobody starts it any more."""

    RUNNING = "running"
    STARTING = "starting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one role stands. `pid` is None while it has no process."""

    name: str
    state: RoleState
    pid: int | None
    restarts: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A role that cannot run: its exit code, and what it said of it if that went to a file."""

    name: str
    code: int
    said: str


class Supervisor:
    """Keeps roles running. `async with` starts them all; leaving stops them one by one, in the order given.

    A role that ends is started again, whatever its exit code, unless that is CONFIG_ERROR. `on_change` is called
    after every change of what `standing` says.
    """

    def __init__(self, roles: Sequence[Role], *, pace: Pace | None = None) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self._keepers = {role.name: _Keeper(role, pace or Pace(), self._changed) for role in roles}
        self._tasks: list[asyncio.Task[Failure]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(keeper.keep(), name=name) for name, keeper in self._keepers.items()]
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            for task in self._tasks:
                task.cancel()
                await asyncio.wait([task])
        finally:  # reached early when we are in a hurry: cancelled while we waited
            for keeper in self._keepers.values():
                keeper.kill()

    async def wait(self) -> Failure:
        """Until a role cannot run for good."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(iter(done)).result()

    def standing(self) -> list[Standing]:
        """How every role stands now, in the order given."""
        return [keeper.standing for keeper in self._keepers.values()]

    def kill(self, name: str) -> None:
        """SIGKILL a role; it is started again. For demonstrations of what survives. KeyError for an unknown name."""
        self._keepers[name].kill()

    def _changed(self) -> None:
        self.on_change()


class _Keeper:
    """Keeps one role running."""

    def __init__(self, role: Role, pace: Pace, changed: Callable[[], None]) -> None:
        self._role = role
        self._pace = pace
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._state = RoleState.STARTING
        self._restarts = 0

    @property
    def standing(self) -> Standing:
        pid = self._process.pid if self._process else None
        return Standing(self._role.name, self._state, pid, self._restarts)

    def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def keep(self) -> Failure:
        """Until the role says that it cannot run as configured."""
        clock = asyncio.get_running_loop().time
        wait = self._pace.first_wait
        try:
            while True:
                started = clock()
                ending = await self._run()
                if isinstance(ending, Failure):
                    return ending
                if clock() - started > self._pace.steady.total_seconds():
                    wait = self._pace.first_wait
                log.warning("the %s %s, starting it again in %.1f s", self._role.name, ending, wait.total_seconds())
                await asyncio.sleep(wait.total_seconds())
                wait = min(wait * 2, self._pace.longest_wait)
                self._restarts += 1
        finally:
            self._become(RoleState.STOPPED)

    async def _run(self) -> str | Failure:
        """One life of the role: how it ended, in words."""
        try:
            async with _started(self._role) as (process, said):
                self._process = process
                self._become(RoleState.RUNNING)
                try:
                    code = await process.wait()
                except asyncio.CancelledError:
                    await _stop(self._role.name, process, grace=self._pace.grace)
                    raise
                return Failure(self._role.name, code, said()) if code == CONFIG_ERROR else _ending(code)
        except OSError as error:  # no process, no memory, no disk: that may pass
            return f"could not be started: {error}"
        finally:
            self._process = None
            self._become(RoleState.STARTING)

    def _become(self, state: RoleState) -> None:
        self._state = state
        self._changed()


@contextlib.asynccontextmanager
async def _started(role: Role) -> AsyncIterator[tuple[asyncio.subprocess.Process, Said]]:
    output = to_file(role.log) if role.log else onto_standard_error(role.name)
    command = role.command
    if sys.platform == "linux":
        command = [sys.executable, "-I", "-S", leash.__file__, "tie", str(os.getpid()), *command]
    async with output as (file, said):
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,  # Ctrl-C is for us; we stop the roles in order
            env=dict(role.environment) if role.environment is not None else None,
        )
        file.close()  # the role has its own copy
        yield process, said


async def _stop(name: str, process: asyncio.subprocess.Process, *, grace: timedelta) -> None:
    """Ask a process to stop, and see to it that it does."""
    try:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.wait(), grace.total_seconds())
    except TimeoutError:
        log.warning("the %s did not stop in %.0f s and is killed", name, grace.total_seconds())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
