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
from bot.incidents.incident import Case
from bot.incidents.port import Action, Incidents, Sink
from bot.incidents.telling import Step, Telling, Tellings, next_step
from bot.jobs.retry import Retry
from bot.migration.request import JobId
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


async def _carried_out(tools: EscalationTools, sink: Sink, telling: Telling) -> None:
    """One telling, whatever comes of it. What is not recorded is taken up by the next once the lease is over."""
    try:
        await _carry_out(tools, sink, telling)
    except OutsideError as error:
        log.warning("What '%s' was told of incident %s was not recorded: %s", sink.name, telling.incident, error)
    except Exception as error:  # a defect in one of them must not keep the others from being told
        log.exception("The sink '%s' could not be told of incident %s.", sink.name, telling.incident)
        told = str(error) if isinstance(error, ColdmigrateError) else f"A defect ({type(error).__name__}): see the log."
        with contextlib.suppress(OutsideError):
            delay = delay_after(telling.failures + 1, tools.again)
            await tools.tellings.failed(telling, delay=delay, maybe=True, trouble=told)


async def _carry_out(tools: EscalationTools, sink: Sink, telling: Telling) -> None:
    case = await tools.incidents.get(telling.incident)
    step = next_step(telling, None if case is None else case.standing.state)
    match step:
        case Action():
            await _tell(tools, sink, telling, step, case)
        case Step():
            await _settle(tools, sink, telling, step)


async def _tell(tools: EscalationTools, sink: Sink, telling: Telling, action: Action, case: Case | None) -> None:
    link = await tools.outbox.link_to(JobId(telling.incident))
    page = page_of(telling, action, case, link=link)
    try:
        async with asyncio.timeout(tools.lease.total_seconds() * 0.6):
            await sink.send(page)
    except TimeoutError:
        error: OutsideError = MaybeSentError(f"'{sink.name}' did not answer in time.", transient=True)
        await _not_told(tools, telling, action, case, error)
    except OutsideError as failure:
        await _not_told(tools, telling, action, case, failure)
    else:
        tools.reached("sent")
        if action is Action.TRIGGER:
            await _say(tools, telling, case, "told", await _told_words(sink, telling))
        await tools.tellings.told(telling, action)
        log.info("The sink '%s' was told to %s incident %s.", sink.name, action, telling.key)


async def _not_told(
    tools: EscalationTools, telling: Telling, action: Action, case: Case | None, error: OutsideError
) -> None:
    if not error.transient:
        log.error("The sink '%s' will not take that of incident %s: %s", telling.sink, telling.key, error)
        words = f"{telling.sink} does not take this ({action}), and it is not tried again: {error}"
        await _say(tools, telling, case, f"refused-{action}", words)
        await tools.tellings.refuse(telling, action, trouble=str(error))
        return
    delay = delay_after(telling.failures + 1, tools.again, asked=error.retry_after)
    log.warning("The sink '%s' was not told of incident %s: %s", telling.sink, telling.key, error)
    if telling.failing >= STUBBORN:
        minutes = int(telling.failing.total_seconds() // 60)
        words = f"{telling.sink} could not be told for {minutes} min: {error} It is tried again until it is taken."
        await _say(tools, telling, case, "trouble", words)
    maybe = isinstance(error, MaybeSentError)
    await tools.tellings.failed(telling, delay=delay, maybe=maybe, trouble=str(error))


async def _settle(tools: EscalationTools, sink: Sink, telling: Telling, step: Step) -> None:
    note = ""
    if step is Step.OVER and telling.said is None and telling.failures:
        note = f"The incident ended before {sink.name} could be told, so nobody was woken."
        log.info("%s (%s)", note, telling.incident)
    if step is Step.REST and telling.said is not None and not telling.url:
        await _find(tools, sink, telling)
    await tools.tellings.put_off(telling, step, note=note)


async def _find(tools: EscalationTools, sink: Sink, telling: Telling) -> None:
    """Where people open it there. They take what is told at once and make something of it later, so ask then."""
    try:
        async with asyncio.timeout(ROSTER_TIME.total_seconds()):
            url = await sink.where(telling.key)
    except (OutsideError, TimeoutError) as error:
        log.info("Where '%s' shows incident %s is not known: %s", sink.name, telling.key, error or "no answer in time")
        return
    if url:
        await tools.tellings.found(telling, url)


async def _told_words(sink: Sink, telling: Telling) -> str:
    minutes = round(telling.patience.total_seconds() / 60)
    why = f"nobody acknowledged within {minutes} min" if minutes else "it is told at once"
    names = await _on_call(sink)
    return f"Told {sink.name}: {why}" + (f"; on call: {', '.join(names)}." if names else ".")


async def _say(tools: EscalationTools, telling: Telling, case: Case | None, what: str, words: str) -> None:
    """Below the incident's message, once for each opening; nowhere while it has no message."""
    if case is None or not case.standing.channel:
        return
    sink = hashlib.sha256(telling.sink.encode()).hexdigest()[:8]  # a name may be anything; a key may not
    reply = Reply(key=f"escalation-{sink}-{telling.opening}-{what}", text=words)
    await tools.outbox.reply(JobId(telling.incident), case.standing.channel, reply)


def delay_after(failures: int, again: Retry, *, asked: float | None = None) -> timedelta:
    """How long to wait after this many failures in a row: doubling, up to a quarter less by chance, so that a sink
    that comes back is not asked everything at once; never less than the seconds that it `asked` for.
    """
    delay = again.delay(failures)
    assert delay is not None  # noqa: S101 - it has no last try
    delay *= 1 - secrets.randbelow(250) / 1000
    return max(delay, timedelta(seconds=asked or 0))
