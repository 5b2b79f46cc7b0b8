"""What the queue's event stream told during a night, with times: for whoever waits for something, or judges."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bot.jobs.port import JobQueue
from bot.migration.machine import Phase

TAKEN_OVER: Final = "taken over from "


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. `at` is the server's wall clock in seconds, which no test moves."""

    at: float
    job: str
    state: str
    by: str
    why: str

    @property
    def taken_from(self) -> str:
        """The worker that had the job before, if this is a take-over."""
        return self.why.removeprefix(TAKEN_OVER) if self.why.startswith(TAKEN_OVER) else ""

    @property
    def ended(self) -> bool:
        return self.state != "" and Phase(self.state).ended


class Chronicle:
    """All entries so far. `heard` are called with each new one, at once and in order."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue
        self.entries: list[Entry] = []
        self.of_job: dict[str, list[Entry]] = {}
        self.heard: list[Callable[[Entry], None]] = []
        self._grown = asyncio.Condition()

    async def keep(self) -> None:
        """Listen until cancelled."""
        async for stamp, event in self._queue.events(since="0-0"):
            if not event.get("job"):
                continue
            at = int(stamp.partition("-")[0]) / 1000
            entry = Entry(at, event["job"], event["state"], event["by"], event["why"])
            self.entries.append(entry)
            self.of_job.setdefault(entry.job, []).append(entry)
            for tell in self.heard:
                tell(entry)
            async with self._grown:
                self._grown.notify_all()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return once it holds, looked at after every entry. The caller sets the time-out."""
        async with self._grown:
            await self._grown.wait_for(holds)

    def state(self, job: str) -> str:
        """The state of the job as last heard, or empty."""
        entries = self.of_job.get(job)
        return entries[-1].state if entries else ""

    def has_ended(self, job: str) -> bool:
        entries = self.of_job.get(job)
        return entries is not None and entries[-1].ended
