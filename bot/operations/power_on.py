"""Power the VM on where it was moved to, if that was asked for. A move that succeeded stays one, whatever comes."""

from __future__ import annotations

import asyncio
from typing import Final

from bot.errors import LoginError, MaybeSentError
from bot.jobs.port import Claim, Job
from bot.migration.plan import Plan
from bot.operations.arrival import is_fit_to_run
from bot.operations.record import approved_plan, is_adopted, was_on
from bot.operations.tools import WorkerTools
from bot.vsphere.port import FaultError, VCenter, VmPlace

TRIES: Final = 3
"""Of powering on, when what is in the way passes by itself."""


async def power_on(tools: WorkerTools, claim: Claim, place: VmPlace) -> str:
    """A sentence about its power, or empty when nobody cares. UnreachableError when vCenter is away: then again.

    What lacks a disk there, or came to another network than planned, is a person's to look at first.
    """
    plan = approved_plan(claim.job)
    name = plan.request.vm.name
    if not plan.request.power_on:
        return _left_off(claim.job, plan)
    if not tools.allow.power_on:
        return f"{name} was not powered on: the config does not allow it ([allow] power_on)."
    if await claim.cancel_asked():
        return f"{name} was not powered on: its migration was cancelled, too late to stop the copy."
    if not is_fit_to_run(place, plan):
        return f"{name} was not powered on, because of that."
    vcenter = tools.fleet.vcenter(plan.target.vcenter or plan.request.vm.vcenter)
    tools.reached("before-power-on")
    try:
        await _until_on(tools, claim, vcenter, plan.request.vm.uuid)
    except (FaultError, LoginError, MaybeSentError) as error:
        return f"{name} was not powered on, or it is not known whether: {error}"
    tools.reached("after-power-on")
    return f"{name} is on."


def _left_off(job: Job, plan: Plan) -> str:
    name = plan.request.vm.name
    if is_adopted(job):
        return f"{name} is off: Redis had lost whether it was to be powered on."
    if was_on(job):
        return f"{name} is off: this migration shut it down."
    return f"{name} is off." if plan.request.shutdown else ""  # one before, of which this is a retry, may have done it


async def _until_on(tools: WorkerTools, claim: Claim, vcenter: VCenter, uuid: str) -> None:
    """Again after what passes: a session that has just ended, a task that has the VM, an answer that was lost."""
    for _ in range(TRIES - 1):
        await claim.cancel_asked()  # LostLeaseError: another worker sees to it
        try:
            await vcenter.power_on(uuid, session=await vcenter.writer_session())
        except MaybeSentError:
            pass
        except FaultError as error:
            if not error.transient:
                raise
        else:
            return
        await asyncio.sleep(tools.look_again.total_seconds())
    await claim.cancel_asked()
    await vcenter.power_on(uuid, session=await vcenter.writer_session())
