"""Each delivery of Slack is carried out once, however often it comes and whichever bot it reaches.

A repetition is answered with what was answered first. A bot that died half-way is no reason to lose a command: the
repetition resumes it, and operations that were carried out before say so.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from bot.errors import OutsideError, UserError
from bot.operations.port import Answer, Entry
from bot.slack.port import Begin, Begun, Inbox
from handlers.slack.boundary import DEADLINE, answered

log = logging.getLogger(__name__)

Work = Callable[[], Coroutine[Any, Any, Answer]]

ABANDONED: Final = DEADLINE + timedelta(seconds=0.5)
"""A delivery that was begun this long ago is not being carried out any more."""

_KEEPING: Final = timedelta(seconds=0.5)  # what an ack may wait for its words to be kept
_LOOK_AGAIN: Final = timedelta(milliseconds=50)
_REMEMBERED: Final = 1000


@dataclass(frozen=True, slots=True)
class Told:
    """What a person reads. `again`: they read it, or are about to, because of an earlier delivery of the same."""

    answer: Answer
    again: bool = False


class Deliveries:
    """`inbox` knows what other bots, and this one before it was restarted, have done."""

    def __init__(self, inbox: Inbox, *, reached: Callable[[str], None]) -> None:
        self._inbox = inbox
        self._reached = reached
        self._recent: OrderedDict[tuple[str, str], asyncio.Task[Told]] = OrderedDict()

    async def once(self, kind: str, delivery: str, work: Work) -> Told:
        """What came of `work`, by the deadline, or of an earlier delivery of the same. Only cancellation is raised."""
        key = (kind, delivery)
        if (earlier := self._recent.get(key)) is not None:
            return replace(await asyncio.shield(earlier), again=True)
        task = asyncio.create_task(self._first(kind, delivery, work), name=f"{kind} {delivery}")
        self._recent[key] = task
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        return await asyncio.shield(task)

    async def _first(self, kind: str, delivery: str, work: Work) -> Told:
        """The first time that this process sees it."""
        one = _Delivery(self._inbox, kind, delivery, self._reached)
        answer = await answered(one.carried_out(work))
        await one.keep(answer)
        return Told(answer, again=one.begun.state is Begin.KNOWN)


class _Delivery:
    """One delivery, from mark to mark."""

    def __init__(self, inbox: Inbox, kind: str, delivery: str, reached: Callable[[str], None]) -> None:
        self._inbox = inbox
        self._kind = kind
        self._delivery = delivery
        self._reached = reached
        self.begun = Begun(Begin.BUSY)

    async def carried_out(self, work: Work) -> Answer:
        await self._begin()
        if self.begun.state is Begin.KNOWN:
            return _answer(self.begun.said)
        self._reached(f"begun-{self._kind}")
        try:
            answer = await work()
        except UserError as error:
            if self.begun.state is Begin.FIRST:
                raise
            found = f"The bot was restarted while it did this, and it may have been done before: {error}"
            raise UserError(found, example=error.example) from error
        self._reached(f"done-{self._kind}")
        return answer

    async def _begin(self) -> None:
        """Wait while another bot is at it: either it says what came of it, or it died."""
        while True:
            self.begun = await self._inbox.begin(self._kind, self._delivery, within=ABANDONED)
            if self.begun.state is not Begin.BUSY:
                return
            await asyncio.sleep(_LOOK_AGAIN.total_seconds())

    async def keep(self, answer: Answer) -> None:
        """Remember what was said. Not worth an error: without it a repetition is resumed, and finds it done."""
        if self.begun.state not in (Begin.FIRST, Begin.RESUMED):
            return
        try:
            async with asyncio.timeout(_KEEPING.total_seconds()):
                await self._inbox.finish(self._kind, self._delivery, self.begun, said=_said(answer))
        except (OutsideError, TimeoutError) as error:
            log.warning("What was answered to a %s was not kept: %s", self._kind, error or "no answer in time")
        self._reached(f"kept-{self._kind}")


def _said(answer: Answer) -> str:
    """As ASCII: somebody's typing may have left half a character in it, which Redis could not keep."""
    entries = [(entry.title, entry.text, entry.link, entry.person) for entry in answer.entries]
    return json.dumps({"text": answer.text, "lines": list(answer.lines), "entries": entries})


def _answer(said: str) -> Answer:
    """What was said, to the person alone: what the whole channel was told is not told to it twice."""
    found = json.loads(said)
    entries = tuple(Entry(*map(str, entry)) for entry in found.get("entries", ()))
    return Answer(str(found["text"]), [str(line) for line in found["lines"]], entries=entries)
