"""Shut the guest down before the move, if that was asked for: only on a link that is well, and for a limited time.

A guest that does not shut down is a person's decision: more time, the hard way, or none of it. While nobody decides,
the job is given back and holds no slot; the guest is looked at by the minute, for it may have needed just that long.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final
from zlib import crc32

from bot.jobs.port import Job
from bot.migration.eta import in_words
from bot.migration.machine import Cancelled, Refused
from bot.operations.cards import job_card
from bot.operations.holds import what_holds
from bot.operations.last_look import patience_is_over, put_off
from bot.operations.link_check import link_trouble
from bot.operations.orders import Prepared, forbidden, give, say
from bot.operations.record import (
    NOT_BUSY,
    WENT_OFF,
    answer_of,
    asks_of,
    doing,
    power_words,
    shutdown_by,
    was_on,
    went_off,
    with_doing,
    with_offers,
    with_shutdown,
)
from bot.operations.run import Run
from bot.operations.shutdown_answer import ShutdownAnswer
from bot.operations.trace_shutdown import trace_shutdown
from bot.slack.port import Button, ButtonKind, Reply
from bot.vsphere.port import FaultError, Guest

LOOK_EVERY: Final = timedelta(seconds=2)
ASK_AGAIN: Final = timedelta(minutes=1)
"""So often a guest is looked at again while a person is asked about it."""

NO_TOOLS: Final = "vim.fault.ToolsUnavailable"
ASKING: Final = "Shutting down the guest"


async def shut_down(run: Run) -> Prepared:
    """Off, if that was asked for. A suspended VM stays as it is: the last look has said what is wrong with it."""
    if not run.plan.request.shutdown:
        return Prepared.NOTHING
    guest = await _guest(run)
    if guest.power == "poweredOff":
        return await _is_off(run)
    if guest.power != "poweredOn":
        return Prepared.NOTHING
    if not run.tools.allow.shutdown:
        return await forbidden(run, "shutdown")
    if not was_on(run.claim.job) and not await _may_begin(run):
        return Prepared.NO
    return await _bring_down(run)


async def _bring_down(run: Run) -> Prepared:
    answer = answer_of(run.claim.job)
    if answer is ShutdownAnswer.POWER_OFF:
        return await _power_off(run)
    if went_off(run.claim.job) and answer is None:
        return await _ask_person(run, "It was shut down for its move, and somebody has powered it on since.")
    until = shutdown_by(run.claim.job)
    if until is None or answer is ShutdownAnswer.WAIT_ON or _was_asking(run.claim.job):
        try:
            await _ask_guest(run, until if answer is None else None)
        except FaultError as error:
            if error.kind != NO_TOOLS:
                raise
            return await _ask_person(run, "VMware Tools do not run in it, so its guest cannot be asked to shut down.")
    return await _wait(run)


def _was_asking(job: Job) -> bool:
    """Whether a worker was about to ask the guest, or waited for it, when it died or lost its vCenter: nobody knows if
    the guest has heard it, and being asked twice changes nothing.
    """
    return doing(job).startswith(ASKING)


async def _guest(run: Run) -> Guest:
    return await run.vcenter.guest(run.plan.request.vm.uuid)


async def _is_off(run: Run) -> Prepared:
    if not was_on(run.claim.job):
        return Prepared.NOTHING
    run.tools.reached("guest-off")
    if asks_of(run.claim.job) or doing(run.claim.job) or not went_off(run.claim.job):
        await run.claim.note({**with_shutdown(), **WENT_OFF})
        await say(run, "")
    return Prepared.READY


async def _may_begin(run: Run) -> bool:
    """The last moment at which nobody has an outage: behind a hold, or on a link that loses packets, the VM runs on."""
    held = await what_holds(run.tools.queue, run.claim.job)
    why = held.why if held is not None else await link_trouble(run.tools, run.claim)
    if not why:
        return True
    said = f"{run.plan.request.vm.name} was not shut down: {why}"
    if await patience_is_over(run.tools, run.claim):
        await run.end(Refused(), f"{said} Nothing was started, and the VM runs on.")
    else:
        await put_off(run.tools, run.claim, said)
    return False


async def _ask_guest(run: Run, until: datetime | None) -> None:
    """`until`: whoever asked before gave it so long, and that stays."""
    until = until or await run.tools.queue.now() + run.tools.guest_time
    offers = with_offers([ButtonKind.POWER_ON_SOURCE] if run.tools.allow.power_on else [])
    # Written before it is asked: whose doing it was must never be forgotten. What was in the way before is over.
    await trace_shutdown(run)
    await run.claim.note({**with_shutdown(until=until), **offers, **NOT_BUSY})
    await say(run, f"{ASKING}, as was asked for; it is given {in_words(run.tools.guest_time)}.")
    run.tools.reached("before-shutdown")
    await give(run, run.vcenter.shut_down_guest)
    run.tools.reached("after-shutdown")


async def _wait(run: Run) -> Prepared:
    """Until it is off, its time is over, or it needs somebody."""
    until = shutdown_by(run.claim.job)
    while True:
        guest = await _guest(run)
        if guest.power == "poweredOff":
            return await _is_off(run)
        if await run.claim.cancel_asked():
            await run.end(Cancelled(), cancelled_words(run))
            return Prepared.NO
        if guest.question is not None:
            return await _ask_person(run, f"It waits for an answer in vCenter: {guest.question}")
        if until is None or asks_of(run.claim.job) or await run.tools.queue.now() >= until:
            within = in_words(run.tools.guest_time)
            return await _ask_person(run, f"Its guest was asked to shut down and has not done so within {within}.")
        await asyncio.sleep(min(LOOK_EVERY, run.tools.guest_time / 4).total_seconds())


async def _ask_person(run: Run, why: str) -> Prepared:
    """Give the job back, with a question in its thread; what has been asked is not asked again."""
    job = run.claim.job
    if not asks_of(job) or answer_of(job):
        hard = " Powering it off hard is like pulling its plug." if run.tools.allow.power_off else ""
        name, until = run.plan.request.vm.name, shutdown_by(job)
        said = f"{name} is still on. {why} Nothing was moved. Give it more time, or cancel.{hard}"
        # Whoever takes over asks the same within the same time, and that is one question.
        key = f"shutdown-{until:%d%H%M%S}" if until else "shutdown"
        question = Reply(f"{key}-{crc32(why.encode()):08x}", said, buttons=buttons(run))
        await run.claim.cancel_asked()  # refuses to speak for a job that another worker has
        await run.tools.outbox.reply(job.id, job.channel, question)
        await run.claim.note({**with_shutdown(until=shutdown_by(job), asked=True), **with_doing("")})
        await run.tools.outbox.show(job_card(run.claim.job))
    await run.claim.later(ASK_AGAIN, why=why)
    return Prepared.NO


def buttons(run: Run) -> list[Button]:
    """What can be done about a guest that does not shut down."""
    hard = [ButtonKind.POWER_OFF] if run.tools.allow.power_off else []
    return [Button(kind, run.claim.job.id) for kind in (ButtonKind.WAIT_ON, *hard, ButtonKind.CANCEL)]


async def _power_off(run: Run) -> Prepared:
    if not run.tools.allow.power_off:
        return await forbidden(run, "power_off")
    await say(run, "Powering the VM off, as was asked for.")
    await give(run, run.vcenter.power_off)
    return await _is_off(run)


def cancelled_words(run: Run) -> str:
    """What to say of a migration that is cancelled before its start, with what it did to the VM."""
    return f"Cancelled before anything was started. {power_words(run.claim.job)}".strip()
