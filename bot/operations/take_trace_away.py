"""Take the trace of a job away from its VM: when it has ended, and when somebody else has the job."""

from __future__ import annotations

import logging
from typing import Final

from bot.errors import OutsideError, UserError
from bot.jobs.port import Job
from bot.migration.request import VmRef
from bot.operations.record import approved_plan, intent_of, was_on
from bot.operations.tools import WorkerTools
from bot.operations.trace import read
from bot.vsphere.port import FaultError, VCenter

GONE: Final = "vmodl.fault.ManagedObjectNotFound"

log = logging.getLogger(__name__)


async def take_trace_away(tools: WorkerTools, job: Job) -> None:
    """The VM is nobody's any more. What fails here is tidied up by `reconcile`, and questions no end.

    A trace may have gone along to another vCenter, or stayed behind with the VM that left, and be gone with it.
    """
    called = bool(job.data.get("intent"))
    if not (called or was_on(job)):
        return
    plan, session = approved_plan(job), intent_of(job).session if called else ""
    for name in (plan.request.vm.vcenter, *([plan.far.name] if plan.far else [])):
        try:
            await _take_away(tools.fleet.vcenter(name), job, plan.request.vm, session=session)
        except (OutsideError, UserError) as error:
            if not (plan.far and isinstance(error, FaultError) and error.kind == GONE):
                log.warning(
                    "The trace of job %s was left on %s for the moment: %s", job.id, plan.request.vm.name, error
                )


async def _take_away(vcenter: VCenter, job: Job, vm: VmRef, *, session: str) -> None:
    """`session`: that of the intent; empty for a job that only shut the guest down, whose trace names no call."""
    found = read(await vcenter.read_trace(vm.uuid))
    if found is None or found.job != job.id or found.session != (session or found.session):
        return  # a successor's, whose call may be under way
    if not session and found.attempt:
        return  # of a call that this record does not know
    # Through the session of the intent where that is ours: a successor has ended it. Another vCenter has no such one.
    ours = bool(session) and vcenter.name == vm.vcenter and await vcenter.writer_session() == session
    await vcenter.write_trace(vm.uuid, "", session=session if ours else "")
