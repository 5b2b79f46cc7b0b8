"""Warnings are lifted by an approval or, where a site is strict, by those who may force; the audit log keeps which."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.errors import RefusedError, UserError
from bot.jobs.port import Job, NewJob
from bot.migration.machine import Phase
from bot.migration.plan import Concern, Plan, Severity, fingerprint
from bot.operations.approve import approve
from bot.operations.batch_decide import approve_batch
from bot.operations.batch_record import BATCH, Batch, Part, with_batch, with_parts, with_plans
from bot.operations.cards import job_card
from bot.operations.counter import Counter
from bot.operations.lifting import is_strict
from bot.operations.rights import Verb
from bot.slack.port import ButtonKind
from bot.store.client import connect
from tests.migration.conftest import REQUEST, plan_of
from tests.operations.counter_stage import ALICE, audited, counter_for, planned

STRICT = frozenset({REQUEST.site})


def warned(**request) -> Plan:
    """A plan of which two things can be said, whatever else is known."""
    concerns = (
        Concern("drives", Severity.WARN, "An ISO is in a drive."),
        Concern("clock", Severity.WARN, "A clock is not readable.", unreadable=True),
        Concern("folder", Severity.NOTE, "It goes into another folder."),
    )
    plan = replace(plan_of(request=replace(REQUEST, **request)), concerns=concerns)
    return replace(plan, fingerprint=fingerprint(plan))


@pytest.mark.parametrize(
    ("plan", "strict", "said"),
    [
        (warned(), False, "approved, with its warnings seen: drives, clock"),
        (warned(), True, "approved with force; warnings lifted: drives, clock"),
        (warned(force=True), True, "approved; --force had lifted its warnings: drives, clock"),
        (replace(warned(), concerns=()), True, "approved"),
    ],
)
async def test_the_audit_log_says_which_warnings_there_were(valkey_url, plan, strict, said):
    async with connect(valkey_url) as store:
        counter = counter_for(store, Verb.APPROVE, Verb.FORCE, strict=STRICT if strict else frozenset())
        job = await planned(counter, plan)
        await approve(counter, ALICE, job, plan.fingerprint)
        assert ("approve", job, said) in await audited(counter)
        assert (await counter.job(job)).steps[-1].why == said


async def test_at_a_strict_site_an_approval_alone_lifts_no_warning_and_says_who_may(valkey_url):
    async with connect(valkey_url) as store:
        counter = counter_for(store, Verb.APPROVE, strict=STRICT)
        job = await planned(counter, warned())
        with pytest.raises(RefusedError, match="2 warnings, and site2 asks for the right 'force'") as refused:
            await approve(counter, ALICE, job, warned().fingerprint)
        assert "'approve' and 'force'" in refused.value.lifted_by
        assert (await counter.job(job)).state == "planned"


async def test_force_alone_approves_nothing(valkey_url):
    async with connect(valkey_url) as store:
        counter = counter_for(store, Verb.FORCE, strict=STRICT)
        job = await planned(counter, warned())
        with pytest.raises(RefusedError, match="may not approve"):
            await approve(counter, ALICE, job, warned().fingerprint)


async def test_what_was_shown_is_what_is_checked(valkey_url):
    async with connect(valkey_url) as store:
        counter = counter_for(store, Verb.APPROVE, strict=STRICT)
        job = await planned(counter, replace(warned(), concerns=()))
        with pytest.raises(UserError, match="changed since"):
            await approve(counter, ALICE, job, "0123456789abcdef")


async def batch_of(counter: Counter, plan: Plan) -> Job:
    """A batch of one VM that waits for an approval."""
    asked = Batch("all to site2", (plan.request,))
    await counter.queue.draft(
        NewJob(kind=BATCH, vm_key="", requester="U2", channel="C1", data=with_batch(asked), lane=BATCH)
    )
    claim = await counter.queue.claim("w")
    part = await planned(counter, plan)
    await claim.move(Phase.CHECKING, why="-", data=with_parts([Part(part, own=True)]))
    await claim.move(Phase.PLANNED, why="-", data=with_plans({part: plan.fingerprint}))
    return await counter.queue.get(claim.job.id)


@pytest.mark.parametrize("strict", [STRICT, frozenset()])
async def test_a_batch_with_warnings_takes_the_right_too_where_a_site_is_strict(valkey_url, strict):
    async with connect(valkey_url) as store:
        counter = counter_for(store, Verb.APPROVE, strict=strict)
        job = await batch_of(counter, warned())
        approval = approve_batch(counter, ALICE, job, job.data["fingerprint"], stop=False)
        if not strict:
            assert "is queued" in (await approval).text
            return
        with pytest.raises(RefusedError, match="2 warnings, and site2 asks for the right 'force'"):
            await approval
        forcing = counter_for(store, Verb.APPROVE, Verb.FORCE, strict=strict)
        await approve_batch(forcing, ALICE, job, job.data["fingerprint"], stop=False)
        assert is_strict(await counter.queue.get(job.id))


async def test_a_batch_without_warnings_takes_no_more_than_before(valkey_url):
    async with connect(valkey_url) as store:
        counter = counter_for(store, Verb.APPROVE, strict=STRICT)
        job = await batch_of(counter, replace(warned(), concerns=()))
        assert "is queued" in (await approve_batch(counter, ALICE, job, job.data["fingerprint"], stop=False)).text


@pytest.mark.parametrize(
    ("plan", "strict", "kind"),
    [
        (warned(), True, ButtonKind.FORCE),
        (warned(), False, ButtonKind.APPROVE),
        (warned(force=True), True, ButtonKind.APPROVE),
    ],
)
async def test_the_card_of_a_strict_site_asks_for_force(valkey_url, plan, strict, kind):
    async with connect(valkey_url) as store:
        counter = counter_for(store, Verb.APPROVE, strict=STRICT if strict else frozenset())
        card = job_card(await counter.job(await planned(counter, plan)))
    assert [button.kind for button in card.buttons] == [kind, ButtonKind.CANCEL]
    assert ("may force" in card.note) is (kind is ButtonKind.FORCE)
