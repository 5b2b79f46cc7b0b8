"""Request a migration: understand the names, take the VM, write the draft, show its card. No vCenter is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from bot.errors import UserError
from bot.jobs.port import CancelOutcome, Drafted, Job, NewJob
from bot.migration.facts import SiteSpec
from bot.migration.machine import WORDS, Phase
from bot.migration.request import MigrationRequest, SiteName
from bot.operations.counter import Counter, require_place
from bot.operations.lifting import with_strictness
from bot.operations.options import require_options
from bot.operations.port import Answer, MigrateOrder, Person
from bot.operations.record import MIGRATE, is_blocked, plan_of, request_of, with_request, with_start
from bot.operations.rights import Verb
from bot.operations.show_job import show_job
from bot.operations.start_time import not_before_in_words, site_of_vm, start_moment
from bot.vsphere.port import InventoryVm

LISTED: Final = 10
"""Ambiguous VMs that are listed; the rest is counted."""

_PLAIN: Final = re.compile(r"[\w./+][\w.:/+-]*")
_VERBS: Final = frozenset({"list", "show", "cancel", "retry", "help", "hold", "release", "canary"})


def as_typed(name: str) -> str:
    """A VM's name or path the way a person has to type it: in quotes if it needs them."""
    if _PLAIN.fullmatch(name) and name.casefold() not in _VERBS:
        return name
    return f"'{name}'" if '"' in name else f'"{name}"'


async def request_migration(counter: Counter, who: Person, channel: str, order: MigrateOrder, *, dedupe: str) -> Answer:
    """Draft what was typed. UserError for a VM or site that does not exist or is ambiguous; RefusedError for rights.

    A VM with a live job is not drafted twice: the answer names the job that has it.
    """
    await counter.rights.require(who, Verb.MIGRATE, None)  # the names of sites are not for everybody either
    site = counter.site(order.site)
    await counter.rights.require(who, Verb.MIGRATE, site.name)
    await require_place(counter.channels, who, channel)
    vm = await one_vm(counter, order.vm, site.name)
    request = await as_request(counter, order, vm, site)
    await require_options(counter, who, request, source=site_of_vm(counter, vm))
    return await draft(counter, who, channel, request, dedupe=dedupe)


async def as_request(counter: Counter, order: MigrateOrder, vm: InventoryVm, site: SiteSpec) -> MigrationRequest:
    """The order, now that it is known which VM and site it means."""
    start = await start_moment(counter, order.at, vm=vm, site=site.name)
    return order.request(vm.ref, SiteName(site.name), not_before=start)


async def draft(counter: Counter, who: Person, channel: str, request: MigrationRequest, *, dedupe: str) -> Answer:
    """Write the draft and show its card. A dry run takes no VM: any number of people may look.

    A plan of theirs that cannot start makes way: whoever is told to mend something and ask again may do just that.
    """
    drafted = await _draft(counter, who, channel, request, dedupe=dedupe)
    job = await counter.job(drafted.id)
    if not drafted.own and _makes_way(job, who) and await _out_of_the_way(counter, who, job):
        drafted = await _draft(counter, who, channel, request, dedupe=f"{dedupe}:anew" if dedupe else "")
        job = await counter.job(drafted.id)
    if not drafted.own:
        return Answer(_already(job, request))
    await show_job(counter.queue, counter.outbox, job.id)
    return Answer(
        f"Checking {request.vm.name} for {request.site}: job {job.id}. The card in the channel tells the rest."
        + not_before_in_words(counter.calendar, request.not_before)
    )


async def _draft(counter: Counter, who: Person, channel: str, request: MigrationRequest, *, dedupe: str) -> Drafted:
    return await counter.queue.draft(
        NewJob(
            kind=MIGRATE,
            vm_key="" if request.dry_run else request.vm.key,
            requester=who.user_id,
            channel=channel,
            data={
                **with_request(request),
                **_start(counter, request),
                **with_strictness(counter.strict, request.site),
            },
            dedupe=dedupe,
        )
    )


def _makes_way(job: Job, who: Person) -> bool:
    """Whether it is a plan of this person that nobody can approve; or was, when the command comes a second time."""
    plan = plan_of(job) if job.kind == MIGRATE and job.state in (Phase.PLANNED, Phase.CANCELLED) else None
    return plan is not None and not plan.safe and job.requester == who.user_id and not request_of(job).batch


async def _out_of_the_way(counter: Counter, who: Person, job: Job) -> bool:
    """Cancel it, if nobody else did. Nothing of it was approved, so nothing of it has started."""
    if job.state is Phase.CANCELLED:
        return True
    outcome = await counter.queue.cancel(job.id, by=who.user_id, waiting_only=True)
    await show_job(counter.queue, counter.outbox, job.id)
    return outcome in (CancelOutcome.CANCELLED, CancelOutcome.ENDED)


def _start(counter: Counter, request: MigrationRequest) -> dict[str, str]:
    return with_start(counter.calendar.in_words(request.not_before)) if request.not_before else {}


def _already(job: Job, request: MigrationRequest) -> str:
    blocked = is_blocked(job)
    state = "which cannot start" if blocked else WORDS[job.state]
    more = f"Cancel it first: /coldmigrate cancel {job.id}" if blocked else f"/coldmigrate show {job.id} tells more."
    return (
        f"{request.vm.name} already has job {job.id} (to {request_of(job).site}, {state}). "
        f"Nothing was queued a second time. {more}"
    )


async def one_vm(counter: Counter, query: str, site: str) -> InventoryVm:
    """The VM that `query` means. UserError, with what may be meant, if there is none, or more than one."""
    found = await counter.inventory.find(query)
    if len(found) == 1:
        return found[0]
    if not found:
        raise await _unknown(counter, query, site)
    raise UserError(
        f"'{query}' means {len(found)} VMs: {_listed(found)}. Give the path instead of the name.",
        example=f"/coldmigrate {as_typed(found[0].path)} {site}",
    )


async def _unknown(counter: Counter, query: str, site: str) -> UserError:
    trouble = " ".join(await counter.inventory.trouble())
    if await counter.inventory.age() is None:
        why = trouble or "Is a worker running? Its log says what it does."
        return UserError(f"No inventory was read from vCenter yet, so no VM can be found. {why}")
    near = await counter.inventory.suggest(query)
    hint = f" Near to it: {', '.join(sorted({vm.ref.name for vm in near}))}." if near else ""
    example = f"/coldmigrate {as_typed(near[0].ref.name) if near else 'web01'} {site}"
    unread = f" It may be where nothing can be read: {trouble}" if trouble else ""
    return UserError(f"No VM is called '{query}'.{hint}{unread}", example=example)


def _listed(found: Sequence[InventoryVm]) -> str:
    shown = "; ".join(f"{vm.path} on {vm.host} ({vm.ref.vcenter})" for vm in found[:LISTED])
    return shown if len(found) <= LISTED else f"{shown}; and {len(found) - LISTED} more"
