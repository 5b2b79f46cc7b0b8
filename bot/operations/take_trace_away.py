"""Take the trace of a job away from its VM: when it has ended, and when somebody else has the job."""

from __future__ import annotations

import logging

from bot.errors import OutsideError, UserError
from bot.jobs.port import Job
from bot.operations.record import approved_plan, intent_of
from bot.operations.tools import WorkerTools
from bot.operations.trace import read

log = logging.getLogger(__name__)


async def take_trace_away(tools: WorkerTools, job: Job) -> None:
    """The VM is nobody's any more. What fails here is tidied up by `reconcile`, and questions no end."""
    if not job.data.get("intent"):
        return
    vm, intent = approved_plan(job).request.vm, intent_of(job)
    try:
        vcenter = tools.fleet.vcenter(vm.vcenter)
        found = read(await vcenter.read_trace(vm.uuid))
        if found is None or (found.job, found.session) != (job.id, intent.session):
            return  # a successor's, whose call may be under way
        # Through the session of the intent where that is ours: a successor has ended it.
        ours = await vcenter.writer_session() == intent.session
        await vcenter.write_trace(vm.uuid, "", session=intent.session if ours else "")
    except (OutsideError, UserError) as error:
        log.warning("The trace of job %s was left on %s for the moment: %s", job.id, vm.name, error)
