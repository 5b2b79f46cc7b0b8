"""The jobs of a batch, kept up to date by the queue's events: no vCenter is asked, and little is read twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.jobs.port import Job, JobQueue
from bot.migration.machine import Phase
from bot.migration.request import JobId, MigrationRequest
from bot.operations.batch_record import Part, Row, with_holds

_BUSY: Final = frozenset({Phase.ATTACHED, Phase.VERIFYING})
"""How far a copy is, is no event: these are read at every look. A link has slots for few of them."""


class Parts:
    """What was read of them so far. `since`: the last event that was there before they were."""

    def __init__(
        self, queue: JobQueue, requests: Sequence[MigrationRequest], parts: Sequence[Part], *, since: str
    ) -> None:
        self._queue = queue
        self._requests = requests
        self._parts = parts
        self._since = since
        self._jobs: dict[JobId, Job] = {}

    async def look(self) -> list[Row]:
        """All of them as they are now."""
        news = await self._news()
        stale = [part.job for part in self._parts if self._is_stale(part.job, news)]
        self._jobs.update({job.id: job for job in await self._queue.get_many(stale)})
        rows = [
            Row(request, part, self._jobs.get(part.job))
            for request, part in zip(self._requests, self._parts, strict=True)
        ]
        return await with_holds(self._queue, rows)

    def _is_stale(self, job: JobId, news: set[str]) -> bool:
        known = self._jobs.get(job)
        return known is None or job in news or known.state in _BUSY

    async def _news(self) -> set[str]:
        """The jobs that something happened to since the last look. Nothing is waited for."""
        newest, news = await self._queue.last_event(), set[str]()
        if newest == self._since:
            return news
        async for event, fields in self._queue.events(since=self._since):
            self._since = event
            news.add(fields.get("job", ""))
            if _moment(event) >= _moment(newest):
                break
        return news


def _moment(event: str) -> tuple[int, int]:
    """The ids of a stream in their order."""
    milliseconds, _, number = event.partition("-")
    return int(milliseconds), int(number or 0)
