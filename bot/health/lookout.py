"""What a role needs and how it stands, looked at now and then on the event loop, and kept for whoever asks.

Who asks reads the last look and causes none: however often a probe or a scraper comes, Redis and vCenter do not
notice. No knowledge of what is looked at.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Final

from bot.errors import ColdmigrateError

EVERY: Final = timedelta(seconds=2)
WITHIN: Final = timedelta(seconds=5)
NUMBERS_EVERY: Final = timedelta(seconds=10)
"""Seldom: to count a thousand jobs costs Redis a millisecond, in which it does nothing else."""

LATELY: Final = timedelta(seconds=10)
"""What answered this long ago still counts as answering: a fail-over in that time disturbs nobody."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a role cannot work without. What `answers` raises of our errors means no.

    `once`: its first answer is enough, and it is waited for as long as it takes.
    """

    name: str
    answers: Callable[[], Awaitable[bool]]
    once: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """Numbers that are the same whoever of the fleet reads them, by the value of `label`; without one, under ""."""

    name: str
    meaning: str
    read: Callable[[], Awaitable[Mapping[str, float]]]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One number of a table. `counts`: it only grows for as long as the process lives."""

    name: str
    meaning: str
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers of this process alone, many under the same labels. `rows` is asked at each scrape, from any thread.

    A row has a value for each label and one for each column, None for what is not known.
    """

    labels: Sequence[str]
    columns: Sequence[Column]
    rows: Callable[[], Iterable[tuple[Sequence[str], Sequence[float | None]]]]


class Lookout:
    """Looks at needs and numbers within `looking`. Everything else may be asked from any thread."""

    def __init__(
        self,
        *,
        every: timedelta = EVERY,
        numbers_every: timedelta = NUMBERS_EVERY,
        within: timedelta = WITHIN,
        lately: timedelta = LATELY,
    ) -> None:
        self._every, self._within, self._lately = (t.total_seconds() for t in (every, within, lately))
        self._numbers_every = numbers_every.total_seconds()
        self._started = self._leaving = False
        self._needs: Sequence[Need] = ()
        self._tables: Sequence[Table] = ()
        self._answered: dict[str, float] = {}
        self._read: dict[str, tuple[float, Family, Mapping[str, float]]] = {}

    @asynccontextmanager
    async def looking(
        self, needs: Sequence[Need], *, at: Sequence[Family] = (), tables: Sequence[Table] = ()
    ) -> AsyncIterator[None]:
        """The role is up and needs this. From the end of the block on it is not ready any more."""
        self._needs, self._tables, self._started = tuple(needs), tuple(tables), True
        looks = [
            *(asyncio.create_task(self._watch(need), name=f"look at {need.name}") for need in needs),
            *(asyncio.create_task(self._keep_reading(family), name=f"read {family.name}") for family in at),
        ]
        for look in looks:
            look.add_done_callback(_tell_defect)
        try:
            yield
        finally:
            self.leave()
            for look in looks:
                look.cancel()
            await asyncio.gather(*looks, return_exceptions=True)

    def leave(self) -> None:
        """The role was told to stop: it wants no more work."""
        self._leaving = True

    @property
    def started(self) -> bool:
        """Whether the role came as far as to look at what it needs."""
        return self._started

    @property
    def leaving(self) -> bool:
        """Whether the role was told to stop."""
        return self._leaving

    def standing(self) -> Mapping[str, bool]:
        """Every need by its name, and whether it answers."""
        return {need.name: self._stands(need) for need in self._needs}

    @property
    def ready(self) -> bool:
        """Whether the role can work: it is up, was not told to stop, and everything it needs answers."""
        return self._started and not self._leaving and all(self.standing().values())

    def tables(self) -> Sequence[Table]:
        """The tables that the role has."""
        return self._tables

    def figures(self) -> list[tuple[Family, Mapping[str, float]]]:
        """The numbers that were read lately; older ones are left out, for they would look like news."""
        oldest = monotonic() - self._numbers_every - self._lately
        return [(family, found) for at, family, found in [*self._read.values()] if at >= oldest]

    def _stands(self, need: Need) -> bool:
        at = self._answered.get(need.name)
        return at is not None and (need.once or self._is_late(at))

    def _is_late(self, at: float) -> bool:
        return monotonic() - at <= self._lately

    async def _watch(self, need: Need) -> None:
        told = True
        while True:
            if await self._answers(need):
                self._answered[need.name] = monotonic()
                if need.once:
                    return
            stands = self._stands(need)
            if stands is not told:
                told = stands
                _log.log(logging.INFO if stands else logging.WARNING, _words(stands), need.name)
            await asyncio.sleep(self._every)

    async def _answers(self, need: Need) -> bool:
        try:
            # One that is asked once is not given up: it may go on in a thread, where the next would join it.
            async with asyncio.timeout(None if need.once else self._within):
                return await need.answers()
        except (ColdmigrateError, TimeoutError) as error:
            _log.debug("%s does not answer: %s", need.name, error)
            return False

    async def _keep_reading(self, family: Family) -> None:
        while True:
            try:
                async with asyncio.timeout(self._within):
                    self._read[family.name] = monotonic(), family, dict(await family.read())
            except (ColdmigrateError, TimeoutError) as error:
                _log.debug("%s cannot be read: %s", family.name, error)
            await asyncio.sleep(self._numbers_every)


def _words(stands: bool) -> str:  # noqa: FBT001 - the very question
    return "%s answers again." if stands else "Not ready: %s does not answer."


def _tell_defect(look: asyncio.Task[None]) -> None:
    if not look.cancelled() and (error := look.exception()) is not None:
        _log.error("To %s ended with a defect; this role is not ready any more.", look.get_name(), exc_info=error)
