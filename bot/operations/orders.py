"""How a run gives orders to its VM before the move: twice does no harm, what it does is on the card, and no order comes
from a worker that has lost the job.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from bot.errors import MaybeSentError
from bot.migration.machine import Refused
from bot.operations.cards import job_card
from bot.operations.record import NO_TROUBLE, with_doing
from bot.operations.run import Run


class Order(Protocol):
    """An order of `VCenter` that counts as done when it has been carried out before."""

    async def __call__(self, uuid: str, *, session: str = "") -> None: ...


class Prepared(Enum):
    """NOTHING: there was nothing to do. READY: something was done, so the VM is to be looked at again. NO: the job was
    given back or has ended.
    """

    NOTHING = "nothing"
    READY = "ready"
    NO = "no"


async def give(run: Run, order: Order) -> None:
    """Give an order through a session that others can end. LostLeaseError when another worker has the job."""
    vm = run.plan.request.vm.uuid
    await run.claim.cancel_asked()
    try:
        await order(vm, session=await run.vcenter.writer_session())
    except MaybeSentError:
        await order(vm, session=await run.vcenter.writer_session())


async def forbidden(run: Run, key: str) -> Prepared:
    """End a migration that needs what the config does not allow (any more), or not on this worker."""
    await run.end(Refused(), f"The config does not allow what this migration needs: set [allow] {key}, and retry.")
    return Prepared.NO


async def say(run: Run, what: str) -> None:
    """Show on the card what is being done to the VM; empty: nothing any more. Trouble from before is over by then."""
    await run.claim.note({**with_doing(what), **NO_TROUBLE})
    await run.tools.outbox.show(job_card(run.claim.job))
