"""The job queue on Redis. Every change is one script, so a crash leaves a job before or after it, never between."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from bot.errors import BugError
from bot.health.tally import Tally
from bot.jobs import ledger
from bot.jobs.lease import RedisClaim, token
from bot.jobs.port import AnswerOutcome, ApproveOutcome, AuditEntry, CancelOutcome, Drafted, Hold, Job, NewJob
from bot.jobs.renewals import Renewals
from bot.migration.capacity import DATASTORE, HOST
from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.store import keys
from bot.store.client import LONGEST_BLOCK, Store
from bot.store.scripts import Argument

CHECK_SLOTS: Final = 16
DIAGNOSE_SLOTS: Final = 8
BATCH_SLOTS: Final = 32
LINK_SLOTS: Final = 2
HOST_SLOTS: Final = 4
DATASTORE_SLOTS: Final = 4
"""Below vCenter's own limits (8 and 8 relocations at once), beyond which tasks only queue up there."""
LEASE: Final = timedelta(seconds=30)
APPROVAL: Final = timedelta(hours=1)
MOST_CLAIMS: Final = 20

_log = logging.getLogger(__name__)

_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"
_ID_LENGTH: Final = 8
_CANDIDATES: Final = 3
_PAGE: Final = 500  # jobs that are read at once
_EXPIRED: Final = "nobody approved it in time"
_UNREAD: Final = "no worker took it up in time; ask again once one runs"


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

    `slots` says how many jobs of a lane may run at once, by the lane's name: a link, `check`, `diagnose` or `batch`;
    `host:` and `datastore:` are for each host and each datastore. A job whose workers died `most_claims` times without
    a transition between is given up.
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
        tally: Tally | None = None,
    ) -> None:
        self._store = store
        own = {
            ledger.CHECK_LANE: CHECK_SLOTS,
            ledger.DIAGNOSE_LANE: DIAGNOSE_SLOTS,
            ledger.BATCH_LANE: BATCH_SLOTS,
            f"{HOST}:": HOST_SLOTS,
            f"{DATASTORE}:": DATASTORE_SLOTS,
        }
        self._limits = json.dumps({"*": default_slots, **own, **(slots or {})})
        self._lease = lease
        self._tally = tally or Tally()
        self._renewals = Renewals(store, lease, self._tally)
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
            durable=True,
            together=True,
        )
        if not job_id:
            raise BugError(f"no free job id among {', '.join(candidates)}")
        return Drafted(JobId(job_id), bool(fresh), own=bool(own))

    async def approve(
        self,
        job: JobId,
        *,
        fingerprint: str,
        by: str,
        not_before: datetime | None = None,
        data: Mapping[str, str] | None = None,
        why: str = "approved",
    ) -> ApproveOutcome:
        due = 0 if not_before is None else round(not_before.timestamp() * 1000)
        written = json.dumps(dict(data or {}))
        answer = await ledger.APPROVE(
            self._store,
            job,
            token(),
            fingerprint,
            by,
            why,
            _EXPIRED,
            due,
            written,
            repeatable=True,
            durable=True,
            together=True,
        )
        return ApproveOutcome(answer)

    async def cancel(self, job: JobId, *, by: str, waiting_only: bool = False) -> CancelOutcome:
        answer = await ledger.CANCEL(
            self._store,
            job,
            token(),
            by,
            "cancelled before anything was started",
            "asked to cancel",
            int(waiting_only),
            repeatable=True,
            durable=True,
            together=True,
        )
        return CancelOutcome(answer)

    async def answer(self, job: JobId, text: str, *, by: str, why: str) -> AnswerOutcome:
        return AnswerOutcome(await ledger.ANSWER(self._store, job, text, by, why, repeatable=True, durable=True))

    async def get(self, job: JobId) -> Job | None:
        fields = await self._store.hash(keys.job(job))
        return ledger.to_job(fields) if fields else None

    async def get_many(self, jobs: Sequence[JobId]) -> Sequence[Job]:
        return [ledger.to_job(fields) for fields in await self._hashes(jobs, keys.job)]

    async def recent(self, *, limit: int = 20, live_only: bool = False) -> Sequence[Job]:
        index = keys.LIVE if live_only else keys.JOBS
        return await self._jobs(await self._store.execute_command("ZREVRANGE", index, 0, limit - 1))

    async def live(self) -> Sequence[Job]:
        """Every job that has not ended, the newest first, however many there are."""
        ids = await self._store.execute_command("ZREVRANGE", keys.LIVE, 0, -1)
        pages = [await self._jobs(ids[at : at + _PAGE]) for at in range(0, len(ids), _PAGE)]
        return [job for page in pages for job in page]

    async def _jobs(self, ids: Sequence[str]) -> Sequence[Job]:
        return [job for fields in await self._hashes(ids, keys.job) if (job := _readable(fields))]

    async def _hashes(self, ids: Sequence[str], name: Callable[[str], str]) -> Sequence[Mapping[str, str]]:
        """Those that are there, in the order of their ids."""
        if not ids:
            return []
        pipeline = self._store.pipeline(transaction=False)
        for found in ids:
            pipeline.hgetall(name(found))
        return [fields for fields in await pipeline.execute() if fields]

    async def claim(self, worker: str) -> RedisClaim | None:
        return next(iter(await self.claim_several(worker, 1)), None)

    async def claim_several(self, worker: str, most: int, *, alone: bool = True) -> Sequence[RedisClaim]:
        return self._claims(await ledger.CLAIM(self._store, *self._wish(worker, most, alone=alone)))

    async def claim_next(self, worker: str, most: int, *, alone: bool, at_most: timedelta) -> Sequence[RedisClaim]:
        pause = min(at_most, self._next, LONGEST_BLOCK)
        wish = self._wish(worker, most, alone=alone)
        found = await ledger.CLAIM.after_news(self._store, *wish, stream=keys.EVENTS, after=self._seen, block=pause)
        return self._claims(found)

    async def wake(self) -> None:
        await ledger.WAKE(self._store)

    def _wish(self, worker: str, most: int, *, alone: bool) -> tuple[Argument, ...]:
        given_up = "given up: its worker died again and again"
        return worker, self._lease, self._limits, self._most_claims, given_up, most, int(alone)

    def _claims(self, found: Any) -> Sequence[RedisClaim]:
        """What a worker got; else when to look again is remembered."""
        if isinstance(found, str):
            return [claim for one in json.loads(found) if (claim := self._claimed(*one))]
        self._seen, pause = found
        self._next = timedelta.max if pause < 0 else timedelta(milliseconds=pause)
        return []

    def _claimed(self, taken_over: bool, suspect: bool, fields: Mapping[str, str]) -> RedisClaim | None:  # noqa: FBT001 - as the script hands it over
        job = _readable(fields)
        if job is None:
            return None  # it stays leased, and its lease will end: a worker of another version may be there then
        self._tally.claims += 1
        self._tally.take_overs += taken_over
        return RedisClaim(
            self._store,
            job,
            taken_over=taken_over,
            suspect=suspect,
            renewals=self._renewals,
            approval=self._approval,
            tally=self._tally,
        )

    async def hold(self, resource: str, *, by: str, why: str, job: str = "", channel: str = "") -> Hold:
        flat = await ledger.HOLD(
            self._store, self._new_id(), resource, by, why, job, channel, repeatable=True, durable=True
        )
        return ledger.to_hold(ledger.pairs(flat))

    async def release(self, hold: JobId, *, by: str, why: str) -> Hold | None:
        flat = await ledger.RELEASE(self._store, token(), hold, by, why, repeatable=True, durable=True)
        return ledger.to_hold(ledger.pairs(flat)) if flat else None

    async def holds(self) -> Sequence[Hold]:
        found = [ledger.to_hold(fields) for fields in await self._hashes(await self._held(), keys.hold)]
        return sorted(found, key=lambda hold: hold.at)

    async def find_hold(self, hold: JobId) -> Hold | None:
        fields = await self._store.hash(keys.hold(hold))
        return ledger.to_hold(fields) if fields else None

    async def _held(self) -> Sequence[str]:
        return list((await self._store.hash(keys.HELD)).values())

    async def waiting(self, resource: str) -> Sequence[Job]:
        lanes = await self._store.execute_command("SMEMBERS", keys.LANES)
        places = [*(keys.ready(lane) for lane in sorted(lanes)), keys.DELAYED]
        ids = [job for place in places for job in await self._store.execute_command("ZRANGE", place, 0, -1)]
        jobs = await self._jobs(ids)
        return [job for job in jobs if job.state is Phase.QUEUED and job.is_kept_by(resource)]

    async def adopt(self, job: JobId, new: NewJob, *, state: Phase, attempt: int, why: str) -> bool:
        adopted = await ledger.ADOPT(
            self._store,
            token(),
            job,
            new.kind,
            new.vm_key,
            new.requester,
            new.channel,
            json.dumps(dict(new.data)),
            new.priority,
            state,
            attempt,
            "coldmigrate",
            why,
            new.data.get("link") or ledger.LOCAL_LANE,
            new.data.get("needs") or "[]",
            "this VM is being migrated already, by a job that Redis had forgotten",
            repeatable=True,
            durable=True,
        )
        return bool(adopted)

    async def chore(self, name: str, *, worker: str, every: timedelta) -> bool:
        mine = bool(await ledger.CHORE(self._store, name, every))
        if mine:
            _log.debug("It is the turn of %s: %s", worker, name)
        return mine

    async def note_act(self, *, by: str, verb: str, on: str, why: str) -> None:
        await ledger.ACT(self._store, on, verb, by, why)

    async def acts(self, *, since: str = "0-0", limit: int = 1000) -> Sequence[AuditEntry]:
        found = await self._store.execute_command("XRANGE", keys.AUDIT, f"({since}", "+", "COUNT", limit)
        return [ledger.to_act(entry, dict(fields)) for entry, fields in found]

    async def dead(self, *, limit: int = 100) -> Sequence[Job]:
        return await self._jobs(await self._store.execute_command("ZREVRANGE", keys.DEAD, 0, limit - 1))

    async def counts(self) -> Mapping[str, int]:
        flat = await ledger.COUNTS(self._store, repeatable=True)
        return {state: int(number) for state, number in ledger.pairs(flat).items()}

    async def expire_drafts(self) -> int:
        count: int = await ledger.EXPIRE(self._store, self._approval, _EXPIRED, _UNREAD, repeatable=True)
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
