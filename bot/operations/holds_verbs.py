"""What people do with holds: hold and release a link by hand, and the three buttons of a hold's card.

A hold concerns the sites that what waits behind it goes to, and the target of the copy that made it; without any of
these, both ends of the link. Whoever may approve at all of them may hold, release and narrow: it is the same decision
as an approval, whether something starts now. Cancelling takes the right to cancel each job.

A click has two seconds: cards of holds and of what waits are drawn by workers, which hear of it (`holds_show`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from bot.errors import BugError, RefusedError, UserError
from bot.jobs.port import Hold, Job
from bot.migration.capacity import EVERYTHING, in_words
from bot.migration.plan import link_name
from bot.migration.request import JobId, SiteName
from bot.operations.cancel import cancel
from bot.operations.counter import Counter, require_place, site_of
from bot.operations.holds import Scene, held_words, moment, queue_behind, vm_name
from bot.operations.holds_show import show_hold
from bot.operations.port import Answer, Person
from bot.operations.rights import Verb

BY_HAND: Final = "held by hand"
MOST_WHY: Final = 200
_BLANKS: Final = re.compile(r"\s+")


async def hold_link(counter: Counter, who: Person, channel: str, ends: tuple[str, str], *, why: str) -> Answer:
    """Hold the link between two sites; its card goes to `channel`. A link that is held already stays as it is."""
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
        f"Held: {in_words(link)}. {len(waiting)} wait behind it; what runs goes on to its end. "
        f"/coldmigrate release {ends[0]} {ends[1]} ends it."
    )


async def release_link(counter: Counter, who: Person, ends: tuple[str, str]) -> Answer:
    """Release the link between two sites, and every pair of hosts across it. UserError when nothing of it is held."""
    link = _link(counter, ends)
    found = [hold for hold in await counter.queue.holds() if await _is_of(counter, hold, link)]
    if not found:
        for site in ends:
            await counter.rights.require(who, Verb.SEE, SiteName(site))
        raise UserError(f"{_capital(in_words(link))} is not held.", example="/coldmigrate list")
    answers = [await release(counter, who, hold.id) for hold in found]
    return answers[0] if len(answers) == 1 else Answer(" ".join(answer.text for answer in answers))


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
    done: list[Job] = []
    left: list[str] = []
    refused: list[RefusedError] = []
    for job in scene.waiting:
        try:
            await cancel(counter, who, job.id)
        except (RefusedError, UserError, BugError) as error:
            left.append(f"{job.id}  {vm_name(job)}: {error}")
            refused += [error] if isinstance(error, RefusedError) else []
        else:
            done.append(job)
    if len(refused) == len(scene.waiting):
        raise refused[0]
    said = f"Cancelled: {', '.join(vm_name(job) for job in done) or 'nothing'}."
    return Answer(f"{said} Not cancelled:" if left else said, left)


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
    at = f" by {now.released_by} at {moment(now.released)}" if now.released is not None else ""
    raise UserError(f"{_capital(in_words(hold.resource))} was released{at} already.")


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
