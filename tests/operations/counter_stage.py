"""A counter over a real queue, with as much of a workspace as rights need, and jobs in the state that is asked for."""

from __future__ import annotations

from bot.jobs.port import NewJob
from bot.jobs.queue import RedisQueue
from bot.migration.machine import Phase
from bot.migration.plan import Plan
from bot.migration.request import JobId
from bot.operations.counter import Counter
from bot.operations.lifting import with_strictness
from bot.operations.port import Person
from bot.operations.record import MIGRATE, with_plan, with_request
from bot.operations.rights import Grant, Rights, Verb
from bot.slack.outbox import RedisOutbox
from tests.migration.conftest import SITE

ALICE = Person(user_id="U1", channel="C1")


class Everywhere:
    """A workspace of one channel without user groups."""

    async def require_member(self, channel):
        """It is."""

    async def require_person(self, channel, user_id):
        """They are."""

    async def members(self, group):
        return frozenset()


def counter_for(store, *may: Verb, sites: tuple[str, ...] = ("*",), **more) -> Counter:
    """For ALICE, who may do this much at these sites; `more` of the counter by name."""
    workspace = Everywhere()
    rights = Rights([Grant((f"user:{ALICE.user_id}",), frozenset(may), sites)] if may else [], workspace)
    spec = {SITE.spec.name: SITE.spec}
    return Counter(RedisQueue(store), RedisOutbox(store), None, rights, workspace, spec, {}, None, **more)


async def planned(counter: Counter, plan: Plan) -> JobId:
    """A job that waits for an approval of this plan."""
    request = plan.request
    data = {**with_request(request), **with_strictness(counter.strict, request.site)}
    new = NewJob(kind=MIGRATE, vm_key=request.vm.key, requester="U2", channel="C1", data=data)
    drafted = await counter.queue.draft(new)
    claim = await counter.queue.claim("w")
    await claim.move(Phase.CHECKING, why="-")
    await claim.move(Phase.PLANNED, why="-", data=with_plan(plan))
    return drafted.id


async def audited(counter: Counter) -> list[tuple[str, str, str]]:
    """Verb, what it was on, and why: all of the audit log."""
    return [(act.verb, act.on, act.why) for act in await counter.queue.acts()]
