"""What all nights have in common: a config, roles as real processes that are killed, and a clock that jumps."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bot.playground.vcenter.player import VCenterPlayer
from bot.settings import with_environment
from tests import warm
from tests.worlds import CONFIGURED_SITES

PATIENCE = timedelta(seconds=60)
VCENTER = """
[vcenters.east]
url = "{vcenter.url}"
user = "{vcenter.user}"
password_env = "VC_PASSWORD"
ca_file = "{vcenter.ca_file}"
"""
WORLD = VCENTER + CONFIGURED_SITES + 'folder = "Migrated"\n'


@dataclass
class Roles:
    """The processes of a night, and how often each point killed one. `secrets` are all that they know.

    `command` is what starts one: what is to be stopped by SIGSTOP has to be exec'd.
    """

    settings: Path
    secrets: dict[str, str]
    skew: Callable[[timedelta], None]
    log: Path
    skewed: timedelta = timedelta(0)
    deaths: Counter[str] = field(default_factory=Counter)
    command: Sequence[str] = field(default_factory=warm.bot)

    async def start(self, role: str, *options: str) -> asyncio.subprocess.Process:
        command = [*self.command, role, "--config", str(self.settings), *options]
        environment = with_environment(self.secrets)
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, env=environment)

    async def dies_at(self, point: str, role: str, *options: str) -> None:
        """Run the role until it has killed itself there."""
        process = await self.start(role, "--die-at", point, *options)
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                code = await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise AssertionError(f"the {role} never came to {point}") from None
        assert code == -signal.SIGKILL, f"the {role} ended with {code} instead of dying at {point}"
        self.deaths[point] += 1

    @asynccontextmanager
    async def steady(self, role: str, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """The role, until the end of the block, at which it has to stop by itself when it is told."""
        process = await self.start(role, *options)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
            assert await process.wait() == 0

    def pass_time(self, by: timedelta) -> None:
        """Move the clock of every script on."""
        self.skewed += by
        self.skew(self.skewed)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """What the roles logged belongs to a failure."""
        try:
            yield
        except BaseException:
            sys.stderr.write(self.log.read_text(encoding="utf-8")[-8000:])
            raise


def secrets_of(vcenter: VCenterPlayer, valkey_url: str) -> dict[str, str]:
    """What every role of a night needs to know of `WORLD`."""
    return {"VC_PASSWORD": vcenter.password, "REDIS_URL": valkey_url}
