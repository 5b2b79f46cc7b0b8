"""Canaries: a small powered-off VM of the config is moved to the other end of its link, for no other reason than to see
whether that works. Where nobody may log in to hosts, nothing else tries the whole of a path.

Here is what people ask for; what becomes of it on a worker is in `canary_check`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.errors import BugError, UserError
from bot.jobs.port import Job
from bot.migration.machine import Phase
from bot.migration.plan import link_name
from bot.migration.request import MigrationRequest, SiteName
from bot.operations.counter import Counter, require_place
from bot.operations.holds import LOOKED_BACK, planned, vm_name
from bot.operations.options import require_allowed
from bot.operations.port import Answer, Person
from bot.operations.record import MIGRATE, request_of
from bot.operations.request_migration import draft, one_vm
from bot.operations.rights import Verb
from bot.operations.start_time import site_of_vm
from bot.vsphere.port import InventoryVm


@dataclass(frozen=True, slots=True)
class _Course:
    """Where the canary of a link is, and the end of the link that it goes to."""

    vm: InventoryVm
    link: str
    source: SiteName
    target: SiteName


async def send_canary(
    counter: Counter, who: Person, channel: str, ends: tuple[str, str], *, host: str | None = None, dedupe: str
) -> Answer:
    """Draft the move of the link's canary from where it is to the other end; nobody has to approve it.

    RefusedError where the config does not allow it, or without the right to migrate at both ends. UserError for a link
    without a canary, or whose canary is somewhere else. The answer says where it starts, which nobody can choose.
    """
    for site in (None, *(SiteName(end) for end in ends)):
        await counter.rights.require(who, Verb.MIGRATE, site)
    require_allowed(counter.allow.canary, "A canary", key="canary")
    await require_place(counter.channels, who, channel)
    course = await _course(counter, ends)
    request = MigrationRequest(course.vm.ref, course.target, host=host, canary=True)
    answer = await draft(counter, who, channel, request, dedupe=dedupe)
    failed = _last_failed(await counter.queue.recent(limit=LOOKED_BACK), link=course.link)
    return replace(answer, lines=[*answer.lines, *_starts(course, failed)])


async def require_canary(counter: Counter, who: Person, request: MigrationRequest, *, source: SiteName | None) -> None:
    """Pass if this person may have that canary moved once more; of any other migration nothing is asked."""
    if not request.canary:
        return
    require_allowed(counter.allow.canary, "A canary", key="canary")
    for site in {source or request.site, request.site}:
        await counter.rights.require(who, Verb.MIGRATE, site)


async def _course(counter: Counter, ends: tuple[str, str]) -> _Course:
    one, other = (counter.site(end).name for end in ends)
    if one == other:
        raise UserError("A link has two different ends.", example="/coldmigrate canary site1 site2")
    link = link_name(one, other)
    if (name := counter.canaries.get(link)) is None:
        raise UserError(
            f"The link {link} has no canary. The people who keep coldmigrate.toml name a small powered-off VM in "
            f"canary of its [[links]] table."
        )
    vm = await one_vm(counter, name, other)
    match site_of_vm(counter, vm):
        case here if here == one:
            return _Course(vm, link, one, other)
        case here if here == other:
            return _Course(vm, link, other, one)
        case here:
            place = here or f"datacenter {vm.site_hint} ({vm.ref.vcenter})"
            raise UserError(f"{vm.ref.name}, the canary of {link}, is at {place}: at neither end of its link.")


def _last_failed(recent: Sequence[Job], *, link: str) -> Job | None:
    """The copy across the link that failed last, which is what most canaries are sent after."""
    return next((job for job in recent if _failed_on(job, link)), None)


def _failed_on(job: Job, link: str) -> bool:
    if job.kind != MIGRATE or job.state is not Phase.FAILED or job.lane != link or not job.attempt:
        return False
    try:
        return not request_of(job).canary
    except BugError:  # written by another version
        return False


def _starts(course: _Course, failed: Job | None) -> list[str]:
    """Where it starts, and whether that is the path of the copy that failed last."""
    vm = course.vm
    said = [f"{vm.ref.name} is on {vm.host} at {course.source}, and starts there: that cannot be chosen."]
    if failed is None or (plan := planned(failed)) is None:
        return said
    source, target = plan.source, plan.target
    copy = f"{vm_name(failed)} (job {failed.id}), the last copy that failed on this link"
    if vm.host == source.host:
        said.append(f"That is the source host of {copy}; its target was {target.host}.")
    elif course.source == source.site:
        said.append(f"{copy}, went from {source.host} to {target.host}: the canary's path begins at another host.")
    else:
        said.append(f"{copy}, went the other way, from {source.host} to {target.host}.")
    return said
