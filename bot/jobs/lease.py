"""A claim on Redis: fenced writes to one job, and the lease behind them renewed in time."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

from bot.errors import ColdmigrateError
from bot.jobs import ledger
from bot.jobs.port import Job, LostLeaseError
from bot.migration.machine import Phase
from bot.store.client import Store

_log = logging.getLogger(__name__)

_RENEWALS_PER_LEASE: Final = 3
_TRIES_PER_RENEWAL: Final = 4  # while Redis does not answer


def token() -> str:
    """A name for one request, so that asking again after a lost answer changes nothing twice."""
    return secrets.token_hex(8)


class RedisClaim:
    """`Claim` of bot/jobs/port.py."""

    def __init__(self, store: Store, job: Job, *, taken_over: bool, lease: timedelta, approval: timedelta) -> None:
        self._store = store
        self._job = job
        self._taken_over = taken_over
        self._lease = lease
        self._approval = approval
        self._closed = False
        self._renewing: asyncio.Task[None] | None = None

    @property
    def job(self) -> Job:
        return self._job

    @property
    def taken_over(self) -> bool:
        return self._taken_over

    @property
    def closed(self) -> bool:
        return self._closed

    async def __aenter__(self) -> Self:
        self._renewing = asyncio.create_task(self._renew(), name=f"renew {self._job.id}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._renewing is None:
            return
        self._renewing.cancel()
        await asyncio.wait({self._renewing})  # and not `await` it: our own cancellation must not be mistaken for its
        if not self._renewing.cancelled():
            self._renewing.result()

    async def move(
        self, to: Phase, *, why: str, data: Mapping[str, str] | None = None, attempt: int | None = None
    ) -> Job:
        self._check_open()
        flat = await ledger.MOVE(
            self._store,
            *self._identity(),
            token(),
            self._job.state,
            to,
            self._job.owner,
            why,
            "" if attempt is None else attempt,
            json.dumps(dict(data or {})),
            self._approval,
            repeatable=True,
        )
        if not flat:
            raise self._lost()
        self._job = ledger.to_job(ledger.pairs(flat))
        self._closed = self._job.state.ended or self._job.state is Phase.PLANNED
        return self._job

    async def note(self, data: Mapping[str, str]) -> bool:
        self._check_open()
        cancel_by = await ledger.NOTE(self._store, *self._identity(), json.dumps(dict(data)), repeatable=True)
        if cancel_by is None:
            raise self._lost()
        self._job = replace(self._job, data={**self._job.data, **data}, cancel_by=cancel_by)
        return bool(cancel_by)

    async def cancel_asked(self) -> str:
        await self.note({})
        return self._job.cancel_by

    async def later(self, delay: timedelta, *, why: str, failed: bool = False) -> None:
        self._check_open()
        given = await ledger.LATER(
            self._store,
            *self._identity(),
            token(),
            self._job.owner,
            why,
            delay,
            int(failed),
            repeatable=True,
        )
        self._close(given)

    async def give_up(self, *, why: str) -> Job:
        self._check_open()
        flat = await ledger.GIVE_UP(self._store, *self._identity(), token(), self._job.owner, why, repeatable=True)
        self._close(flat)
        self._job = ledger.to_job(ledger.pairs(flat))
        return self._job

    async def hand_over(self) -> None:
        self._check_open()
        given = await ledger.HAND_OVER(
            self._store, *self._identity(), token(), self._job.owner, "handed over", repeatable=True
        )
        self._close(given)

    def _identity(self) -> tuple[str, int]:
        return self._job.id, self._job.fence

    def _close(self, answer: object) -> None:
        if not answer:
            raise self._lost()
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise self._lost()

    def _lost(self) -> LostLeaseError:
        self._closed = True
        return LostLeaseError(f"Job {self._job.id} is no longer ours.")

    async def _renew(self) -> None:
        interval = self._lease.total_seconds() / _RENEWALS_PER_LEASE
        pause = interval
        while not self._closed:
            await asyncio.sleep(pause)
            try:
                kept = await ledger.RENEW(self._store, *self._identity(), self._lease, repeatable=True)
            except ColdmigrateError as error:
                _log.warning("The lease of job %s could not be renewed: %s", self._job.id, error)
                pause = interval / _TRIES_PER_RENEWAL
                continue
            if not kept:
                self._closed = True
            pause = interval
