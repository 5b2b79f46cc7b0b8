"""Keeps the leases of all claims of one queue: one request for all of them, three times a lease.

A claim that vCenter works on for hours costs no task and no timer of its own; a worker may hold a thousand.
"""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta
from typing import Final, Protocol

from bot.errors import ColdmigrateError
from bot.health.tally import Tally
from bot.jobs import ledger
from bot.store.client import Store

_log = logging.getLogger(__name__)

_PER_LEASE: Final = 3
_TRIES: Final = 4  # in the time of one renewal, while Redis does not answer


class Renewed(Protocol):
    """A claim, as far as its lease is concerned."""

    @property
    def identity(self) -> tuple[str, int]:
        """The job's id and the claim's fence."""
        ...

    def kept(self) -> None:
        """Its lease was renewed."""
        ...

    def lose(self) -> None:
        """Somebody else has the job now."""
        ...


class Renewals:
    """Renews the leases of the claims that were added, until they are taken out."""

    def __init__(self, store: Store, lease: timedelta, tally: Tally) -> None:
        self._store = store
        self._lease = lease
        self._claims: set[Renewed] = set()
        self._task: asyncio.Task[None] | None = None
        self._tally = tally

    def add(self, claim: Renewed) -> None:
        """From now on. Its lease is a fresh one."""
        self._claims.add(claim)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._renew(), name="renew leases")

    def remove(self, claim: Renewed) -> None:
        """The claim is over, or is left to end by itself."""
        self._claims.discard(claim)

    async def _renew(self) -> None:
        interval = self._lease.total_seconds() / _PER_LEASE
        pause = interval
        while True:
            await asyncio.sleep(pause)
            if not self._claims:
                return  # the next claim starts it anew
            try:
                await self._once()
            except ColdmigrateError as error:
                self._tally.renewals_failed += 1
                _log.warning("The leases of %d jobs could not be renewed: %s", len(self._claims), error)
                pause = interval / _TRIES
            else:
                pause = interval

    async def _once(self) -> None:
        asked = {claim.identity[0]: claim for claim in self._claims}
        identities = [(job, str(claim.identity[1])) for job, claim in asked.items()]
        lost = set(await ledger.RENEW(self._store, self._lease, json.dumps(identities), repeatable=True))
        for job, claim in asked.items():
            claim.lose() if job in lost else claim.kept()
