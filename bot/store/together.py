"""Commands that are asked for in one turn of the event loop, sent in one write and answered in one read.

A hundred jobs that end at once cost one round trip, not a hundred. One command alone waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from bot.errors import OutsideError

Command = tuple[Any, ...]
Send = Callable[[Sequence[Command]], Any]


class Together:
    """Collects commands until the loop comes round, and hands out each one's answer or error."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: list[tuple[Command, asyncio.Future[Any]]] = []
        self._sending: set[asyncio.Task[None]] = set()

    async def __call__(self, *command: Any) -> Any:
        """The answer. An error of the connection may or may not have been after the command was carried out."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((command, answer))
        if len(self._waiting) == 1:
            loop.call_soon(self._go)
        return await answer

    def _go(self) -> None:
        batch, self._waiting = self._waiting, []
        task = asyncio.get_running_loop().create_task(self._ask(batch))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _ask(self, batch: Sequence[tuple[Command, asyncio.Future[Any]]]) -> None:
        answers: Sequence[Any]
        try:
            answers = await self._send([command for command, _ in batch])
        except OutsideError as error:
            answers = [error] * len(batch)
        except BaseException:  # the loop ends: nobody is left waiting for an answer that will not come
            for _, future in batch:
                future.cancel()
            raise
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():
                continue  # whoever asked has gone
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
