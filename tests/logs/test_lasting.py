"""Work that goes on whatever befalls it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.logs.lasting import lasting

SOON = timedelta(milliseconds=1)


async def test_what_a_defect_ended_begins_again_until_it_returns(caplog):
    ends = [KeyError("one"), ExceptionGroup("two", [ValueError("two")]), None]

    async def work():
        if (end := ends.pop(0)) is not None:
            raise end

    async with asyncio.timeout(10):
        await lasting(work, first_pause=SOON, longest_pause=SOON)
    assert ends == []
    assert caplog.text.count("ended by a defect") == 2


async def test_who_is_cancelled_ends():
    begun = asyncio.Event()

    async def work():
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(lasting(work))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
