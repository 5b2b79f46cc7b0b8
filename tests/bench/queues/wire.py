"""What a worker and a feeder of any queue tell the benchmark: lines on standard output, commands on standard input.

Nothing but the standard library is imported here, because each queue runs on the Python that has it installed.

    work URL --concurrency N --lease S --drain N     until it is ended; says ready, start, end, taken, drained
    feed URL                                         reads `noop COUNT` and `nap|copy NAME SECONDS`; says fed, asked

Times are `time.monotonic_ns`, which all processes of a machine share. Three kinds of job: a `noop` counts itself, a
`nap` says when it starts and ends, and a `copy` does so too and stands for what must not be started twice.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import sys
from collections.abc import Awaitable, Callable
from time import monotonic_ns

Enqueue = Callable[[str, str, float], Awaitable[object]]
"""Put a job of this kind into the queue, with its name and its seconds."""


def options() -> argparse.Namespace:
    """What this process is to do."""
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["work", "feed"])
    parser.add_argument("url")
    parser.add_argument("--concurrency", type=int, default=100)
    parser.add_argument("--lease", type=float, default=60.0)
    parser.add_argument("--drain", type=int, default=0)
    return parser.parse_args()


def say(word: str, name: str, *, at: int | None = None) -> None:
    """One line, whole even when many threads speak."""
    os.write(1, f"{word} {name} {at or monotonic_ns()}\n".encode())


class Drain:
    """Counts no-ops, in whatever thread they run, and says when the first and the last of them ran."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._numbers = itertools.count(1)

    def one(self) -> None:
        number = next(self._numbers)
        if number in {1, self._jobs}:
            say("drained", str(number))


async def feed(enqueue: Enqueue) -> None:
    """Obey standard input until it ends."""
    say("ready", "feeder")
    while line := await asyncio.to_thread(sys.stdin.readline):
        kind, name, *seconds = line.split()
        if kind == "noop":
            for number in range(int(name)):
                await enqueue("noop", str(number), 0.0)
            say("fed", name)
        else:
            asked = monotonic_ns()
            await enqueue(kind, name, float(seconds[0]))
            say("asked", name, at=asked)
