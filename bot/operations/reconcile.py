"""Compare what Redis knows with what is really there: traces on VMs, and relocations that run in our name.

One worker does it, at the start of the first and every few minutes; at once after Redis lost its data, because whose
turn it is was lost too. What is found is mended or said, and nothing is ever started.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
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


async def reconcile_for_ever(tools: WorkerTools, worker: str, *, every: timedelta = EVERY) -> None:
    """For ever; any number of workers may do this, and one at a time has its turn. An outage is outlived."""
    while True:
        try:
            if await tools.queue.chore("reconcile", worker=worker, every=every):
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
    for found in traces:
        lost = await forgotten(tools, found)
        if lost is not None:
            await adopt(tools, lost)
        else:
            await _tidy(tools, vcenter, found)
    await _report_strangers(tools, running, traces)


async def _tidy(tools: WorkerTools, vcenter: VCenter, found: Trace) -> None:
    """Take away the trace of a job that ended while its worker died, unless the VM has a live job by now."""
    trace = read(found.text)
    job = await tools.queue.get(trace.job) if trace else None
    if job is None or not job.state.ended or await _busy(tools, found):
        return
    if await vcenter.read_trace(found.vm.uuid) == found.text:
        await vcenter.write_trace(found.vm.uuid, "")
        log.info("The trace of job %s on %s was left over and is gone.", job.id, found.vm.name)


async def _busy(tools: WorkerTools, found: Trace) -> bool:
    return any(job.vm_key == found.vm.key for job in await tools.queue.recent(limit=LIVE, live_only=True))


async def _report_strangers(tools: WorkerTools, running: Sequence[RunningRelocation], traces: Sequence[Trace]) -> None:
    """Relocations by our account of which neither a job nor a trace tells: said once for each task, and left alone."""
    known = {job.vm_key for job in await tools.queue.recent(limit=LIVE, live_only=True)} | {t.vm.key for t in traces}
    for found in running:
        if found.vm.key not in known and await tools.queue.chore(
            f"stranger:{found.task.task}", worker="", every=timedelta(days=1)
        ):
            why = f"{found.task.task} moves {found.vm.name} in our name, and no job knows of it; it is left alone"
            log.warning("%s.", why)
            await tools.queue.note_act(by="coldmigrate", verb="stranger", on=found.vm.key, why=why)
