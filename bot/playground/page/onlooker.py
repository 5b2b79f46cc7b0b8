"""One browser that looks at the page: what it was shown, and what it has to be shown next, at a pace it can follow.

A part is made when it is sent and not before, so one who is slow gets the newest and never a queue of old ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Final

from aiohttp import web

from bot.playground.page.said import Look


class Part(StrEnum):
    """What the page is made of, in the order in which a newcomer needs it."""

    WORKSPACE = "workspace"
    CHANNEL = "channel"
    THREAD = "thread"
    VIEWS = "views"
    HOME = "home"
    WORLD = "world"
    TALLY = "tally"
    TRAFFIC = "traffic"


PERSONAL: Final = frozenset({Part.CHANNEL, Part.THREAD, Part.VIEWS, Part.HOME})
"""What depends on who looks, and at what."""

USUAL_PAUSE: Final = 0.1
PAUSES: Final = {Part.WORLD: 0.25, Part.WORKSPACE: 0.25, Part.TALLY: 0.5, Part.TRAFFIC: 0.5}
"""Seconds at least between two versions of one part."""

Make = Callable[[Part, Look | None], str]


class Onlooker:
    """One connection. `look` is None until the page has said who looks."""

    def __init__(self, socket: web.WebSocketResponse, make: Make) -> None:
        self.look: Look | None = None
        self._socket = socket
        self._make = make
        self._stale: set[Part] = set()
        self._shown: dict[Part, str] = {}
        self._not_before: dict[Part, float] = {}
        self._told = asyncio.Event()

    def tell(self, parts: Iterable[Part]) -> None:
        """These parts may have changed."""
        self._stale.update(parts)
        self._told.set()

    def turn(self, look: Look) -> None:
        """Look elsewhere: what that shows is due now."""
        self.look = look
        for part in PERSONAL:
            self._not_before.pop(part, None)
        self.tell(PERSONAL)

    async def watch(self) -> None:
        """Show what changed, until the connection is gone."""
        try:
            while True:
                for part in await self._due():
                    self._stale.discard(part)
                    await self._show(part)
        except ConnectionError:
            return

    async def say(self, text: str) -> None:
        """Send something that is no part. One who is gone hears nothing."""
        try:
            await self._socket.send_str(text)
        except ConnectionError:
            return

    async def _show(self, part: Part) -> None:
        if part in PERSONAL and self.look is None:
            return
        text = self._make(part, self.look)
        if text == self._shown.get(part):
            return
        self._shown[part] = text
        await self._socket.send_str(f'{{"type":"put","part":"{part}","value":{text}}}')
        self._not_before[part] = self._now() + PAUSES.get(part, USUAL_PAUSE)

    async def _due(self) -> list[Part]:
        """The parts that may be sent now; waits for the first one."""
        while True:
            self._told.clear()
            now = self._now()
            if due := [part for part in Part if part in self._stale and self._not_before.get(part, 0) <= now]:
                return due
            wait = min((self._not_before[part] - now for part in self._stale), default=None)
            try:
                async with asyncio.timeout(wait):
                    await self._told.wait()
            except TimeoutError:
                continue

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
