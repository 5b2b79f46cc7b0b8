"""Request that something is done about a migration that ended (or is looked at): a job of its own, for a worker.

Whoever calls this has checked the person's right. Nothing is done here.
"""

from __future__ import annotations

from typing import Final

from bot.errors import UserError
from bot.jobs.port import Job, NewJob
from bot.migration.machine import WORDS
from bot.migration.request import JobId
from bot.operations.aftercare_record import AFTERCARE, Act, Aftercare
from bot.operations.counter import Counter
from bot.operations.port import Answer, Person
from bot.operations.record import request_of

_SAID: Final = {
    Act.POWER_ON_SOURCE: "{vm} is being powered on at its source. The thread tells when it is.",
    Act.DELETE_LEFTOVERS: "Looking at what is left of {vm} at the destination. The thread tells.",
    Act.EVIDENCE: "The evidence pack of {vm} is being put together. It comes into the thread.",
    Act.MEASURE: "The path of {vm} is being measured, which takes a minute or two. The figures come into the thread.",
}


async def request_aftercare(
    counter: Counter, who: Person, job: Job, act: Act, *, detail: str = "", dedupe: str
) -> Answer:
    """Draft the act. The same `dedupe` drafts once; UserError while another job has the VM, if the act takes it."""
    request = request_of(job)
    drafted = await counter.queue.draft(
        NewJob(
            kind=AFTERCARE,
            vm_key=request.vm.key if act.takes_vm else "",
            requester=who.user_id,
            channel=job.channel,
            data=Aftercare(act, job.id, detail).to_data(),
            dedupe=dedupe,
        )
    )
    if not drafted.own:
        raise await _taken(counter, request.vm.name, drafted.id)
    return Answer(_SAID[act].format(vm=request.vm.name))


async def _taken(counter: Counter, vm: str, holder: JobId) -> UserError:
    """Why nothing was drafted: another job has the VM."""
    found = await counter.queue.get(holder)
    doing = WORDS[found.state] if found is not None else "at work"
    return UserError(f"{vm} is taken: job {holder} ({doing}) has it. Nothing was done; try again when that has ended.")
