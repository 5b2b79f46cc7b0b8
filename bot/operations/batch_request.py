"""Request a batch: understand every name in a list, and write the draft of all of them, or say what is wrong with it.

Nothing is half-drafted: a list with one line that cannot be is answered with all such lines, and nothing else happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.errors import BugError, UserError
from bot.jobs.port import Job, NewJob
from bot.migration.machine import WORDS, Phase
from bot.migration.request import MigrationRequest
from bot.operations.batch_file import Entry, read_list
from bot.operations.batch_glance import batch_of_part
from bot.operations.batch_record import BATCH, MOST, Batch, batch_of, with_batch
from bot.operations.batch_show import show_batch
from bot.operations.counter import Counter, require_place
from bot.operations.options import require_options
from bot.operations.port import Answer, BatchOrder, Person
from bot.operations.record import with_start
from bot.operations.request_migration import as_request, one_vm
from bot.operations.rights import Verb
from bot.operations.start_time import site_of_vm

WRONG_SHOWN: Final = 30
LIVE_LOOKED_AT: Final = 1000

_UNDRAFTED: Final = frozenset({Phase.DRAFTED, Phase.CHECKING})
"""A batch whose VMs may have no job yet."""


async def may_migrate(counter: Counter, who: Person, channel: str) -> None:
    """Pass if they may migrate to some site, and see a card in `channel`; ask before fetching for them."""
    await counter.rights.require(who, Verb.MIGRATE, None)
    await require_place(counter.channels, who, channel)


async def request_batch(counter: Counter, who: Person, channel: str, order: BatchOrder, *, dedupe: str) -> Answer:
    """Draft what a list names. UserError for a list that is not there or cannot be read; RefusedError for rights.

    An answer with what is wrong, line by line, for a list of which any VM cannot be asked for.
    """
    await may_migrate(counter, who, channel)
    entries, wrong = _entries(counter, order)
    if len(entries) + len(wrong) > MOST:
        raise UserError(f"These are {len(entries) + len(wrong)} VMs; one batch takes {MOST}. Split the list.")
    requests, unclear = await _understood(counter, who, order, entries, dedupe=dedupe)
    wrong = [*wrong, *unclear]
    if wrong:
        return _nothing_drafted(wrong, many=len(entries))
    batch = Batch(_title(order, requests), tuple(requests))
    return await draft_batch(counter, who, channel, batch, dedupe=dedupe)


async def draft_batch(counter: Counter, who: Person, channel: str, batch: Batch, *, dedupe: str) -> Answer:
    """Write the draft and show its card; a worker makes a job of each VM."""
    drafted = await counter.queue.draft(
        NewJob(
            kind=BATCH,
            vm_key="",
            requester=who.user_id,
            channel=channel,
            data={**with_batch(batch), **_start(counter, batch), "delivery": dedupe},
            dedupe=dedupe,
            lane=BATCH,
        )
    )
    await show_batch(counter.queue, counter.outbox, drafted.id)
    start = _start_in_words(counter, batch)
    later = f" None of them starts before {start}." if start else ""
    said = f"Checking {len(batch.requests)} VMs: batch {drafted.id}. The card in the channel tells the rest."
    return Answer(f"{said}{later}")


def _start(counter: Counter, batch: Batch) -> dict[str, str]:
    start = _start_in_words(counter, batch)
    return with_start(start) if start else {}


def _start_in_words(counter: Counter, batch: Batch) -> str:
    """When the first of them may start, if none may at once; empty otherwise."""
    starts = [request.not_before for request in batch.requests]
    known = [start for start in starts if start is not None]
    return counter.calendar.in_words(min(known)) if known and len(known) == len(starts) else ""


def _entries(counter: Counter, order: BatchOrder) -> tuple[Sequence[Entry], list[str]]:
    """What the list says, from the config or from the file."""
    if not order.list:
        found = read_list(order.file, name=order.file_name)
        return found.entries, list(found.wrong)
    if (names := counter.lists.get(order.list.casefold())) is None:
        known = ", ".join(f"@{name}" for name in sorted(counter.lists)) or "none"
        raise UserError(f"There is no list '@{order.list}' in coldmigrate.toml. Lists: {known}.")
    return [Entry(number, name) for number, name in enumerate(names, 1)], []


async def _understood(
    counter: Counter, who: Person, order: BatchOrder, entries: Sequence[Entry], *, dedupe: str
) -> tuple[list[MigrationRequest], list[str]]:
    """A request for each entry, or a sentence on why there is none."""
    live = {} if order.all.dry_run else await live_vms(counter, but_for=dedupe)
    requests: list[MigrationRequest] = []
    wrong: list[str] = []
    taken: dict[str, int] = {}
    for entry in entries:
        try:
            request = await _request(counter, who, order, entry)
        except UserError as error:
            wrong.append(f"{_place(order, entry)}: {error}")
            continue
        key = request.vm.key
        if key in taken:
            wrong.append(f"{_place(order, entry)}: {entry.vm} is there twice, first as {_nth(order, taken[key])}.")
        elif key in live:
            wrong.append(f"{_place(order, entry)}: {entry.vm} has {live[key]} already. Take it off the list.")
        taken.setdefault(key, entry.line)
        requests.append(request)
    return requests, wrong


async def _request(counter: Counter, who: Person, order: BatchOrder, entry: Entry) -> MigrationRequest:
    """RefusedError for a site that is not theirs: then all of it is refused."""
    if not (named := entry.site or order.all.site):
        raise UserError(f"To which site should {entry.vm} go?")
    site = counter.site(named)
    await counter.rights.require(who, Verb.MIGRATE, site.name)
    vm = await one_vm(counter, entry.vm, site.name)
    said = order.all
    own = replace(
        said,
        vm=entry.vm,
        site=named,
        host=entry.host or said.host,
        datastore=entry.datastore or said.datastore,
        networks={**said.networks, **entry.networks},
        disk_datastores={**said.disk_datastores, **entry.disks},
    ).with_options(entry.options)
    request = await as_request(counter, own, vm, site)
    await require_options(counter, who, request, source=site_of_vm(counter, vm))
    return request


async def live_vms(counter: Counter, *, but_for: str) -> dict[str, str]:
    """Which VMs have a live job, or are about to get one of a batch, and how it is called.

    A delivery that comes again is no reason against itself: what was drafted for `but_for` does not count.
    """
    found: dict[str, str] = {}
    jobs = await counter.queue.recent(limit=LIVE_LOOKED_AT, live_only=True)
    own = {job.id for job in jobs if job.kind == BATCH and job.data.get("delivery") == but_for}
    for job in jobs:
        if own and (job.id in own or batch_of_part(job) in own):
            continue
        if job.kind == BATCH and job.state in _UNDRAFTED:
            said = f"a place in batch {job.id}"
            found |= {key: said for key in _promised(job) if key not in found}
        elif job.vm_key:
            found[job.vm_key] = f"job {job.id} ({WORDS[job.state]})"
    return found


def _promised(batch: Job) -> list[str]:
    """The VMs that a batch takes as soon as its jobs are drafted; of a record of another version, none is known."""
    try:
        return [request.vm.key for request in batch_of(batch).requests if not request.dry_run]
    except BugError:
        return []


def _title(order: BatchOrder, requests: Sequence[MigrationRequest]) -> str:
    name = f"@{order.list}" if order.list else order.file_name
    return f"{name} to {', '.join(sorted({request.site for request in requests}))}"


def _place(order: BatchOrder, entry: Entry) -> str:
    return _nth(order, entry.line)


def _nth(order: BatchOrder, line: int) -> str:
    """Where something stands: people count the lines of a file, and the names of a list."""
    return f"name {line}" if order.list else f"line {line}"


def _nothing_drafted(wrong: Sequence[str], *, many: int) -> Answer:
    shown = list(wrong[:WRONG_SHOWN])
    if len(wrong) > WRONG_SHOWN:
        shown.append(f"and {len(wrong) - WRONG_SHOWN} more")
    count = "One line" if len(wrong) == 1 else f"{len(wrong)} lines"
    return Answer(f"Nothing was drafted, of {many} VMs none. {count} of the list cannot be carried out:", shown)
