"""Compare what Redis knows with what is really there: traces on VMs, and relocations that run in our name.

One worker does it, at the start of the first and every few minutes; at once after Redis lost its data, because whose
turn it is was lost too. What is found is mended or said, and nothing is ever started.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from enum import Enum, auto
from typing import Final

from bot.errors import BugError, OutsideError
from bot.operations.readopt import adopt, forgotten
from bot.operations.tools import WorkerTools
from bot.operations.trace import read
from bot.vsphere.port import RunningRelocation, Trace, VCenter

EVERY: Final = timedelta(minutes=5)
ASK_EVERY: Final = timedelta(seconds=5)
"""How often it is asked whose turn it is: this long after Redis lost everything the search for it begins."""

LIVE: Final = 10_000

log = logging.getLogger(__name__)


async def reconcile_for_ever(
    tools: WorkerTools, worker: str, *, first: Callable[[], Awaitable[None]], every: timedelta = EVERY
) -> None:
    """For ever; any number of workers may do this, and one at a time has its turn, which begins with `first`.

    An outage is outlived.
    """
    while True:
        try:
            if await tools.queue.chore("reconcile", worker=worker, every=every):
                await first()
                await reconcile(tools)
        except OutsideError as error:
            log.warning("not reconciled for the moment: %s", error)
        except BugError:
            log.exception("reconciling stumbled, and begins again")
        await asyncio.sleep(ASK_EVERY.total_seconds())


async def reconcile(tools: WorkerTools) -> None:
    """Once, over all vCenters; one that is away is left for the next time."""
    for vcenter in tools.fleet.vcenters.values():
        try:
            await _reconcile(tools, vcenter)
        except OutsideError as error:
            log.warning("%s is not reconciled for the moment: %s", vcenter.name, error)


async def _reconcile(tools: WorkerTools, vcenter: VCenter) -> None:
    # Tasks first: a migration that starts between the two questions has its trace by then.
    running = await vcenter.running_relocations()
    traces = await vcenter.traces()
    judged = [(found, await _judged(tools, found)) for found in traces]
    left_over = [found for found, tells in judged if tells is Tells.LEFT_OVER]
    live = await _live(tools) if left_over else set()
    for found in left_over:
        if found.vm.key not in live:
            await _tidy(vcenter, found)
    await _report_strangers(tools, running, [found for found, tells in judged if tells is not Tells.FORGOTTEN_CALL])


class Tells(Enum):
    """What a trace tells of a job."""

    NOTHING_NEW = auto()
    LEFT_OVER = auto()  # the job ended while its worker died
    FORGOTTEN_CALL = auto()  # the job ended, as an older Redis has it; this call of it came later


async def _judged(tools: WorkerTools, found: Trace) -> Tells:
    """Take up what was forgotten; say what the trace is to us otherwise."""
    try:
        lost = await forgotten(tools, found)
        if lost is not None:
            await adopt(tools, lost)
            return Tells.NOTHING_NEW
        trace = read(found.text)
        job = await tools.queue.get(trace.job) if trace else None
    except BugError as error:  # a record of another version, perhaps; the other traces are no worse for it
        log.error("The trace on %s is left alone: %s", found.vm.name, error)  # noqa: TRY400 - the cause is in the sentence
        return Tells.NOTHING_NEW
    if trace is None or job is None or not job.state.ended:
        return Tells.NOTHING_NEW
    return Tells.FORGOTTEN_CALL if trace.attempt > job.attempt else Tells.LEFT_OVER


async def _tidy(vcenter: VCenter, found: Trace) -> None:
    """Take away a trace that was left over, unless it has become another one meanwhile."""
    if await vcenter.read_trace(found.vm.uuid) == found.text:
        await vcenter.write_trace(found.vm.uuid, "")
        log.info("A trace on %s was left over and is gone.", found.vm.name)


async def _live(tools: WorkerTools) -> set[str]:
    """The VMs that have a live job."""
    return {job.vm_key for job in await tools.queue.recent(limit=LIVE, live_only=True)}


async def _report_strangers(tools: WorkerTools, running: Sequence[RunningRelocation], traces: Sequence[Trace]) -> None:
    """Relocations by our account of which neither a job nor a trace tells: said once for each task, and left alone."""
    # By their UUIDs: the vCenter that a VM of ours goes to may show a task of its own for it.
    known = {key.rpartition(":")[2] for key in await _live(tools)} | {trace.vm.uuid for trace in traces}
    for found in running:
        if found.vm.uuid not in known and await tools.queue.chore(
            f"stranger:{found.task.task}", worker="", every=timedelta(days=1)
        ):
            why = f"{found.task.task} moves {found.vm.name} in our name, and no job knows of it; it is left alone"
            log.warning("%s.", why)
            await tools.queue.note_act(by="coldmigrate", verb="stranger", on=found.vm.key, why=why)
