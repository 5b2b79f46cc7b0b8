"""The loop of a worker: claims jobs, runs their handlers side by side, and leaves every job claimable when it stops."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

from bot.errors import BugError, ColdmigrateError, OutsideError, RefusedError, UserError
from bot.jobs.port import Claim, JobQueue, LostLeaseError
from bot.jobs.retry import delay_for, retry_for

Handler = Callable[[Claim], Awaitable[None]]
"""Works on one claim until the job ended, is planned or was given back; any other way of leaving is a failure."""

CONCURRENCY: Final = 64
IDLE: Final = timedelta(seconds=2)
"""How long a worker waits for news before it looks for itself."""

_SWEEP: Final = timedelta(seconds=2)
"""Often enough that nobody waits for it after the clock was moved, in the demo or by an operator."""

_FAREWELL: Final = timedelta(seconds=1)
"""How long Redis may take to answer a worker that stops."""

_BUSY: Final = 0.05
"""Seconds by which the loop is late when it has enough to do."""

_OUTAGE: Final = timedelta(seconds=1)
_AT_ONCE: Final = 16
"""Jobs claimed in one request: enough to be quick, few enough that another worker gets its share."""
_UNKNOWN_KIND: Final = timedelta(minutes=1)

_log = logging.getLogger(__name__)


class Worker:
    """Runs `handlers` by the job's kind, `concurrency` at a time, until `stop`. It outlives any outage of Redis.

    Kinds that are `light` do not count: they wait for other jobs, which must not wait for them.
    """

    def __init__(
        self,
        queue: JobQueue,
        name: str,
        handlers: Mapping[str, Handler],
        *,
        concurrency: int = CONCURRENCY,
        light: Collection[str] = (),
        idle: timedelta = IDLE,
    ) -> None:
        self._queue = queue
        self._name = name
        self._handlers = handlers
        self._concurrency = concurrency
        self._light = frozenset(light)
        self._idle = idle
        self._swept = -math.inf  # by the loop's clock
        self._stopping = asyncio.Event()
        self._running: dict[asyncio.Task[None], Claim] = {}
        self._freed = asyncio.Event()

    def stop(self) -> None:
        """Claim nothing more, and let `run` hand every job over. Safe to call from a signal handler, and twice."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop`. When this returns no handler runs and no job waits for a lease of ours to end."""
        try:
            while not self._stopping.is_set():
                await self._step()
        finally:
            await self._hand_all_over()

    async def _step(self) -> None:
        heavy = sum(claim.job.kind not in self._light for claim in self._running.values())
        free = self._concurrency - heavy
        if free <= 0:
            self._freed.clear()
            await self._until_stopping(self._freed.wait())
            return
        try:
            await self._sweep()
            # A claim that is under way is let finish: its answer may name jobs that are ours now.
            most, alone = min(free, _AT_ONCE), not self._running
            claims = await self._queue.claim_several(self._name, most, alone=alone)
            if not claims:
                claims = await self._next(most, alone=alone)
        except OutsideError as error:
            _log.warning("Waiting for the queue: %s", error)
            await self._until_stopping(asyncio.sleep(_OUTAGE.total_seconds()))
            return
        for claim in claims:
            self._begin(claim)
        await self._breathe()
        if any(claim.suspect for claim in claims):
            await self._until_stopping(claims[0].proven())

    async def _next(self, most: int, *, alone: bool) -> Sequence[Claim]:
        """Wait for a job. Once we are asked to stop the wait is ended by news, never by turning away from the answer:
        that may name jobs that are ours now, and have to be handed over.
        """
        waiting = asyncio.ensure_future(self._queue.claim_next(self._name, most, alone=alone, at_most=self._idle))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                with contextlib.suppress(OutsideError, TimeoutError):
                    async with asyncio.timeout(_FAREWELL.total_seconds()):
                        await self._queue.wake()
                        await asyncio.wait({waiting})
            return waiting.result() if waiting.done() else []
        finally:
            for task in (waiting, stopping):
                task.cancel()
            await asyncio.gather(waiting, stopping, return_exceptions=True)

    async def _breathe(self) -> None:
        """Begin no more while those that just began keep the loop busy: leases must be renewed, replies be read.

        After a restart a thousand copies may wait to be followed again, and each begins with some work.
        """
        clock, pause = asyncio.get_running_loop().time, 0.0
        while not self._stopping.is_set():
            due = clock() + pause
            await asyncio.sleep(pause)
            if clock() - due < _BUSY:
                return
            pause = min(clock() - due, 1.0)

    def _begin(self, claim: Claim) -> None:
        task = asyncio.create_task(self._work(claim), name=f"job {claim.job.id}")
        self._running[task] = claim
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._freed.set()

    async def _sweep(self) -> None:
        """What is nobody's job: plans that were never approved."""
        now = asyncio.get_running_loop().time()
        if now - self._swept >= _SWEEP.total_seconds():
            expired = await self._queue.expire_drafts()
            self._swept = now
            if expired:
                _log.info("%d plans expired without an approval", expired)

    async def _until_stopping(self, something: Awaitable[object]) -> None:
        """Wait for it, but not once we are asked to stop."""
        waiting = asyncio.ensure_future(something)
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                waiting.result()
        finally:
            for task in (waiting, stopping):
                task.cancel()
            await asyncio.gather(waiting, stopping, return_exceptions=True)

    async def _hand_all_over(self) -> None:
        await asyncio.gather(*(self._hand_over(task, claim) for task, claim in self._running.items()))

    async def _hand_over(self, task: asyncio.Task[None], claim: Claim) -> None:
        # A handler that shields a submit goes on until that is over; it is waited for, however long it takes.
        task.cancel()
        await asyncio.wait({task})
        if not claim.closed:  # the task was cancelled before it began
            await self._settle(claim, claim.hand_over())

    async def _work(self, claim: Claim) -> None:
        async with claim:
            try:
                await self._handle(claim)
            except LostLeaseError as error:
                _log.debug("%s", error)
            except asyncio.CancelledError:
                await self._settle(claim, claim.hand_over())
                raise
            except Exception as error:  # noqa: BLE001 - the one place where a job's errors end
                await self._settle(claim, self._after(claim, error))

    async def _handle(self, claim: Claim) -> None:
        handler = self._handlers.get(claim.job.kind)
        if handler is None:
            await claim.later(_UNKNOWN_KIND, why=f"this worker knows no jobs of the kind '{claim.job.kind}'")
            return
        await handler(claim)
        if claim.closed:
            return
        if self._stopping.is_set():
            await claim.hand_over()
        else:
            raise BugError(f"the handler of '{claim.job.kind}' left the job in '{claim.job.state}'")

    async def _after(self, claim: Claim, error: Exception) -> None:
        kind = retry_for(error, started=claim.job.state.started).kind
        failures = claim.job.failures + 1 if claim.job.failing == kind else 1
        delay = delay_for(error, failures=failures, started=claim.job.state.started)
        if isinstance(error, OutsideError | UserError | RefusedError):
            why = str(error)
            _log.warning("Job %s: %s", claim.job.id, error)
        else:
            reference = secrets.token_hex(4)
            why = f"unexpected error, reference {reference}"
            _log.error("Job %s failed, reference %s", claim.job.id, reference, exc_info=error)
        if delay is None:
            await claim.give_up(why=why)
        else:
            await claim.later(delay, why=why, failed=kind)

    async def _settle(self, claim: Claim, farewell: Awaitable[None]) -> None:
        """The last write of a claim. If Redis is away, the end of the lease says the same a little later."""
        try:
            await farewell
        except LostLeaseError as error:
            _log.debug("%s", error)
        except ColdmigrateError as error:
            _log.warning("Job %s could not be given back, its lease will end: %s", claim.job.id, error)
