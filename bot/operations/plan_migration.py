"""Plan a migration: read what is needed, make the plan. One code for card, `--dry-run` and `coldmigrate plan`."""

from __future__ import annotations

import asyncio
import logging
import shlex
from dataclasses import replace

from bot.errors import UserError
from bot.migration.choice import Outlook
from bot.migration.plan import FarVCenter, Plan
from bot.migration.planning import make_plan
from bot.migration.request import MigrationRequest, VmRef
from bot.migration.survey import Survey
from bot.operations.live_copies import live_copies
from bot.operations.survey import Surveying, survey
from bot.operations.tools import Fleet
from bot.vsphere.port import FaultError, VCenter

log = logging.getLogger(__name__)


async def plan_migration(
    fleet: Fleet, request: MigrationRequest, *, outlook: Outlook | None = None, surveying: Surveying | None = None
) -> Plan:
    """The plan for a request, with all its concerns; without an `outlook` none is about time.

    With `surveying` it is looked at twice: first for where it goes, then with what was found out about just that. What
    cannot be found out is a concern that says so. UserError for a site, host or folder that does not exist;
    UnreachableError, LoginError and FaultError as vCenter answers. Nothing is changed anywhere.
    """
    spec = fleet.site(request.site)
    near, there = fleet.vcenter(request.vm.vcenter), fleet.vcenter(spec.vcenter)
    asking = surveying or Surveying()
    vm, site, far, live = await asyncio.gather(
        near.read_vm(request.vm.uuid),
        there.read_site(spec),
        _far(near, there),
        live_copies(asking.queue, but=asking.job),
    )

    def make(found: Survey | None = None, *, max_loss: float | None = None) -> Plan:
        return make_plan(
            request,
            vm,
            site,
            source_site=fleet.site_of(vm),
            outlook=outlook,
            survey=found,
            far=far,
            max_loss=max_loss,
            busy=live.busy(spec.vcenter),
        )

    first = make()
    if surveying is None or not (first.target.host_moid and first.target.datastore_moid):
        return first
    surveying = replace(surveying, runs=vm.power == "poweredOn")
    return make(await survey(fleet, first, surveying, live=live), max_loss=fleet.max_loss.get(first.link))


async def _far(near: VCenter, there: VCenter) -> FarVCenter | None:
    """Who the other vCenter is, if the site is in another one than the VM; None too if it does not tell: a concern."""
    if near.name == there.name:
        return None
    try:
        return await there.identity()
    except FaultError as error:
        log.warning("A move to vCenter %s is not possible: %s", there.name, error)
        return None


async def resolve_vm(fleet: Fleet, query: str) -> VmRef:
    """The one VM that `query` (name, inventory path or UUID) means, asked of the vCenters themselves.

    UserError when there is none, or when there are several: then all are listed with folder and host.
    """
    found = [vm for vcenter in fleet.vcenters.values() for vm in await vcenter.find_vms(query)]
    if len(found) == 1:
        return found[0].ref
    if not found:
        raise UserError(
            f"No VM is called '{query}' in {', '.join(fleet.vcenters)}.", example="coldmigrate plan web01 site2"
        )
    listed = "; ".join(f"{vm.path} on {vm.host}" for vm in found)
    raise UserError(
        f"'{query}' means {len(found)} VMs: {listed}. Give the path instead.",
        example=f"coldmigrate plan {shlex.quote(found[0].path)} site2",
    )
