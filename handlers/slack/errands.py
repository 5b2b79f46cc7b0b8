"""Errands, done: files and threads are fetched from Slack, and what came of them is asked of a worker. Once for each.

A bot that dies over an errand loses nothing: its lease runs out, another bot begins again, and the draft recognises
its errand. What a person reads of it is a sentence in the thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from bot.errors import ColdmigrateError, OutsideError
from bot.operations.port import Answer
from bot.slack.courier import nowhere
from bot.slack.port import Errand, ErrandKind, Errands, Outbox, TakenErrand, Whispers
from handlers.slack.boundary import as_message, in_words
from handlers.slack.fetch import Fetcher, NotYetError

log = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=15)
"""How long an errand of a bot that died waits for the next one. Whoever is at it renews."""

AT_ONCE: Final = 4
"""Each holds its files in memory."""

LOOK: Final = timedelta(seconds=1)
FIRST_RETRY: Final = timedelta(seconds=2)
MOST_TRIES: Final = 5
FINISHING: Final = timedelta(seconds=3)


class Errander:
    """Does what was kept, until it is stopped. Several bots may run one each. `reached` is for tests."""

    def __init__(
        self,
        errands: Errands,
        fetcher: Fetcher,
        outbox: Outbox,
        whispers: Whispers,
        *,
        lease: timedelta = LEASE,
        reached: Callable[[str], None] = nowhere,
    ) -> None:
        self._errands = errands
        self._fetcher = fetcher
        self._outbox = outbox
        self._whispers = whispers
        self._lease = lease
        self._reached = reached
        self._look = asyncio.Event()
        self._stopping = asyncio.Event()
        self._in_flight: set[asyncio.Task[None]] = set()

    async def keep(self, errand: Errand) -> None:
        """Remember it, and see to it soon. UnreachableError: nobody will."""
        await self._errands.keep(errand)
        self._reached("errand-kept")
        self._look.set()

    async def run(self) -> None:
        """Until `stop`, which lets what is under way end, or until cancelled."""
        async with asyncio.TaskGroup() as group:
            while not self._stopping.is_set():
                taken = await self._next()
                if taken is None:
                    await self._rest()
                    continue
                self._reached("errand-taken")
                task = group.create_task(self._done(taken), name=f"errand {taken.errand.id}")
                self._in_flight.add(task)
                task.add_done_callback(self._ended)
            if self._in_flight:
                _, unfinished = await asyncio.wait(self._in_flight, timeout=FINISHING.total_seconds())
                for task in unfinished:
                    task.cancel()  # another bot begins again when the lease is over

    def stop(self) -> None:
        """Let `run` return soon."""
        self._stopping.set()
        self._look.set()

    async def _next(self) -> TakenErrand | None:
        self._look.clear()
        if len(self._in_flight) >= AT_ONCE:
            return None
        try:
            return await self._errands.take(lease=self._lease)
        except ColdmigrateError as error:
            log.warning("It cannot be read what is to be diagnosed: %s", error)
            return None

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(LOOK.total_seconds()):
                await self._look.wait()
        except TimeoutError:
            return

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        self._look.set()

    async def _done(self, taken: TakenErrand) -> None:
        """One errand from its taking to its end. Whatever goes wrong ends in words, in another try, or in the log."""
        renewing = asyncio.create_task(self._renew(taken))
        try:
            await self._carry_out(taken)
            self._reached("errand-done")
            await self._errands.end(taken)
        except ColdmigrateError as error:
            log.warning("An errand was put off, or is taken up again when its lease is over: %s", error)
        except Exception:  # a worker's loop: one errand that breaks us must not keep others from being done
            log.exception("The errand %s could not be done, and is tried again.", taken.errand.id)
        finally:
            renewing.cancel()

    async def _carry_out(self, taken: TakenErrand) -> None:
        errand = taken.errand
        try:
            answer = await self._fetcher.carried_out(errand)
        except NotYetError as error:
            if taken.attempt < MOST_TRIES:
                await self._put_off(taken, error)
            log.warning("%s", error)
            return
        except OutsideError as error:
            if error.transient and taken.attempt < MOST_TRIES:
                await self._put_off(taken, error)
            answer = in_words(error)
        except Exception as error:  # noqa: BLE001 - the edge: in_words tells a person, and the log
            answer = in_words(error)
        await self._tell(errand, answer)

    async def _put_off(self, taken: TakenErrand, error: ColdmigrateError) -> None:
        """Give it back for a while, and leave."""
        delay: timedelta = FIRST_RETRY * 2 ** (taken.attempt - 1)
        if isinstance(error, OutsideError) and error.retry_after:
            delay = max(delay, timedelta(seconds=error.retry_after))
        await self._errands.later(taken, delay)
        raise error

    async def _tell(self, errand: Errand, answer: Answer) -> None:
        if not answer.text.strip():
            return
        if errand.response_url:
            again = {"replace_original": errand.kind is ErrandKind.DROP}  # an offer is over once it was taken
            await self._whispers.respond(errand.response_url, {**as_message(answer), **again})
        elif errand.kind is ErrandKind.DROP and not errand.ts:
            return  # nobody asked, and it is not even known where
        else:
            thread = errand.thread or errand.ts
            await self._outbox.say(errand.id, errand.channel, thread=thread, text=answer.text, lines=answer.lines)

    async def _renew(self, taken: TakenErrand) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            try:
                await self._errands.later(taken, self._lease)
            except ColdmigrateError as error:
                log.warning("The lease of an errand was not renewed: %s", error)
