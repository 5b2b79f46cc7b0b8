"""The process of `echo.mjs`: how it is started, what it printed, and its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bot.playground.slack.player import SlackPlayer

HERE = Path(__file__).parent
NODE = HERE.parents[1] / "build" / "node" / "bin" / "node"
USUAL_WAIT = timedelta(seconds=5)  # the official client's own
PATIENCE = 20.0  # seconds; a cold start of Node on a busy machine takes two

Json = dict[str, Any]


class EchoError(Exception):
    """The app is not there, or ended, or did not do what was waited for; the message says what it printed."""


class EchoApp:
    """An official JavaScript app, connected to `slack`. `async with` starts it and ends it."""

    def __init__(self, slack: SlackPlayer, *, reconnects_after: timedelta = USUAL_WAIT) -> None:
        self._slack = slack
        self._reconnects_after = reconnects_after
        self.lines: list[Json] = []
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._grown = asyncio.Condition()
        self._ended = False

    async def __aenter__(self) -> Self:
        if not (HERE / "node_modules").is_dir() or not NODE.exists():
            raise EchoError("the JavaScript referee is not installed: run `make setup` (it finds Node, or installs it)")
        self._process = await asyncio.create_subprocess_exec(
            NODE,
            HERE / "echo.mjs",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={
                "SLACK_API_URL": self._slack.api_url,
                "SLACK_APP_TOKEN": self._slack.app_token,
                "SLACK_BOT_TOKEN": self._slack.bot_token,
                "RECONNECT_AFTER_MS": str(round(self._reconnects_after.total_seconds() * 1000)),
            },
        )
        self._reading = asyncio.create_task(self._read())
        try:
            await self.heard("ready")
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def heard(self, kind: str, matching: Callable[[Json], object] = lambda _: True, *, times: int = 1) -> Json:
        """The `times`-th line of this kind that matches, as soon as it is there."""

        def found() -> list[Json]:
            return [line for line in self.lines if line["kind"] == kind and matching(line)]

        try:
            async with asyncio.timeout(PATIENCE), self._grown:
                await self._grown.wait_for(lambda: len(found()) >= times or self._ended)
        except TimeoutError:
            pass
        if len(found()) < times:
            raise EchoError(f"no {kind!r} from the app; it printed: {self.lines}")
        return found()[times - 1]

    @property
    def complaints(self) -> list[Json]:
        """What the official client did not like."""
        return [line for line in self.lines if line["kind"] in {"warning", "error", "garbage"}]

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for raw in self._process.stdout:
            async with self._grown:
                self.lines.append(_parsed(raw.decode(errors="replace")))
                self._grown.notify_all()
        async with self._grown:
            self._ended = True
            self._grown.notify_all()

    async def _end(self) -> None:
        assert self._process is not None
        assert self._reading is not None
        if self._process.stdin is not None:
            self._process.stdin.close()  # which is the request to end
        try:
            async with asyncio.timeout(5):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading


def _parsed(line: str) -> Json:
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    return said if isinstance(said, dict) and "kind" in said else {"kind": "garbage", "said": [line]}
