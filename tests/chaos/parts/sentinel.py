"""The primary of a watched Redis is killed, and cut off (number 4 of the list): what was confirmed is never lost.

One replica and three sentinels. After each kill there is nobody left to confirm anything until the dead one is back: a
migration that is asked for then has to be refused in words, not acknowledged.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Final

from bot.errors import OutsideError, UnconfirmedError
from bot.jobs.port import NewJob
from bot.jobs.queue import RedisQueue
from bot.store import keys
from bot.store.client import connect
from tests.chaos.own_redis import heard_again, really_ended
from tests.chaos.referee import judge
from tests.chaos.ring import HungError, Ring, ring
from tests.chaos.rows import Row
from tests.chaos.stage import Stage
from tests.store.processes import Server
from tests.store.sentinel_fleet import SentinelFleet, sentinel_fleet

NAME: Final = "sentinel"
WORKERS: Final = 3
DOWN_AFTER: Final = timedelta(seconds=1)
PATIENCE: Final = 60.0
PUT_OFF: Final = timedelta(seconds=61)


async def run(stage: Stage) -> list[Row]:
    kills, partitions = stage.many(10, 1), stage.many(3, 0)  # a demotion takes ten seconds, too long for CI
    with sentinel_fleet(stage.new_folder(), down_after=DOWN_AFTER) as fleet:
        async with ring(stage, vms=stage.many(30, 10), redis=fleet.url) as night:
            for _ in range(WORKERS):
                await night.fleet.hire()
            losses = _Losses(night, fleet)
            async with night.crowd(stage.many(10, 5), lambda: losses.done, patience=120):
                for _ in range(kills):
                    await asyncio.sleep(stage.dice.uniform(0.5, 3))
                    await losses.kill()
                for _ in range(partitions):
                    await asyncio.sleep(stage.dice.uniform(0.5, 3))
                    await losses.cut_off(stage.dice.uniform(0, 2))
                losses.done = True
                await losses.pass_time(PUT_OFF)
            await night.within(PATIENCE, "jobs whose record never ends", really_ended(night))
            await night.fleet.dismiss_all()
            seen = await judge(night)
    seen.breaches += losses.breaches
    measured = {
        "longest without a primary s": max(losses.lasted),
        "longest until a worker was back s": max(losses.back, default=0.0),
    }
    did = {"primaries killed": kills, "cut off": partitions, "refused while alone": losses.refused}
    return [seen.row(NAME, did, **measured)]


@dataclass
class _Losses:
    """The ways in which a primary is lost."""

    night: Ring
    fleet: SentinelFleet
    done: bool = False
    refused: int = 0
    lasted: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)

    async def kill(self) -> None:
        dead = self.fleet.kill_primary()
        await self._someone_else(dead)
        asked = await self._nobody_confirms()
        await asyncio.to_thread(self.fleet.bring_back, dead)
        # Asking again, as the sentence says, finds what was taken after all; and then it is not wanted any more.
        found = await self.night.queue.draft(asked)
        await self.night.queue.cancel(found.id, by=asked.requester)

    async def pass_time(self, by: timedelta) -> None:
        """What was put off because nobody confirmed it comes up now; and all leases end, which must do no harm."""
        await self.night.store.execute_command("SET", keys.CLOCK_SKEW, round(by.total_seconds() * 1000))
        words = ("job", "", "state", "", "by", "test", "why", "the clock moved")
        await self.night.store.execute_command("XADD", keys.EVENTS, "*", *words)

    async def cut_off(self, longer: float) -> None:
        """It hears and says nothing, is replaced, and wakes up as one who thinks that it is the primary."""
        old = self.fleet.primary
        old.freeze()
        try:
            new = await self._someone_else(old)
            self.back += await heard_again(new.port, self.night.fleet, since=time.time(), within=PATIENCE)
            await asyncio.sleep(longer)
        finally:
            old.thaw()
        await asyncio.to_thread(self._follows, old)

    def _follows(self, old: Server) -> None:
        self.fleet.wait_until_in_step()
        if old.ask("ROLE")[0] != "slave":
            self.breaches.append("the old primary was never demoted")

    async def _someone_else(self, lost: Server) -> Server:
        begun = monotonic()
        try:
            found = await asyncio.to_thread(self.fleet.wait_for_failover, lost)
        except AssertionError as error:
            raise HungError(str(error)) from error
        self.lasted.append(monotonic() - begun)
        return found

    async def _nobody_confirms(self) -> NewJob:
        """Somebody asks for something; that it was taken must not be said, because it might be lost again."""
        new = NewJob("nothing", vm_key="", requester="U0DAVE0001", channel="", data={}, dedupe=secrets.token_hex(8))
        async with connect(self.fleet.url) as store:
            try:
                async with asyncio.timeout(PATIENCE):
                    while (refused := await _refused(RedisQueue(store), new)) is None:
                        await asyncio.sleep(0.1)
            except TimeoutError:
                raise HungError("nobody refuses and nobody takes what is asked for") from None
        self.refused += refused
        if not refused:
            self.breaches.append("something was acknowledged although no replica had it")
        return new


async def _refused(queue: RedisQueue, new: NewJob) -> bool | None:
    """None while the new primary is not found."""
    try:
        await queue.draft(new)
    except UnconfirmedError:
        return True
    except OutsideError:
        return None
    return False
