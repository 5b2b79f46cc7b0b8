"""A vCenter at its worst (number 6 of the list): sessions end, calls break off, 503, tasks vanish.

Whatever became of a call can be read here, so every job has to end as it should; `needs_human` would be a breach.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from bot.migration.machine import Phase
from tests.chaos.referee import judge
from tests.chaos.ring import Ring, ring
from tests.chaos.rows import Row, UnmeasuredError
from tests.chaos.stage import Stage
from tests.chaos.weather import CALL

NAME: Final = "vcenter"
WORKERS: Final = 3
DROPS: Final = 0.05
"""The share of calls that find their session ended."""

RESETS: Final = "resets after the call"
LOST: Final = "calls lost on the way"
VANISHED: Final = "tasks gone"
ENDED: Final = "session drops"
_OUTAGE_LONG, _OUTAGE_SHORT = 120.0, 2.0


async def run(stage: Stage) -> list[Row]:
    resets = stage.many(100, 5)
    outage = _OUTAGE_LONG if stage.many(1, 0) else _OUTAGE_SHORT
    vms = stage.many(40, 12)
    async with ring(stage, vms=vms, rate="1600 Mbit/s") as night:
        for _ in range(WORKERS):
            await night.fleet.hire()
        did: Counter[str] = Counter()
        over = asyncio.Event()
        storms = [night.group.create_task(storm(night, did)) for storm in (_sessions_end, _calls_break, _tasks_vanish)]
        async with night.crowd(stage.many(30, 8), over.is_set, patience=stage.many(90, 60)):
            await asyncio.sleep(stage.dice.uniform(1, 2))
            await _says_503(night, outage)
            await _until(lambda: did[RESETS] >= resets, stage.many(100, 20))
            over.set()
            for storm in storms:
                storm.cancel()
        await night.fleet.dismiss_all()
        refused = _refused_in_words(night)
        seen = await judge(night, excused=refused)
    unknown = sum(entry.state == Phase.UNKNOWN for entry in night.chronicle.entries)
    if not unknown or did[RESETS] < resets / 2:
        raise UnmeasuredError(f"there was no time for more than {did[RESETS]} resets")
    return [
        seen.row(
            NAME, {**did, f"503 for {outage:.0f} s": 1}, **{"looked up": unknown, "checks that failed": len(refused)}
        )
    ]


def _refused_in_words(night: Ring) -> set[str]:
    """Jobs that came no further than their check: while nobody answers, a person is told so and asks again."""
    states = {job: {entry.state for entry in entries} for job, entries in night.chronicle.of_job.items()}
    return {job for job in night.people.orders if not {Phase.PLANNED, Phase.QUEUED} & states.get(job, set())}


async def _until(holds: Callable[[], bool], seconds: float) -> None:
    """Wait for it, but no longer than there is time for."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.1)


async def _sessions_end(night: Ring, did: Counter[str]) -> None:
    """Any session, for about every twentieth call."""
    seen = sum(night.vcenter.calls.values())
    while True:
        await asyncio.sleep(0.1)
        now = sum(night.vcenter.calls.values())
        for _ in range(now - seen):
            sessions = night.vcenter.estate.sessions.all()
            if sessions and night.dice.random() < DROPS:
                night.vcenter.estate.sessions.end(night.dice.choice(sessions))
                did[ENDED] += 1
        seen = now


async def _calls_break(night: Ring, did: Counter[str]) -> None:
    """The connection of nine calls in ten breaks: mostly when the call was carried out, else before."""
    while True:
        seen, accepted = night.vcenter.calls.get(CALL, 0), len(night.vcenter.relocations)
        carried_out = night.dice.random() < 0.8
        struck = night.dice.random() < 0.9
        if struck:
            (night.vcenter.drop_reply if carried_out else night.vcenter.drop_request)(CALL)
        await night.vcenter.until_called(CALL, seen + 1)
        await asyncio.sleep(0.01)
        if struck and not carried_out:
            did[LOST] += 1
        elif struck and len(night.vcenter.relocations) > accepted:
            did[RESETS] += 1  # and not refused: its session might have ended


async def _tasks_vanish(night: Ring, did: Counter[str]) -> None:
    """Of the tasks that ended some are gone at once, the others in time."""
    while True:
        await asyncio.sleep(0.05)
        tasks = night.vcenter.estate.tasks
        ended = sum(task.ended for task in tasks.recent())
        if ended and night.dice.random() < 0.3:
            tasks.forget_ended()
            did[VANISHED] += ended


async def _says_503(night: Ring, seconds: float) -> None:
    """For so long the gateway answers in vCenter's place. What runs goes on."""
    authority = night.vcenter._authority  # the gateway has the certificate of what is behind it
    port = urlsplit(night.vcenter.url).port
    assert authority is not None
    await night.vcenter.go_down()
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", _unavailable)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        context = authority.server_context("127.0.0.1")
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context, reuse_address=True).start()
        await asyncio.sleep(seconds)
    finally:
        await runner.cleanup()
        await night.vcenter.come_up()


async def _unavailable(_request: web.Request) -> web.Response:
    return web.Response(status=503, text="503 Service Unavailable (Failed to connect to endpoint)")
