"""What people do with holds: hold and release a link by hand, and the three buttons of a hold's card.

A hold concerns the sites that what waits behind it goes to, and the target of the copy that made it; without any of
these, both ends of the link. Whoever may approve at all of them may hold, release and narrow: it is the same decision
as an approval, whether something starts now. Cancelling takes the right to cancel each job.

A click has two seconds: cards of holds and of what waits are drawn by workers, which hear of it (`holds_show`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Final

from bot.errors import BugError, ColdmigrateError, RefusedError, UserError
from bot.jobs.port import Hold, Job
from bot.migration.capacity import EVERYTHING, in_words
from bot.migration.plan import link_name
from bot.migration.request import JobId, SiteName
from bot.operations.batch_show import show_batch
from bot.operations.cancel import cancel
from bot.operations.counter import Counter, require_place, site_of
from bot.operations.holds import Scene, held_words, moment, queue_behind, vm_name
from bot.operations.holds_show import show_hold
from bot.operations.port import Answer, Person
from bot.operations.record import request_of
from bot.operations.rights import Verb

BY_HAND: Final = "held by hand"
MOST_WHY: Final = 200
_NAMED: Final = 20
_BLANKS: Final = re.compile(r"\s+")


async def hold_link(counter: Counter, who: Person, channel: str, ends: tuple[str, str], *, why: str) -> Answer:
    """Hold the link between two sites; its card goes to `channel`. A link that is held already stays as it is."""
    await counter.rights.require(who, Verb.APPROVE, None)  # the names of sites are not for everybody
    link = _link(counter, ends)
    for site in ends:
        await counter.rights.require(who, Verb.APPROVE, SiteName(site))
    await require_place(counter.channels, who, channel)
    before = await _hold_of(counter, link)
    reason = _BLANKS.sub(" ", why).strip()[:MOST_WHY] or BY_HAND
    hold = before or await counter.queue.hold(link, by=who.user_id, why=reason, channel=channel)
    if before is not None:
        return Answer(f"Nothing changed. {held_words(hold)}")
    waiting = await counter.queue.waiting(link)
    return Answer(
        f"Held: {in_words(link)}. Waiting behind it: {len(waiting)}. What runs goes on to its end. "
        f"/coldmigrate release {ends[0]} {ends[1]} ends it."
    )


async def release_link(counter: Counter, who: Person, ends: tuple[str, str]) -> Answer:
    """Release the link between two sites, and every pair of hosts across it; of several, whatever they may.

    UserError when nothing of it is held; RefusedError or UserError when nothing was released.
    """
    await counter.rights.require(who, Verb.APPROVE, None)
    link = _link(counter, ends)
    found = [hold for hold in await counter.queue.holds() if await _is_of(counter, hold, link)]
    if not found:
        for site in ends:
            await counter.rights.require(who, Verb.SEE, SiteName(site))
        raise UserError(f"{_capital(in_words(link))} is not held.", example="/coldmigrate list")
    released: list[str] = []
    left: dict[str, RefusedError | UserError] = {}
    for hold in found:
        try:
            released.append((await release(counter, who, hold.id)).text)
        except (RefusedError, UserError) as error:
            left[in_words(hold.resource)] = error
    if not released:
        raise next(iter(left.values()))
    return Answer(" ".join(released), [f"Not released: {what}. {error}" for what, error in left.items()])


async def release(counter: Counter, who: Person, hold_id: JobId) -> Answer:
    """End a hold. What waited goes on by itself, in its order."""
    scene = await _scene(counter, hold_id)
    await _require(counter, who, scene)
    hold = scene.hold
    if await counter.queue.release(hold_id, by=who.user_id, why="released") is None:
        await _is_over(counter, hold)
    await show_hold(counter.queue, counter.outbox, hold_id)
    count = len(scene.waiting)
    goes_on = {0: "Nothing waited behind it.", 1: "One migration goes on."}.get(count, f"{count} migrations go on.")
    return Answer(f"Released: {in_words(hold.resource)}. {goes_on}")


async def cancel_waiting(counter: Counter, who: Person, hold_id: JobId) -> Answer:
    """Cancel every job behind the hold that this person may cancel, and say which not. What runs goes on."""
    scene = await _scene(counter, hold_id)
    if scene.hold.released is not None:
        await _is_over(counter, scene.hold)
    await counter.rights.require(who, Verb.CANCEL, None)
    if not scene.waiting:
        return Answer(f"Nothing waits behind {in_words(scene.hold.resource)}.")
    said = await _cancel_all(counter, who, scene.waiting)
    refused = [error for error in said if isinstance(error, RefusedError)]
    if len(refused) == len(scene.waiting):
        raise refused[0]
    done = [job for job, error in zip(scene.waiting, said, strict=True) if error is None]
    left = [f"{job.id}  {vm_name(job)}: {error}" for job, error in zip(scene.waiting, said, strict=True) if error]
    for batch in {request_of(job).batch for job in done} - {""}:
        await show_batch(counter.queue, counter.outbox, JobId(batch))
    answer = f"Cancelled: {_named(done)}."
    return Answer(f"{answer} Not cancelled:" if left else answer, left)


async def _cancel_all(counter: Counter, who: Person, waiting: Sequence[Job]) -> Sequence[ColdmigrateError | None]:
    """What kept each of them from being cancelled.

    All at once, so that each step of all of them shares a round trip: a click has two seconds, however many wait.
    """

    async def one(job: Job) -> ColdmigrateError | None:
        try:
            await cancel(counter, who, job.id, with_batch=False)
        except (RefusedError, UserError, BugError) as error:
            return error
        return None

    return await asyncio.gather(*(one(job) for job in waiting))


def _named(jobs: Sequence[Job]) -> str:
    names = ", ".join(vm_name(job) for job in jobs[:_NAMED]) or "nothing"
    return names if len(jobs) <= _NAMED else f"{names} and {len(jobs) - _NAMED} more"


async def scene_to_change(counter: Counter, who: Person, hold_id: JobId) -> Scene:
    """The scene of a hold that this person may decide about. UserError when it is over, RefusedError for rights."""
    scene = await _scene(counter, hold_id)
    await _require(counter, who, scene)
    if scene.hold.released is not None:
        await _is_over(counter, scene.hold)
    return scene


async def _scene(counter: Counter, hold_id: JobId) -> Scene:
    if (hold := await counter.queue.find_hold(hold_id)) is None:
        raise UserError(f"There is no hold '{hold_id}' any more.", example="/coldmigrate list")
    return await queue_behind(counter.queue, hold)


async def _require(counter: Counter, who: Person, scene: Scene) -> None:
    for site in _concerned(counter, scene):
        await counter.rights.require(who, Verb.APPROVE, site)


def _concerned(counter: Counter, scene: Scene) -> Sequence[SiteName]:
    jobs = [*scene.waiting, *([scene.failed] if scene.failed else [])]
    targets = {site for job in jobs if (site := _target(job)) is not None}
    ends = {
        end
        for one in counter.sites
        for other in counter.sites
        if link_name(one, other) == scene.hold.resource
        for end in (one, other)
    }
    return sorted(targets or ends or counter.sites)


def _target(job: Job) -> SiteName | None:
    try:
        return site_of(job)
    except BugError:
        return None


async def _is_over(counter: Counter, hold: Hold) -> None:
    """Say that somebody was faster, and mend the card that was clicked."""
    await show_hold(counter.queue, counter.outbox, hold.id)
    now = await counter.queue.find_hold(hold.id) or hold
    at = f" at {moment(now.released)}" if now.released is not None else ""
    raise UserError(f"{_capital(in_words(hold.resource))} was released{at} already. Its card says by whom.")


def _link(counter: Counter, ends: tuple[str, str]) -> str:
    one, other = (counter.site(end).name for end in ends)
    if one == other:
        raise UserError("A link has two different ends.", example="/coldmigrate hold site1 site2")
    return link_name(one, other)


async def _hold_of(counter: Counter, resource: str) -> Hold | None:
    return next((hold for hold in await counter.queue.holds() if hold.resource == resource), None)


async def _is_of(counter: Counter, hold: Hold, link: str) -> bool:
    """The link itself, or hosts of a copy that failed across it."""
    if hold.resource in (link, EVERYTHING) or not hold.job:
        return hold.resource == link
    failed = await counter.queue.get(JobId(hold.job))
    return failed is not None and failed.lane == link


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
