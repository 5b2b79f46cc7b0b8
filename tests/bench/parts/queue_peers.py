"""Our queue beside taskiq-redis, dramatiq, pydocket and Celery, each on an embedded Valkey of its own, in turns.

Speed: no-ops that were enqueued first and are then drained by one worker with 100 places (the best of some rounds in
turns, because what disturbs a round only makes it slower), and the way from before the enqueueing to inside an idle
worker's job. Room: 1,000 jobs that wait in one worker. Safety, at a lease of ten seconds: a worker is killed, is
paused for two leases, or is well and has a job for three leases; how long until somebody else has the job, and how
often what must not be started twice was started. Short jobs go on coming meanwhile.

Every contender acknowledges after the job, keeps no results, and is set as `tests/bench/queues/with_*.py` say: their
lease is dramatiq's heartbeat, Celery's visibility time-out, taskiq's idle time-out, pydocket's redelivery time-out,
each with its sweep as frequent as it can be set. Our job writes that it is about to start, as the product's does
before it calls vCenter, and whoever takes it over reads that; a function that is run again has nothing to read, so
theirs starts again. Both count as `start`.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from enum import StrEnum
from typing import Final

from tests.bench.figures import Figure, percentile
from tests.bench.peers import queues_python
from tests.bench.queues.crew import Contender, Crew, Log, crew, resident, send

NAME: Final = "queues"

ROUNDS: Final = 4
ROUNDS_OF_ALL: Final = 2
"""After these only we and the best of the others go on."""

NOOPS: Final = 2000
PLACES: Final = 100
IDLE: Final = 40
WARM_UP: Final = 10
SLEEPERS: Final = 1000
SLEEP: Final = 5.0

LEASE: Final = 10.0
LONG: Final = 3 * LEASE
COPIES: Final = 3
TRAFFIC: Final = 2.0
"""Seconds between two short jobs that go on coming: some look for what was left behind only when something comes."""

LONGEST_TAKEOVER: Final = 1.25 * LEASE + 1.0
WATCHED: Final = LONG + 6.0
"""Seconds after the deed; who has not taken over by then has not."""

OURS: Final = "ours"


class Deed(StrEnum):
    KILLED = "killed"
    PAUSED = "paused for two leases"
    WELL = "well, with a job of three leases"


async def measure() -> list[Figure]:
    theirs = await asyncio.to_thread(queues_python)
    contenders = [Contender(OURS, "ours", sys.executable)] + [
        Contender(name, f"with_{name}", theirs) for name in ("taskiq", "dramatiq", "docket", "celery")
    ]
    figures = [*await _throughput(contenders), *await _idle(contenders)]
    ours, *others = contenders
    figures += await _sleepers(ours)
    for several in await asyncio.gather(*map(_sleepers, others)):  # all at once: it is waiting, and minutes are few
        figures += several
    print(f"queues: {SLEEPERS} jobs have waited in each", file=sys.stderr, flush=True)
    return [*figures, *await _deeds(contenders)]


async def _throughput(contenders: list[Contender]) -> list[Figure]:
    rates: dict[str, float] = dict.fromkeys((contender.name for contender in contenders), 0.0)
    for number in range(ROUNDS):
        leading = {OURS, _best(rates)[0]}
        for contender in contenders:
            if number < ROUNDS_OF_ALL or contender.name in leading:
                rates[contender.name] = max(rates[contender.name], await _drained(contender))
        print(f"queues: no-ops a second {_rounded(rates)}", file=sys.stderr, flush=True)
    best, rate = _best(rates)
    ours = Figure(name="queues.no-ops", value=rates[OURS], unit="jobs/s").against(f"best, {best}", rate)
    return [
        replace(ours, goal="the best of all", met=rates[OURS] > rate),
        *(Figure(name=f"queues.no-ops.{name}", value=r, unit="jobs/s") for name, r in rates.items() if name != OURS),
    ]


def _best(rates: dict[str, float]) -> tuple[str, float]:
    """The best of the others."""
    return max(((name, rate) for name, rate in rates.items() if name != OURS), key=lambda pair: pair[1])


async def _drained(contender: Contender) -> float:
    async with crew(contender) as one:
        await one.feed(f"noop {NOOPS}")
        await one.log.wait_for("fed")
        await one.worker("--concurrency", str(PLACES), "--drain", str(NOOPS))
        first, last = await one.log.wait_for("drained", count=2)
    return (NOOPS - 1) / ((last.at - first.at) / 1e9)


async def _idle(contenders: list[Contender]) -> list[Figure]:
    """All of them wait, each for its own, and get one job after the other in turns."""
    took: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    async with AsyncExitStack() as stack:
        crews = [await stack.enter_async_context(crew(contender)) for contender in contenders]
        for one in crews:
            await one.worker("--concurrency", "10")
        for number in range(WARM_UP + IDLE):
            for one in crews:
                await asyncio.sleep(random.uniform(0.01, 0.03))
                took[one.contender.name].append(await _started_after(one, f"job-{number}"))
    p50 = {name: percentile(sample[WARM_UP:], 0.5) for name, sample in took.items()}
    best, value = min(((name, value) for name, value in p50.items() if name != OURS), key=lambda pair: pair[1])
    ours = Figure(name="queues.idle p50", value=p50[OURS], unit="ms").against(f"best, {best}", value)
    return [
        replace(ours, goal="1.5 times the best", met=p50[OURS] <= 1.5 * min(p50.values())),
        *(Figure(name=f"queues.idle p50.{name}", value=v, unit="ms") for name, v in p50.items() if name != OURS),
    ]


async def _started_after(one: Crew, name: str) -> float:
    """Milliseconds from before a job was put into the queue until it began."""
    await one.feed(f"nap {name} 0")
    (started,) = await one.log.wait_for("start", name=name)
    (asked,) = await one.log.wait_for("asked", name=name)
    await one.log.wait_for("end", name=name)
    return (started.at - asked.at) / 1e6


async def _sleepers(contender: Contender) -> list[Figure]:
    async with crew(contender) as one:
        for number in range(SLEEPERS):
            await one.feed(f"nap sleeper-{number} {SLEEP}")
        await one.log.wait_for("asked", count=SLEEPERS)
        worker = await one.worker("--concurrency", str(SLEEPERS))
        starts = await one.log.wait_for("start", count=SLEEPERS)
        memory = resident(worker)
        ends = await one.log.wait_for("end", count=SLEEPERS)
    span = (max(said.at for said in ends) - min(said.at for said in starts)) / 1e9
    peak = Figure(name=f"queues.waiting.{contender.name}", value=_peak(one.log), unit="at once")
    if contender.name == OURS:
        peak = replace(peak, goal=f"{SLEEPERS}", met=peak.value == SLEEPERS)
    return [
        peak,
        Figure(name=f"queues.waiting.{contender.name}.span", value=span, unit="s").against("the sleep", SLEEP),
        Figure(name=f"queues.waiting.{contender.name}.memory", value=memory, unit="MB"),
    ]


def _peak(log: Log) -> int:
    changes = sorted([(said.at, 1) for said in log.of("start")] + [(said.at, -1) for said in log.of("end")])
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


async def _deeds(contenders: list[Contender]) -> list[Figure]:
    """All of it at once: what is measured here is seconds of waiting, and who starts what."""
    async with AsyncExitStack() as stack:
        scenes = [(deed, await stack.enter_async_context(crew(contender))) for contender in contenders for deed in Deed]
        done = await asyncio.gather(*(_done(one, deed) for deed, one in scenes))
    figures = []
    for (deed, one), (seconds, starts) in zip(scenes, done, strict=True):
        who = one.contender.name
        figure = Figure(name=f"queues.starts.{who}, {deed}", value=starts, unit="of one job")
        figures.append(replace(figure, goal="1", met=starts == 1) if who == OURS else figure)
        if deed is Deed.KILLED:
            took = Figure(name=f"queues.take-over.{who}", value=seconds, unit="s")
            figures.append(took.below(LONGEST_TAKEOVER) if who == OURS else took)
    return figures


async def _done(one: Crew, deed: Deed) -> tuple[float, int]:
    """Seconds until another worker had the last of the jobs (what was watched, if none did), and the most starts."""
    words = ("--concurrency", "10", "--lease", str(LEASE))
    first = await one.worker(*words)
    for number in range(COPIES):
        await one.feed(f"copy copy-{number} {LONG}")
    began = await one.log.wait_for("start", count=COPIES)
    await one.worker(*words)
    await asyncio.sleep(1)
    now = _now()
    if deed is Deed.KILLED:
        send(first, signal.SIGKILL)
    elif deed is Deed.PAUSED:
        send(first, signal.SIGSTOP)
        await asyncio.sleep(2 * LEASE)
        send(first, signal.SIGCONT)
    while _now() < now + WATCHED:
        await one.feed(f"nap traffic-{_now():.0f} 0")
        await asyncio.sleep(TRAFFIC)
    others = [
        said
        for said in one.log.of("taken") + one.log.of("start")
        if said.by != began[0].by and said.name.startswith("copy")
    ]
    taken = {said.name: (said.at / 1e9 - now) for said in sorted(others, key=lambda said: -said.at)}
    seconds = max(taken.values()) if len(taken) == COPIES else WATCHED
    return seconds, max(len(one.log.of("start", f"copy-{number}")) for number in range(COPIES))


def _now() -> float:
    return asyncio.get_running_loop().time()  # the clock of time.monotonic


def _rounded(rates: dict[str, float]) -> str:
    return ", ".join(f"{name} {rate:.0f}" for name, rate in rates.items())
