"""Write on a VM that its guest is about to be shut down, and for which job: what Redis forgets, the VM then tells."""

from __future__ import annotations

from bot.operations.record import Intent
from bot.operations.run import Run
from bot.operations.trace import BEFORE_CALL, trace_of, write


async def trace_shutdown(run: Run) -> None:
    """Once, and before the guest is asked. A job that has called before has left its trace already.

    FaultError where we may not write it: then nothing may be moved from there either, and the VM runs on.
    """
    job, vcenter = run.claim.job, run.vcenter
    if job.attempt != BEFORE_CALL:
        return
    session = await vcenter.writer_session()
    before = Intent("", session, await vcenter.now(), await run.tools.queue.now())
    text = write(trace_of(job, run.plan, before, attempt=BEFORE_CALL))
    await vcenter.write_trace(run.plan.request.vm.uuid, text, session=session)
