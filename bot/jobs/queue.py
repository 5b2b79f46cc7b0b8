"""The job queue on Redis. Every change is one script, so a crash leaves a job before or after it, never between."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from bot.errors import BugError
from bot.jobs import ledger
from bot.jobs.lease import RedisClaim, token
from bot.jobs.port import ApproveOutcome, CancelOutcome, Drafted, Job, NewJob
from bot.migration.request import JobId
from bot.store import keys
from bot.store.client import LONGEST_BLOCK, Store

CHECK_SLOTS: Final = 16
DIAGNOSE_SLOTS: Final = 8
LINK_SLOTS: Final = 2
LEASE: Final = timedelta(seconds=30)
APPROVAL: Final = timedelta(hours=1)
MOST_CLAIMS: Final = 20

_log = logging.getLogger(__name__)

_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"
_ID_LENGTH: Final = 8
_CANDIDATES: Final = 3
_EXPIRED: Final = "nobody approved it in time"


def random_id() -> JobId:
    """Eight characters that a person can read out over the phone."""
    return JobId("".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH)))


def _readable(fields: Mapping[str, str]) -> Job | None:
    """The job, or None and a line in the log: one record of another version must not hide all others."""
    try:
        return ledger.to_job(fields)
    except BugError as error:
        _log.error("%s", error)
        return None


class RedisQueue:
    """`JobQueue` of bot/jobs/port.py.

    `slots` says how many jobs of a lane may run at once, by the lane's name: a link, `check` or `diagnose`. A job
    whose workers died `most_claims` times without a transition between is given up.
    """

    def __init__(
        self,
        store: Store,
        *,
        slots: Mapping[str, int] | None = None,
        default_slots: int = LINK_SLOTS,
        lease: timedelta = LEASE,
        approval: timedelta = APPROVAL,
        most_claims: int = MOST_CLAIMS,
        new_id: Callable[[], JobId] = random_id,
    ) -> None:
        self._store = store
        own = {ledger.CHECK_LANE: CHECK_SLOTS, ledger.DIAGNOSE_LANE: DIAGNOSE_SLOTS}
        self._limits = json.dumps({"*": default_slots, **own, **(slots or {})})
        self._lease = lease
        self._approval = approval
        self._most_claims = most_claims
        self._new_id = new_id
        self._seen = "0-0"  # the event before which there was nothing to claim
        self._next = timedelta(0)  # and how long nothing would become claimable by itself

    async def draft(self, new: NewJob) -> Drafted:
        candidates = [self._new_id() for _ in range(_CANDIDATES)]
        job_id, fresh, own = await ledger.DRAFT(
            self._store,
            token(),
            json.dumps(candidates),
            new.kind,
            new.vm_key,
            new.requester,
            new.channel,
            json.dumps(dict(new.data)),
            new.dedupe,
            new.priority,
            self._approval,
            "asked for",
            new.lane,
            repeatable=True,
        )
        if not job_id:
            raise BugError(f"no free job id among {', '.join(candidates)}")
        return Drafted(JobId(job_id), bool(fresh), own=bool(own))

    async def approve(self, job: JobId, *, fingerprint: str, by: str) -> ApproveOutcome:
        answer = await ledger.APPROVE(self._store, job, token(), fingerprint, by, "approved", _EXPIRED, repeatable=True)
        return ApproveOutcome(answer)

    async def cancel(self, job: JobId, *, by: str) -> CancelOutcome:
        answer = await ledger.CANCEL(
            self._store, job, token(), by, "cancelled before anything was started", "asked to cancel", repeatable=True
        )
        return CancelOutcome(answer)

    async def get(self, job: JobId) -> Job | None:
        fields = await self._store.hash(keys.job(job))
        return ledger.to_job(fields) if fields else None

    async def recent(self, *, limit: int = 20, live_only: bool = False) -> Sequence[Job]:
        index = keys.LIVE if live_only else keys.JOBS
        ids = await self._store.execute_command("ZREVRANGE", index, 0, limit - 1)
        pipeline = self._store.pipeline(transaction=False)
        for job_id in ids:
            pipeline.hgetall(keys.job(job_id))
        return [job for fields in await pipeline.execute() if fields and (job := _readable(fields))]

    async def claim(self, worker: str) -> RedisClaim | None:
        job_id, *rest = await ledger.CLAIM(
            self._store,
            worker,
            self._lease,
            self._limits,
            self._most_claims,
            "given up: its worker died again and again",
        )
        if not job_id:
            self._seen = rest[0]
            self._next = timedelta.max if rest[1] < 0 else timedelta(milliseconds=rest[1])
            return None
        taken_over, flat = rest
        return RedisClaim(
            self._store,
            ledger.to_job(ledger.pairs(flat)),
            taken_over=bool(taken_over),
            lease=self._lease,
            approval=self._approval,
        )

    async def wait(self, at_most: timedelta) -> None:
        pause = min(at_most, self._next, LONGEST_BLOCK)
        await self._store.tail(keys.EVENTS, self._seen, block=pause, count=1)

    async def expire_drafts(self) -> int:
        count: int = await ledger.EXPIRE(self._store, self._approval, _EXPIRED, repeatable=True)
        return count

    async def now(self) -> datetime:
        return ledger.moment(await ledger.NOW(self._store, repeatable=True))

    async def events(self, *, since: str = "$") -> AsyncIterator[tuple[str, Mapping[str, str]]]:
        last = await self.last_event() if since == "$" else since
        while True:
            for event, fields in await self._store.tail(keys.EVENTS, last, block=LONGEST_BLOCK):
                last = event
                yield event, fields

    async def last_event(self) -> str:
        found = await self._store.execute_command("XREVRANGE", keys.EVENTS, "+", "-", "COUNT", 1)
        return str(found[0][0]) if found else "0-0"
