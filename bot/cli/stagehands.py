"""Those behind the stage of the demo: they know the roles' processes, and move every clock there is at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.cli.supervisor import Supervisor
from bot.errors import UserError
from bot.playground.page.stagehands import RoleSeen
from bot.playground.slack.switches import Switches
from bot.store import keys
from bot.store.client import connect


class WorldClock:
    """The clock of the simulated vCenters and hosts: this machine's, and as much as it was moved."""

    def __init__(self) -> None:
        self.moved = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.moved


class Crew:
    """What the page's switches need of this process and of Redis."""

    def __init__(self, supervisor: Supervisor, *, slack: Switches, world: WorldClock, redis_url: str) -> None:
        self._supervisor = supervisor
        self._slack = slack
        self._world = world
        self._redis_url = redis_url
        self._moving = asyncio.Lock()

    @property
    def advanced(self) -> timedelta:
        """How far the clocks are ahead of this machine's."""
        return self._world.moved

    def roles(self) -> list[RoleSeen]:
        return [RoleSeen(s.name, s.state.value, s.pid, s.restarts) for s in self._supervisor.standing()]

    def on_change(self, tell: Callable[[], None]) -> None:
        """Call `tell` whenever `roles` would say something else."""
        self._supervisor.on_change = tell

    def kill(self, role: str) -> None:
        """SIGKILL a role. Refused with the names there are."""
        names = [standing.name for standing in self._supervisor.standing()]
        if role not in names:
            raise UserError(f"There is no role {role!r}; there are: {', '.join(names)}.")
        self._supervisor.kill(role)

    async def advance(self, by: timedelta) -> None:
        """Move the clocks of the queue, of Slack, and of the vCenters and hosts forward, the queue's first.

        Roles decide by the queue's clock; their processes, and copies that run, keep to real time.
        """
        async with self._moving, connect(self._redis_url) as store:
            skew = await store.text(keys.CLOCK_SKEW)
            await store.set(keys.CLOCK_SKEW, int(skew or 0) + round(by.total_seconds() * 1000))
            self._world.moved += by
            self._slack.advance(by)
            # An event about no job: whoever waits for the queue looks at the clock again.
            await store.xadd(keys.EVENTS, {"job": "", "state": "", "by": "demo", "why": "the clock moved"})
