"""A queue for nights in which Redis is away for a while: whoever asks it asks again, as people and their clients do.

A draft is asked for again under the name of its delivery, as Slack repeats a command; nothing else is added.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import Any, Final, cast

from bot.errors import OutsideError
from bot.jobs.port import Drafted, JobQueue, NewJob

AGAIN_AFTER: Final = 0.1
LOOK_AGAIN: Final = 2.0
LOOK_BACK: Final = 20_000
"""Milliseconds; longer than any server of a night goes on alone."""


class _PatientQueue:
    """Every coroutine of the queue behind it, asked until it answers."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        ask = getattr(self._queue, name)

        async def patiently(*args: Any, **options: Any) -> Any:
            return await _until_answered(lambda: ask(*args, **options))

        return patiently

    async def draft(self, new: NewJob) -> Drafted:
        """Fresh, too, if an earlier try of ours made it and its answer was lost."""
        named = replace(new, dedupe=new.dedupe or secrets.token_hex(8))
        drafted = cast("Drafted", await _until_answered(lambda: self._queue.draft(named)))
        return replace(drafted, fresh=drafted.fresh or drafted.own)

    async def events(self, *, since: str = "$") -> AsyncIterator[tuple[str, Mapping[str, str]]]:
        """Every event that is kept, across any number of outages, each once.

        It looks back again and again: who took over from a lost server may have told of things before that one's last.
        """
        last = since
        known: set[str] = set()
        while True:
            stream = aiter(self._queue.events(since=last))
            begun = monotonic()
            with suppress(OutsideError, TimeoutError):
                while monotonic() - begun < LOOK_AGAIN:
                    last, event = await asyncio.wait_for(anext(stream), LOOK_AGAIN)
                    if last not in known:
                        known.add(last)
                        yield last, event
            last = _before(last)
            await asyncio.sleep(AGAIN_AFTER)


def patient(queue: JobQueue) -> JobQueue:
    """The same queue, for somebody who never gives up."""
    return cast("JobQueue", _PatientQueue(queue))


def _before(stamp: str) -> str:
    moment = stamp.partition("-")[0]
    return f"{max(int(moment) - LOOK_BACK, 0)}-0" if moment.isdigit() else stamp


async def _until_answered(ask: Callable[[], Awaitable[Any]]) -> Any:
    while True:
        try:
            return await ask()
        except OutsideError:
            await asyncio.sleep(AGAIN_AFTER)
