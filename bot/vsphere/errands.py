"""Errands: orders that are looked for before they are given, and whose tasks are waited for.

Whoever gives one twice does no harm: what is done already is not asked for, and what another worker of ours has
started is joined. A relocation is no errand: in doubt it is not looked for here but by the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar

from pyVmomi import vim

from bot.errors import MaybeSentError, OutsideError
from bot.vsphere.faults import told
from bot.vsphere.history import user_of
from bot.vsphere.inventory import require_vm
from bot.vsphere.port import QUESTION, FaultError, TaskGoneError, TaskSnapshot, TaskState
from bot.vsphere.properties import Row, read_each, read_through
from bot.vsphere.session import NOT_AUTHENTICATED, Connected
from bot.vsphere.tree import shown

WITHIN: Final = timedelta(minutes=15)
"""So long an errand's task may take that is not known to take hours."""
_FIRST_GLANCE: Final = timedelta(milliseconds=250)
_LAST_GLANCE: Final = timedelta(seconds=15)

RECENT: Final = ("info.state", "info.descriptionId", "info.reason")
ABOUT: Final = ("name", "runtime.question")

Answer = TypeVar("Answer")


class Asks(Protocol):
    """Puts a question to the reader, with its patience."""

    async def __call__(self, question: Callable[[Connected], Answer], /) -> Answer: ...


class Gives(Protocol):
    """Gives an order to the writer, once, and comes back with its thread; `session` as of `Writer.give`."""

    async def __call__(self, order: Callable[[Connected], Answer], /, *, session: str = "") -> Answer: ...


Follows = Callable[[str], AsyncIterator[TaskSnapshot]]


@dataclass(frozen=True, slots=True)
class Look:
    """How things stand: done, under way in a task that somebody has started, or neither.

    `question`: what the VM waits to be told, in a sentence; an order that it would keep waiting is not given.
    """

    done: bool
    task: str = ""
    question: str = ""


@dataclass(frozen=True, slots=True)
class Errand:
    """An order, and how to see whether it is still to be given. `send` returns the task's id, or None without one.

    `within`: how long its task may take; None: as long as it likes.
    """

    what: str
    look: Callable[[Connected], Look]
    send: Callable[[Connected], str | None]
    within: timedelta | None = WITHIN


class Errands:
    """Runs errands through one vCenter's reader and writer."""

    def __init__(self, *, ask: Asks, give: Gives, follow: Follows, pauses: Sequence[timedelta]) -> None:
        self.ask = ask
        self.give = give
        self._follow = follow
        self._pauses = pauses

    async def run(self, errand: Errand, *, session: str = "") -> None:
        """Return when it is done, by whomever. FaultError: refused, or failed; of kind `question`: the VM waits.

        MaybeSentError, UnreachableError, LoginError as of the writer; asking again is safe after any of them.
        """
        for pause in (*self._pauses, timedelta()):
            look = await self.ask(errand.look)
            if look.done:
                return
            if look.task:
                await self._join(errand, look.task)
            elif look.question:
                raise FaultError(look.question, kind=QUESTION)
            elif await self._go(errand, session):
                return
            await asyncio.sleep(pause.total_seconds())
        if not (await self.ask(errand.look)).done:
            raise MaybeSentError(f"vCenter was asked to {errand.what} and has not said that it will; ask it again.")

    async def _join(self, errand: Errand, task: str) -> None:
        """Wait for what somebody has started. Whether it was what we want, the next look tells."""
        try:
            await self.finish(task, errand)
        except TaskGoneError:
            return

    async def _go(self, errand: Errand, session: str) -> bool:
        """Give the order and wait for its end; False: it has to be looked for again."""
        try:
            task = await self.give(errand.send, session=session)
            if task is not None:
                await self.finish(task, errand)
        except (MaybeSentError, TaskGoneError):
            return False
        except FaultError as error:
            if error.kind == QUESTION or (session and error.kind == NOT_AUTHENTICATED):
                raise
            look = await self.ask(errand.look)
            if look.done:
                return True  # somebody was faster, ourselves after a lost reply included
            if look.task or error.kind == NOT_AUTHENTICATED:
                return False
            raise
        return True

    async def finish(self, task: str, errand: Errand | None = None) -> None:
        """Wait for a task's end; FaultError tells how it failed. With a VM's errand, a question ends the waiting."""
        within = errand.within if errand else WITHIN
        try:
            async with asyncio.timeout(within.total_seconds() if within else None):
                await self._finish(task, errand)
        except TimeoutError as late:
            text = f"vCenter has not ended {task} within {WITHIN.total_seconds() / 60:.0f} minutes."
            raise OutsideError(text, transient=True) from late

    async def _finish(self, task: str, errand: Errand | None) -> None:
        ending = asyncio.create_task(self._last_of(task))
        asked = asyncio.create_task(self._question(errand)) if errand else None
        both = {ending, asked} if asked else {ending}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not ending.done() and asked:
                raise FaultError(asked.result(), kind=QUESTION)
            last = ending.result()
        finally:
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)
        if last.state is TaskState.ERROR:
            raise told(last.fault or "", last.message)

    async def _last_of(self, task: str) -> TaskSnapshot:
        async with aclosing(self._follow(task)) as following:  # type: ignore[type-var]
            last = None
            async for snapshot in following:
                last = snapshot
        if last is None:
            raise TaskGoneError(f"vCenter no longer knows {task}.")
        return last

    async def _question(self, errand: Errand) -> str:
        """Return what the VM waits to be told, once it waits; until then look ever more seldom."""
        pause = _FIRST_GLANCE
        while True:
            await asyncio.sleep(pause.total_seconds())
            pause = min(2 * pause, _LAST_GLANCE)
            look = await self.ask(errand.look)
            if look.question:
                return look.question


def read_vm_now(connected: Connected, uuid: str, *paths: str) -> Row:
    """Read some properties of the VM, its name and question among them; FaultError ManagedObjectNotFound if gone."""
    vm = require_vm(connected, uuid)
    rows = read_each(connected, [vm], {vim.VirtualMachine: (*dict.fromkeys((*ABOUT, *paths)),)})
    return rows[0] if rows else Row(vm, {})


def question_of(row: Row) -> str:
    """Return what the VM waits to be told, in a sentence for people, or empty."""
    question = row["runtime.question"]
    if question is None:
        return ""
    text = str(question.text or question.id)
    return f"{shown(row['name'])} waits for an answer in vCenter: {text.partition(':')[2].strip() or text}"


def running_task(connected: Connected, vm: Any, kind: str, *, user: str = "") -> str:
    """Return the oldest task of the VM that has not ended and is of this kind (and of this user), or empty."""
    rows = read_through(connected, vm, "recentTask", {vim.Task: RECENT})
    live = [row for row in rows if str(row["info.state"]) in {TaskState.QUEUED, TaskState.RUNNING}]
    alike = [row for row in live if str(row["info.descriptionId"] or "").lower() == kind.lower()]
    of_user = [row for row in alike if not user or user_of(row["info.reason"]).casefold() == user.casefold()]
    return of_user[0].moid if of_user else ""
