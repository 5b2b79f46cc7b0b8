"""Telling those who are not in Slack: whoever serves a sink takes what is due, says it, and records that.

Any number of processes may serve one sink; a lease keeps two from saying the same, and the ids of what is said make it
harmless if they do. Nothing is recorded before it was said, so nothing is lost; all of it may be repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.errors import ColdmigrateError, MaybeSentError, OutsideError
from bot.incidents.incident import Case, State
from bot.incidents.policy import mutes_of
from bot.incidents.port import Action, Incidents, Sink
from bot.incidents.telling import Step, Telling, Tellings, next_step
from bot.jobs.retry import Retry
from bot.migration.request import JobId
from bot.operations.alert_card import show_alert
from bot.operations.escalation_page import page_of
from bot.operations.tools import nowhere
from bot.slack.port import Outbox, Reply

AT_ONCE: Final = 8
LEASE: Final = timedelta(seconds=30)
POLL: Final = timedelta(seconds=5)
"""How often it looks without being called: for what a process that died left behind."""

AGAIN: Final = Retry("sink", first=timedelta(seconds=2), longest=timedelta(minutes=5), tries=None)
STUBBORN: Final = timedelta(minutes=2)
"""A sink that took nothing for so long is worth a word in the thread: somebody may have to pick up a telephone."""

MESSAGE_TIME: Final = timedelta(seconds=5)
"""How long a page waits for the message that it leads to; whoever is to be woken is woken without it, too."""

LOOK: Final = timedelta(milliseconds=100)
AFTER_TROUBLE: Final = timedelta(seconds=1)
ROSTER_TIME: Final = timedelta(seconds=5)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationTools:
    """What serving sinks needs. `reached` is told the named points; tests end the process there."""

    incidents: Incidents
    tellings: Tellings
    outbox: Outbox
    lease: timedelta = LEASE
    poll: timedelta = POLL
    again: Retry = AGAIN
    message_within: timedelta = MESSAGE_TIME
    reached: Callable[[str], None] = nowhere


async def escalate_for_ever(tools: EscalationTools, sink: Sink) -> None:
    """Serve one sink until cancelled. One task for each: a slow one, or a dead one, keeps nobody else waiting."""
    while True:
        try:
            due = await tools.tellings.take(sink.name, lease=tools.lease, limit=AT_ONCE)
            if not due:
                await tools.tellings.wait(sink.name, within=tools.poll)
        except ColdmigrateError as error:
            log.warning("What is due for the sink '%s' cannot be read: %s", sink.name, error)
            await asyncio.sleep(AFTER_TROUBLE.total_seconds())
            continue
        async with asyncio.TaskGroup() as group:
            for telling in due:
                group.create_task(_carried_out(tools, sink, telling))


async def on_call_names(sinks: Sequence[Sink]) -> Sequence[str]:
    """Who would be woken now, by name, each once. Who cannot be asked is left out: a card does not wait for that."""
    found = await asyncio.gather(*(_on_call(sink) for sink in sinks))
    return tuple(dict.fromkeys(name for names in found for name in names))


async def _on_call(sink: Sink) -> Sequence[str]:
    try:
        async with asyncio.timeout(ROSTER_TIME.total_seconds()):
            return await sink.on_call()
    except (OutsideError, TimeoutError) as error:
        log.info("Who is on call for the sink '%s' is not known: %s", sink.name, error or "no answer in time")
        return ()


@dataclass(frozen=True, slots=True)
class _Round:
    """One telling, and how its incident stood when it was taken."""

    tools: EscalationTools
    sink: Sink
    telling: Telling
    case: Case | None

    async def carry_out(self) -> None:
        """Do what comes next."""
        step = next_step(self.telling, None if self.case is None else self.case.standing.state)
        if step is Action.TRIGGER and await self._is_muted():
            step = Step.REST  # until the mute is over; somebody looks every minute
        match step:
            case Action():
                await self._tell(step)
            case Step():
                await self._settle(step)

    async def _is_muted(self) -> bool:
        """Whoever muted it knows of it, and does not want to hear more."""
        if self.case is None:
            return False
        mutes = await self.tools.incidents.mutes()  # those that hold, by the clock of whoever keeps them
        return bool(mutes_of(self.case.incident, mutes, now=self.case.incident.first))

    async def _tell(self, action: Action) -> None:
        link = await self._link(action)
        page = page_of(self.telling, action, self.case, link=link)
        try:
            async with asyncio.timeout(self.tools.lease.total_seconds() * 0.6):
                await self.sink.send(page)
        except TimeoutError:
            await self._not_told(action, MaybeSentError(f"'{self.sink.name}' did not answer in time.", transient=True))
        except OutsideError as error:
            await self._not_told(action, error)
        else:
            self.tools.reached("sent")
            await self._told(action)

    async def _link(self, action: Action) -> str:
        """To the incident's message, which is posted while a page that is due at once is already being sent."""
        subject, clock = JobId(self.telling.incident), asyncio.get_running_loop().time
        comes = action is Action.TRIGGER and not self.telling.failures and self.case and self.case.standing.channel
        until = clock() + (self.tools.message_within.total_seconds() if comes else 0)
        while not (link := await self.tools.outbox.link_to(subject)) and clock() < until:
            self.tools.reached("no message")
            await asyncio.sleep(LOOK.total_seconds())
        return link

    async def _told(self, action: Action) -> None:
        if action is Action.TRIGGER:
            minutes = round(self.telling.patience.total_seconds() / 60)
            why = f"nobody acknowledged within {minutes} min" if minutes else "it is told at once"
            names = await _on_call(self.sink)
            on_call = f"; on call: {', '.join(names)}" if names else ""
            await self._say("told", f"Told {self.sink.name}: {why}{on_call}.")
        await self.tools.tellings.told(self.telling, action)
        await self._redraw()
        log.info("The sink '%s' was told to %s incident %s.", self.sink.name, action, self.telling.key)

    async def _not_told(self, action: Action, error: OutsideError) -> None:
        if not error.transient:
            await self._refused(action, error)
            return
        telling, name = self.telling, self.sink.name
        log.warning("The sink '%s' was not told of incident %s: %s", name, telling.key, error)
        stubborn = telling.failing >= STUBBORN
        if stubborn:
            minutes = int(telling.failing.total_seconds() // 60)
            words = f"{name} could not be told for {minutes} min: {error} It is tried again until it is taken."
            await self._say("trouble", words)
        delay = delay_after(telling.failures + 1, self.tools.again, asked=error.retry_after)
        maybe = isinstance(error, MaybeSentError)
        await self.tools.tellings.failed(telling, delay=delay, maybe=maybe, trouble=str(error))
        if stubborn:
            await self._redraw()

    async def _refused(self, action: Action, error: OutsideError) -> None:
        log.error("The sink '%s' will not take that of incident %s: %s", self.sink.name, self.telling.key, error)
        words = f"{self.sink.name} does not take this ({action}), and it is not tried again: {error}"
        await self._say(f"refused-{action}", words)
        await self.tools.tellings.refuse(self.telling, action, trouble=str(error))
        await self._redraw()

    async def _settle(self, step: Step) -> None:
        note = ""
        if step is Step.OVER and self.telling.said is None and self.telling.failures:
            note = f"The incident ended before {self.sink.name} could be told, so nobody was woken."
            log.info("%s (%s)", note, self.telling.incident)
        if step is Step.REST and self.telling.said is not None and not self.telling.url:
            await self._find()
        await self.tools.tellings.put_off(self.telling, step, note=note)

    async def _find(self) -> None:
        """Where people open it there. They take what is told at once and make something of it later, so ask then."""
        name, key = self.sink.name, self.telling.key
        try:
            async with asyncio.timeout(ROSTER_TIME.total_seconds()):
                url = await self.sink.where(key)
        except (OutsideError, TimeoutError) as error:
            log.debug("Where '%s' shows incident %s is not known: %s", name, key, error or "no answer in time")
            return
        if url:
            await self.tools.tellings.found(self.telling, url)
            await self._redraw()

    async def _say(self, what: str, words: str) -> None:
        """Below the incident's message, once for each opening; nowhere while it has no message."""
        if self.case is None or not self.case.standing.channel:
            return
        sink = hashlib.sha256(self.sink.name.encode()).hexdigest()[:8]  # a name may be anything; a key may not
        reply = Reply(key=f"escalation-{sink}-{self.telling.opening}-{what}", text=words)
        await self.tools.outbox.reply(JobId(self.telling.incident), self.case.standing.channel, reply)

    async def _redraw(self) -> None:
        """The message says who was told, what is the matter with a sink, and where it is shown there."""
        if self.case is None or not self.case.standing.channel:
            return
        names = await _on_call(self.sink) if self.case.standing.state is State.OPEN else ()
        incidents, outbox = self.tools.incidents, self.tools.outbox
        await show_alert(incidents, outbox, self.telling.incident, escalations=self.tools.tellings, on_call=names)


async def _carried_out(tools: EscalationTools, sink: Sink, telling: Telling) -> None:
    """One telling, whatever comes of it. What is not recorded is taken up by the next once the lease is over."""
    try:
        await _Round(tools, sink, telling, await tools.incidents.get(telling.incident)).carry_out()
    except OutsideError as error:
        log.warning("What '%s' was told of incident %s was not recorded: %s", sink.name, telling.incident, error)
    except Exception as error:  # a defect in one of them must not keep the others from being told
        log.exception("The sink '%s' could not be told of incident %s.", sink.name, telling.incident)
        told = str(error) if isinstance(error, ColdmigrateError) else f"A defect ({type(error).__name__}): see the log."
        with contextlib.suppress(OutsideError):
            delay = delay_after(telling.failures + 1, tools.again)
            await tools.tellings.failed(telling, delay=delay, maybe=True, trouble=told)


def delay_after(failures: int, again: Retry, *, asked: float | None = None) -> timedelta:
    """How long to wait after this many failures in a row: doubling, up to a quarter less by chance, so that a sink
    that comes back is not asked everything at once; never less than the seconds that it `asked` for.
    """
    delay = again.delay(failures)
    assert delay is not None  # noqa: S101 - it has no last try
    delay *= 1 - secrets.randbelow(250) / 1000
    return max(delay, timedelta(seconds=asked or 0))
