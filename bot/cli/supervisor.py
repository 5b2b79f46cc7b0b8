"""Runs roles as child processes: restarts what falls, stops all when asked, leaves no orphans.

Parsing an inventory in the worker can so never delay an acknowledgement in the bot.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from bot.store import leash

FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 30.0
"""Seconds before a fallen role is started again: doubled from the first to the longest while it keeps falling."""

STEADY: Final = 30.0
"""A role that ran for so many seconds fell for a new reason: its wait starts anew."""

GRACE: Final = 15.0
"""Seconds a role has to stop by itself after SIGTERM; a worker hands its jobs over in far less."""

CONFIG_ERROR: Final = 2
"""Exit code of a role that cannot start as configured: starting it again would not help."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Role:
    """A command of ours that runs for as long as we do. Its log goes to our standard error, or is added to a file."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] | None = None
    log: Path | None = None


class Supervisor:
    """Keeps roles running. `async with` starts them; leaving stops them, last started first."""

    def __init__(self, roles: Sequence[Role]) -> None:
        self._roles = roles
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._keepers: list[asyncio.Task[int]] = []

    async def __aenter__(self) -> Self:
        self._keepers = [asyncio.create_task(self._keep(role), name=role.name) for role in self._roles]
        return self

    async def __aexit__(self, *_: object) -> None:
        for keeper in reversed(self._keepers):
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    async def wait(self) -> int:
        """Until a role ends for good; its exit code."""
        done, _ = await asyncio.wait(self._keepers, return_when=asyncio.FIRST_COMPLETED)
        return max(keeper.result() for keeper in done)

    def kill(self, name: str) -> None:
        """SIGKILL a role; it is started again. For demonstrations of what survives."""
        if (process := self._running.get(name)) is not None:
            process.kill()

    async def _keep(self, role: Role) -> int:
        wait = FIRST_WAIT
        clock = asyncio.get_running_loop().time
        while True:
            started = clock()
            process = await _start(role)
            self._running[role.name] = process
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                await _stop(process)
                raise
            if code in (0, CONFIG_ERROR):
                return code
            wait = FIRST_WAIT if clock() - started > STEADY else wait
            log.warning("the %s ended with %s, starting it again in %.1f s", role.name, code, wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)


async def _start(role: Role) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "bot", *role.arguments]
    if sys.platform == "linux":
        command = [sys.executable, "-I", "-S", leash.__file__, "tie", str(os.getpid()), *command]
    with role.log.open("ab") if role.log else contextlib.nullcontext() as file:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,  # Ctrl-C is for us; we stop the roles in order
            env=dict(role.environment) if role.environment is not None else None,
        )


async def _stop(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), GRACE)
    except TimeoutError:
        log.warning("process %d did not stop in %.0f s and is killed", process.pid, GRACE)
        process.kill()
        await process.wait()
