"""A browser's side of the page's protocol, without a browser: a real WebSocket and what came through it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp

from bot.errors import UserError
from bot.playground.page.stagehands import RoleSeen

Json = dict[str, Any]
ALICE, BOB, MALLORY = "U0ALICE001", "U0BOB00001", "U0MALLORY1"
CHANNEL = "C0MIGRATE1"
PATIENCE = 10.0


class Crew:
    """Stagehands who only write down what they are told."""

    def __init__(self) -> None:
        self.advanced = timedelta(0)
        self.killed: list[str] = []
        self.tell: Callable[[], None] = lambda: None

    def roles(self) -> list[RoleSeen]:
        return [RoleSeen("bot", "running", 4711, len(self.killed))]

    def on_change(self, tell: Callable[[], None]) -> None:
        self.tell = tell

    def kill(self, role: str) -> None:
        if role != "bot":
            raise UserError(f"There is no role {role!r}; there are: bot.")
        self.killed.append(role)
        self.tell()

    async def advance(self, by: timedelta) -> None:
        self.advanced += by


@dataclass
class Visitor:
    """What a page knows. `puts` counts how often each part came."""

    socket: aiohttp.ClientWebSocketResponse
    parts: Json = field(default_factory=dict)
    puts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _answers: dict[int, asyncio.Future[Json]] = field(default_factory=dict)
    _heard: asyncio.Event = field(default_factory=asyncio.Event)
    _last: int = 0

    async def listen(self) -> None:
        async for message in self.socket:
            said = json.loads(message.data)
            if said["type"] == "put":
                self.parts[said["part"]] = said["value"]
                self.puts[said["part"]] = self.puts.get(said["part"], 0) + 1
            elif said["type"] == "did":
                self._answers[said["id"]].set_result(said)
            else:
                self.notes.append(said["text"])
            heard, self._heard = self._heard, asyncio.Event()
            heard.set()

    async def ask(self, do: str, **sent: Any) -> Json:
        self._last += 1
        answer = self._answers[self._last] = asyncio.get_running_loop().create_future()
        await self.socket.send_json({"id": self._last, "do": do, **sent})
        async with asyncio.timeout(PATIENCE):
            return await answer

    async def do(self, do: str, **sent: Any) -> Json:
        """A gesture that works; its result."""
        said = await self.ask(do, **sent)
        assert said["ok"], said
        result: Json = said["result"]
        return result

    async def refused(self, do: str, **sent: Any) -> str:
        """A gesture that does not; the sentence."""
        said = await self.ask(do, **sent)
        assert not said["ok"], said
        return str(said["error"])

    async def look(self, user: str = ALICE, channel: str = CHANNEL, **more: Any) -> None:
        await self.do("look", **{"user": user, "channel": channel, "thread": None, "home": False, **more})

    async def until(self, seen: Callable[[Json], Any]) -> Any:
        """The first true answer about the parts, asked whenever something came; a part that is missing is no."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    if answer := seen(self.parts):
                        return answer
                except (LookupError, TypeError):
                    pass
                await self._heard.wait()

    async def message(self, saying: str, part: str = "channel") -> Json:
        """A message of the channel or thread, once it is there."""
        found: Json = await self.until(
            lambda parts: next((m for m in parts[part]["messages"] if saying in json.dumps(m)), None)
        )
        return found


@asynccontextmanager
async def visit(url: str, *, origin: str | None = None) -> AsyncIterator[Visitor]:
    async with aiohttp.ClientSession() as session:
        headers = {"Origin": origin or url.rstrip("/")}
        async with session.ws_connect(f"{url}ui/socket", headers=headers, max_msg_size=0) as socket:
            visitor = Visitor(socket)
            listening = asyncio.create_task(visitor.listen())
            try:
                yield visitor
            finally:
                listening.cancel()
