"""A last look before an approved plan is started, hours after it was approved perhaps: what speaks against it now.

What passes by itself puts the start off, for an hour at most, and so does a vCenter that does not let us in: it may be
starting still, or its password be changed, and all that is approved would end with this job. Anything else ends the job
with nothing started.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from bot.errors import LoginError, UserError
from bot.jobs.port import Claim
from bot.migration.concerns.catalogue import PASSING
from bot.migration.plan import Plan
from bot.operations.far_faults import changed_vcenter
from bot.operations.plan_migration import plan_migration
from bot.operations.record import approved_plan, busy_since, with_busy, with_plan
from bot.operations.survey import Surveying
from bot.operations.tools import WorkerTools
from bot.operations.trouble import tell_trouble
from bot.vsphere.port import FaultError

PRIVILEGES: Final = Surveying(advice=False)
"""What is looked at beside VM and site: a right that was taken away must not be noticed once the guest is off. What our
other jobs will take of the datastore was weighed when it was planned; counted by each before its start, all would wait.
"""

ASK_AGAIN: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class No:
    """It must not start; `why` in sentences."""

    why: str


@dataclass(frozen=True, slots=True)
class NotNow:
    """Something is in its way that will pass."""

    why: str


async def last_look(tools: WorkerTools, claim: Claim) -> No | NotNow | None:
    """None: nothing speaks against starting now. OutsideError when vCenter cannot be asked at the moment."""
    found = await _look(tools, claim)
    if not isinstance(found, NotNow):
        return found
    return No(found.why) if await patience_is_over(tools, claim) else found


async def patience_is_over(tools: WorkerTools, claim: Claim) -> bool:
    """Whether something passing has been in the way for too long; since when is remembered from the first time on."""
    now = await tools.queue.now()
    since = busy_since(claim.job)
    if since is None:
        await claim.note(with_busy(now))
        return False
    return now - since >= tools.patience


async def put_off(tools: WorkerTools, claim: Claim, why: str) -> None:
    """Give the job back for a minute; its slots are free meanwhile, and its card says what is waited for."""
    await tell_trouble(tools, claim, why)
    await claim.later(ASK_AGAIN, why=why)


async def _look(tools: WorkerTools, claim: Claim) -> No | NotNow | None:
    approved = approved_plan(claim.job)
    try:
        # For the host that was approved: another one, which may be freer by now, would speak for itself only.
        asked = replace(approved.request, host=approved.target.host)
        fresh = await plan_migration(tools.fleet, asked, surveying=PRIVILEGES)
    except FaultError as error:
        if error.transient:
            raise
        return No(str(error))
    except LoginError as error:
        return NotNow(str(error))
    except UserError as error:
        return No(str(error))
    blocking = [concern for concern in fresh.concerns if concern.severity == "block"]
    if blocking:
        why = "Since it was approved: " + " ".join(concern.text for concern in blocking)
        return NotNow(why) if all(concern.id in PASSING for concern in blocking) else No(why)
    return await _compared(claim, fresh, approved)


async def _compared(claim: Claim, fresh: Plan, approved: Plan) -> No | None:
    """What has changed under a plan that nothing blocks."""
    if changed := changed_vcenter(approved, fresh):
        return No(changed)
    if changed := _gone(fresh, approved):
        return No(f"The plan is out of date: {changed}. Plan the move again.")
    if _is_as_approved(fresh, approved):
        if fresh.source != approved.source:  # it is off, so it may be registered on any host: its logs are there now
            await claim.note(with_plan(replace(approved, source=fresh.source, path=fresh.path)))
        return None
    if approved.request.consolidate and _keys(fresh) == _keys(approved) and fresh.target == approved.target:
        await claim.note(with_plan(fresh))  # merging deltas, as was asked for, gives disks other files
        return None
    return No(f"{approved.request.vm.name} has moved or changed its disks since it was approved.")


def _gone(fresh: Plan, approved: Plan) -> str:
    """Which part of the way there is not what it was, though it may bear its name; empty: all of it is as approved."""
    was, now, name = approved.target, fresh.target, approved.request.vm.name
    parts = {
        f"the host {was.host}": was.host_moid == now.host_moid,
        f"the datastore {was.datastore}": was.datastore_moid == now.datastore_moid,
        f"the folder {was.folder}": was.folder_moid == now.folder_moid,
        f"the resource pool of {was.host}": was.pool_moid == now.pool_moid,
    }
    other = [part for part, is_same in parts.items() if not is_same]
    if other:
        return f"{' and '.join(other)} at {was.site} is not the one that was approved"
    if fresh.nics != approved.nics:
        return f"the network cards of {name}, or the networks at {was.site}, are not those that were approved"
    return ""


def _is_as_approved(fresh: Plan, approved: Plan) -> bool:
    return fresh.vm_path_name == approved.vm_path_name and fresh.disk_paths == approved.disk_paths


def _keys(plan: Plan) -> set[int]:
    return {disk.key for disk in plan.disks}
