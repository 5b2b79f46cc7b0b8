"""What a vCenter and the way to it do to a night: late calls, late and lost replies, sessions that end."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from bot.playground.vcenter.player import VCenterPlayer

CALL: Final = "RelocateVM_Task"
LATEST: Final = 1.2
"""Seconds that a relocation may be under way before it is carried out; the settle margin is longer."""

DROPS: Final = 100
"""Of so many calls one finds that its session has ended."""


@dataclass
class Weather:
    """`lost` is the share of relocation calls whose request or reply gets lost. Counts what it did."""

    vcenter: VCenterPlayer
    dice: random.Random
    lost: float = 0.05
    late: bool = True
    drops: bool = True
    counted: Counter[str] = field(default_factory=Counter)

    async def blow(self) -> None:
        """Until cancelled; then nothing is held back any more."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._lose())
                if self.late:
                    group.create_task(self._delay())
                if self.drops:
                    group.create_task(self._drop())
        finally:
            self.vcenter.delay_reply(CALL, 0.001)
            self.vcenter.delay_reply(CALL, 0)

    async def _delay(self) -> None:
        """Half of the calls are under way for a while before they do anything, and half of the replies after."""
        while True:
            arrived = self.vcenter.calls.get(CALL, 0)
            released = self.vcenter.hold_back(CALL)
            self.vcenter.delay_reply(CALL, self.dice.choice((0.001, self.dice.uniform(0.05, LATEST))))
            try:
                await self.vcenter.until_called(CALL, arrived + 1)
                await asyncio.sleep(self.dice.choice((0, self.dice.uniform(0.05, LATEST))))
                self.counted["late calls"] += 1
            finally:
                released.set()

    async def _lose(self) -> None:
        while True:
            seen = self.vcenter.calls.get(CALL, 0)
            if self.dice.random() < self.lost:
                lose = self.dice.choice((self.vcenter.drop_reply, self.vcenter.drop_request))
                lose(CALL)
                self.counted["lost calls"] += 1
            await self.vcenter.until_called(CALL, seen + 1)

    async def _drop(self) -> None:
        """End one session, whosever it is, for about every hundredth call."""
        seen = sum(self.vcenter.calls.values())
        while True:
            await asyncio.sleep(0.1)
            now = sum(self.vcenter.calls.values())
            for _ in range(now - seen):
                sessions = self.vcenter.estate.sessions.all()
                if sessions and self.dice.random() < 1 / DROPS:
                    self.vcenter.estate.sessions.end(self.dice.choice(sessions))
                    self.counted["session drops"] += 1
            seen = now
