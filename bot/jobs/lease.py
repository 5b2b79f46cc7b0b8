"""A claim on Redis: fenced writes to one job. The lease behind them is kept by `renewals`."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from bot.errors import UnconfirmedError
from bot.health.tally import Tally
from bot.jobs import ledger
from bot.jobs.port import Job, LostLeaseError, Step
from bot.jobs.renewals import Renewals
from bot.migration.machine import Phase
from bot.store.client import Store


def token() -> str:
    """A name for one request, so that asking again after a lost answer changes nothing twice."""
    return secrets.token_hex(8)


class RedisClaim:
    """`Claim` of bot/jobs/port.py."""

    def __init__(
        self,
        store: Store,
        job: Job,
        *,
        taken_over: bool,
        suspect: bool,
        renewals: Renewals,
        approval: timedelta,
        tally: Tally,
    ) -> None:
        self._store = store
        self._job = job
        self._taken_over = taken_over
        self._suspect = suspect
        self._proven = asyncio.Event()
        self._renewals = renewals
        self._approval = approval
        self._tally = tally
        self._closed = False

    @property
    def job(self) -> Job:
        return self._job

    @property
    def taken_over(self) -> bool:
        return self._taken_over

    @property
    def suspect(self) -> bool:
        return self._suspect

    async def proven(self) -> None:
        await self._proven.wait()

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def identity(self) -> tuple[str, int]:
        return self._job.id, self._job.fence

    def kept(self) -> None:
        self._proven.set()

    def lose(self) -> None:
        self._closed = True
        self._proven.set()

    async def __aenter__(self) -> Self:
        self._renewals.add(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._renewals.remove(self)
        self._proven.set()

    async def move(
        self, to: Phase, *, why: str, data: Mapping[str, str] | None = None, attempt: int | None = None
    ) -> Job:
        self._check_open()
        asked = (
            *self.identity,
            token(),
            self._job.state,
            to,
            self._job.owner,
            why,
            "" if attempt is None else attempt,
            json.dumps(dict(data or {})),
            self._approval,
        )
        durable = to is Phase.INTENT  # what is called then must not be forgotten by a replica that takes over
        try:
            answer = await ledger.MOVE(self._store, *asked, repeatable=True, together=True, durable=durable)
        except UnconfirmedError:
            self._learn(await ledger.MOVE(self._store, *asked, repeatable=True))  # it was made, and is made once
            raise
        if answer and answer.isdigit():
            moved = self._moved(to, ledger.moment(answer), why=why, data=data or {}, attempt=attempt)
            self._now_is(moved)
        else:
            self._learn(answer)
        return self._job

    def _learn(self, record: str | None) -> None:
        """Take in the whole record that a transition answered with; LostLeaseError for none."""
        if not record:
            raise self._lost()
        self._now_is(ledger.to_job(json.loads(record)))

    def _now_is(self, job: Job) -> None:
        fence, self._job = self._job.fence, job
        self._closed = self._job.state.ended or self._job.state is Phase.PLANNED or self._job.fence != fence
        self._proven.set()

    def _moved(self, to: Phase, at: datetime, *, why: str, data: Mapping[str, str], attempt: int | None) -> Job:
        """The record after a move that did just what was asked for."""
        job = self._job
        return replace(
            job,
            state=to,
            updated=at,
            data={**job.data, **data},
            attempt=job.attempt if attempt is None else attempt,
            failures=0,
            steps=(*job.steps, Step(to, at, job.owner, why)),
        )

    async def note(self, data: Mapping[str, str]) -> bool:
        self._check_open()
        cancel_by = await ledger.NOTE(
            self._store, *self.identity, json.dumps(dict(data)), repeatable=True, together=True
        )
        if cancel_by is None:
            raise self._lost()
        self._job = replace(self._job, data={**self._job.data, **data}, cancel_by=cancel_by)
        return bool(cancel_by)

    async def cancel_asked(self) -> str:
        await self.note({})
        return self._job.cancel_by

    async def later(self, delay: timedelta, *, why: str, failed: str = "") -> None:
        self._check_open()
        given = await ledger.LATER(
            self._store,
            *self.identity,
            token(),
            self._job.owner,
            why,
            delay,
            failed,
            repeatable=True,
        )
        self._close(given)

    async def give_up(self, *, why: str) -> Job:
        self._check_open()
        record = await ledger.GIVE_UP(self._store, *self.identity, token(), self._job.owner, why, repeatable=True)
        self._close(record)
        self._job = ledger.to_job(json.loads(record))
        return self._job

    async def hand_over(self) -> None:
        self._check_open()
        given = await ledger.HAND_OVER(
            self._store, *self.identity, token(), self._job.owner, "handed over", repeatable=True
        )
        self._close(given)
        self._tally.hand_overs += 1

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
