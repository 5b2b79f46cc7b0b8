"""Carries the outbox to Slack. Run by every bot; several may run at once. How: `courier`; in which order: `scripts`."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import ColdmigrateError
from bot.slack.complaints import Complaints
from bot.slack.courier import FIRST_RETRY, Courier, nowhere
from bot.slack.outbox import attach
from bot.slack.records import LEASE, Kind, Later, Outcome, Pace, Record, Records, Sent
from bot.slack.whole import whole_message
from bot.slack.workspace import Workspace
from bot.store import blobs
from bot.store.client import Store

log = logging.getLogger(__name__)

AT_ONCE: Final = 8
POLL: Final = timedelta(seconds=1)
"""How often it looks without being called: for what the bell did not say, such as a lease that ran out elsewhere."""
AFTER_TROUBLE: Final = timedelta(seconds=1)
FINISHING: Final = timedelta(seconds=5)


class OutboxDrainer:
    """Sends what is due until it is stopped or cancelled; a Redis or a Slack that is away for a while stops nothing.

    A record is sent by whoever holds its lease. Work on one ends well before its lease does, so two bots never send
    the same; if one dies in between, the next looks for the message in Slack before it posts. `admins` are told what
    only they can mend. `reached` and `look_up` are for tests that kill it.
    """

    def __init__(
        self,
        store: Store,
        client: AsyncWebClient,
        *,
        pace: Pace | None = None,
        lease: timedelta = LEASE,
        admins: Sequence[str] = (),
        reached: Callable[[str], None] = nowhere,
        look_up: bool = True,
    ) -> None:
        self._store = store
        self._records = Records(store, f"drainer-{secrets.token_hex(4)}", pace=pace, lease=lease)
        self._courier = Courier(client, read=partial(blobs.get, store), look_up=look_up, reached=reached)
        self._complaints = Complaints(store, admins)
        self._workspace = Workspace(store, client)
        self._reached = reached
        self._budget = lease * 0.6
        self._look = asyncio.Event()
        self._stopping = asyncio.Event()
        self._in_flight: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until `stop`, which lets what is in flight end, or until cancelled. May be called again after it raised."""
        async with asyncio.TaskGroup() as group:
            over = asyncio.Event()
            bell = group.create_task(self._listen(over), name="outbox bell")
            try:
                while not self._stopping.is_set():
                    await self._rest(await self._round(group))
                await self._finish()
            finally:
                over.set()
                bell.cancel()

    def stop(self) -> None:
        """Let `run` return soon."""
        self._stopping.set()
        self._look.set()

    async def _finish(self) -> None:
        if self._in_flight:
            _, unfinished = await asyncio.wait(self._in_flight, timeout=FINISHING.total_seconds())
            for task in unfinished:
                task.cancel()  # its lease runs out, and the next drainer looks for the message

    async def _round(self, group: asyncio.TaskGroup) -> timedelta:
        """Start what may be sent now; how long there is nothing to do unless something new comes."""
        self._look.clear()
        free = AT_ONCE - len(self._in_flight)
        if free <= 0:
            return POLL
        # The lease began no earlier than this, whatever happens to this process before it reads the answer.
        deadline = asyncio.get_running_loop().time() + self._budget.total_seconds()
        try:
            due, wait = await self._records.claim(free)
        except ColdmigrateError as error:
            log.warning("The outbox cannot be read: %s", error)
            return AFTER_TROUBLE
        if due:
            self._reached("claimed")
        for record in due:
            self._start(group, self._deliver(record, deadline))
        return POLL if due else min(wait, POLL)

    def _start(self, group: asyncio.TaskGroup, work: Coroutine[Any, Any, None]) -> None:
        task = group.create_task(work)
        self._in_flight.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        self._look.set()

    async def _rest(self, wait: timedelta) -> None:
        try:
            async with asyncio.timeout(wait.total_seconds()):
                await self._look.wait()
        except TimeoutError:
            return

    async def _deliver(self, record: Record, deadline: float) -> None:
        outcome = await self._outcome(record, deadline)
        self._reached(f"unsaved-{record.kind}")
        while not await self._concluded(record, outcome):
            if asyncio.get_running_loop().time() > deadline:
                log.warning("The next drainer has to find out what became of the %s.", record)
                return
            await asyncio.sleep(AFTER_TROUBLE.total_seconds())
        self._reached(f"saved-{record.kind}")
        if isinstance(outcome, Sent) and outcome.posted and record.kind is Kind.CARD:
            await self._workspace.note()

    async def _concluded(self, record: Record, outcome: Outcome) -> bool:
        """Write it down. False if Redis could not be asked: nobody else knows the outcome, so it is worth trying on."""
        try:
            await self._said_otherwise(record, outcome)
            if not await self._records.conclude(record, outcome):
                log.info("Another drainer took over the %s.", record)
        except ColdmigrateError as error:
            log.warning("What became of the %s was not written down: %s", record, error)
            return False
        return True

    async def _said_otherwise(self, record: Record, outcome: Outcome) -> None:
        """What follows from a refusal beside the record itself; all of it may be done twice."""
        if isinstance(outcome, Later) and outcome.plain and record.kind in (Kind.CARD, Kind.REPLY):
            name = record.name or f"card-{record.outline[:8]}"
            whole = whole_message(record.text, record.blocks)
            await attach(self._store, record.job, record.channel, name=name, text=whole)
        if not isinstance(outcome, Sent) and outcome.refusal is not None:
            await self._complaints.about(record, outcome.refusal)

    async def _outcome(self, record: Record, deadline: float) -> Outcome:
        try:
            async with asyncio.timeout_at(deadline):
                await asyncio.sleep(0)  # a process that slept through its lease stops here, before it sends anything
                return await self._courier.carry(record)
        except TimeoutError:
            log.warning("Slack took too long over the %s.", record)
        except Exception:  # a worker's loop: one record that breaks us must not keep all others from being sent
            log.exception("The %s could not be sent.", record)
        return Later(delay=FIRST_RETRY, problem="interrupted", suspect=record.posts)

    async def _listen(self, over: asyncio.Event) -> None:
        while not over.is_set():
            try:
                await self._records.rung()
                self._look.set()
            except ColdmigrateError as error:
                log.warning("The outbox's bell cannot be heard, news may come a second late: %s", error)
                await asyncio.sleep(AFTER_TROUBLE.total_seconds())
