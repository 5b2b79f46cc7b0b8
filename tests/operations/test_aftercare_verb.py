"""What people may have done about a migration that was tried: by right and site, by the config, and only once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import RefusedError, UserError
from bot.migration.machine import Phase
from bot.operations.aftercare_record import AFTERCARE, Act, Aftercare
from bot.operations.aftercare_verb import aftercare
from bot.operations.answer_shutdown import answer_shutdown
from bot.operations.record import with_shutdown
from bot.operations.rights import Verb
from bot.operations.shutdown_answer import ShutdownAnswer
from bot.operations.tools import Allow
from bot.store.client import connect
from tests.migration.conftest import plan_of
from tests.operations.counter_stage import ALICE, audited, counter_for, planned

LIST = "0123456789abcdef"
ALLOWED = Allow(power_off=True, power_on=True, delete_leftovers=True)
CASES = [
    (Act.POWER_ON_SOURCE, Verb.POWER, "site1"),
    (Act.DELETE_LEFTOVERS, Verb.CLEAN, "site2"),
    (Act.EVIDENCE, Verb.DIAGNOSE, "site2"),
    (Act.MEASURE, Verb.DIAGNOSE, "site2"),
]


async def tried(counter, *, state: Phase = Phase.FAILED):
    """A job that came to its end."""
    job = await planned(counter, plan_of())
    await counter.queue.approve(job, fingerprint=plan_of().fingerprint, by="U3")
    if state is not Phase.QUEUED:
        claim = await counter.queue.claim("w")
        await claim.move(Phase.INTENT, why="-")
        await claim.move(Phase.ATTACHED, why="-")
        await claim.move(Phase.VERIFYING, why="-")
        await claim.move(state, why="-")
    return job


async def asking(counter):
    """A job that asks what to do with a guest that does not shut down."""
    job = await tried(counter, state=Phase.QUEUED)
    claim = await counter.queue.claim("w")
    await claim.note(with_shutdown(asked=True))
    await claim.later(timedelta(minutes=1), why="-")
    return job


@pytest.mark.parametrize(("act", "right", "site"), CASES)
async def test_each_takes_its_right_where_it_is_done_and_is_kept_once(valkey_url, act, right, site):
    async with connect(valkey_url) as store:
        counter = counter_for(store, right, sites=(site,), allow=ALLOWED)
        job = await tried(counter)
        for _ in range(2):
            await aftercare(counter, ALICE, job, act, dedupe="click")
        kept = [one for one in await counter.queue.recent() if one.kind == AFTERCARE]
        assert [Aftercare.from_data(one.data) for one in kept] == [Aftercare(act, job)]
        assert (act, job, "asked for") in await audited(counter)
        other = "site2" if site == "site1" else "site1"
        for less in ({"sites": (other,)}, {"sites": ()}):
            stranger = counter_for(store, right, allow=ALLOWED, **less)
            with pytest.raises(RefusedError, match=f"gives you '{right}'"):
                await aftercare(stranger, ALICE, job, act, dedupe="other")


@pytest.mark.parametrize(
    ("act", "key"), [(Act.POWER_ON_SOURCE, "power_on"), (Act.DELETE_LEFTOVERS, "delete_leftovers")]
)
async def test_what_changes_anything_takes_the_configs_leave(valkey_url, act, key):
    async with connect(valkey_url) as store:
        counter = counter_for(store, *Verb, allow=replace(ALLOWED, **{key: False}))
        job = await tried(counter)
        with pytest.raises(RefusedError) as refused:
            await aftercare(counter, ALICE, job, act, fingerprint=LIST, dedupe="click")
        assert f"{key} = true in [allow]" in refused.value.lifted_by
        assert [one for one in await counter.queue.recent() if one.kind == AFTERCARE] == []


async def test_a_confirmed_list_goes_by_its_fingerprint(valkey_url):
    async with connect(valkey_url) as store:
        counter = counter_for(store, Verb.CLEAN, allow=ALLOWED)
        job = await tried(counter)
        await aftercare(counter, ALICE, job, Act.DELETE_LEFTOVERS, fingerprint=LIST, dedupe="second")
        (kept,) = [one for one in await counter.queue.recent() if one.kind == AFTERCARE]
        assert Aftercare.from_data(kept.data).detail == LIST
        assert ("delete-leftovers", job, f"the list {LIST} was confirmed") in await audited(counter)


@pytest.mark.parametrize("act", [Act.POWER_ON_SOURCE, Act.DELETE_LEFTOVERS])
@pytest.mark.parametrize("state", [Phase.DONE, Phase.QUEUED])
async def test_nothing_is_done_about_what_arrived_or_is_still_to_come(valkey_url, act, state):
    async with connect(valkey_url) as store:
        counter = counter_for(store, *Verb, allow=ALLOWED)
        with pytest.raises(UserError, match="nothing to do of that kind"):
            await aftercare(counter, ALICE, await tried(counter, state=state), act, dedupe="click")


async def test_where_it_is_not_known_what_became_of_the_copy_no_file_is_a_leftover(valkey_url):
    async with connect(valkey_url) as store:
        counter = counter_for(store, *Verb, allow=ALLOWED)
        job = await tried(counter, state=Phase.NEEDS_HUMAN)
        with pytest.raises(UserError, match="nothing to do"):
            await aftercare(counter, ALICE, job, Act.DELETE_LEFTOVERS, fingerprint=LIST, dedupe="click")
        await aftercare(counter, ALICE, job, Act.POWER_ON_SOURCE, dedupe="click")


async def test_of_a_copy_that_never_began_nothing_is_left_and_what_is_there_is_somebodys(valkey_url):
    async with connect(valkey_url) as store:
        counter = counter_for(store, *Verb, allow=ALLOWED)
        job = await tried(counter, state=Phase.QUEUED)
        await counter.queue.cancel(job, by="U3")
        with pytest.raises(UserError, match="nothing to do of that kind"):
            await aftercare(counter, ALICE, job, Act.DELETE_LEFTOVERS, dedupe="click")
        await aftercare(counter, ALICE, job, Act.POWER_ON_SOURCE, dedupe="click")


@pytest.mark.parametrize("answer", ShutdownAnswer)
async def test_an_answer_about_a_guest_is_kept_with_the_job_and_audited(valkey_url, answer):
    async with connect(valkey_url) as store:
        counter = counter_for(store, Verb.POWER, sites=("site1",), allow=ALLOWED)
        job = await asking(counter)
        await answer_shutdown(counter, ALICE, job, answer)
        assert (await counter.job(job)).data["answer"] == answer
        assert (answer, job) in [(verb, on) for verb, on, _ in await audited(counter)]


async def test_powering_off_takes_the_configs_leave_and_waiting_on_does_not(valkey_url):
    async with connect(valkey_url) as store:
        counter = counter_for(store, Verb.POWER)
        job = await asking(counter)
        with pytest.raises(RefusedError) as refused:
            await answer_shutdown(counter, ALICE, job, ShutdownAnswer.POWER_OFF)
        assert "power_off = true in [allow]" in refused.value.lifted_by
        await answer_shutdown(counter, ALICE, job, ShutdownAnswer.WAIT_ON)


async def test_an_approved_job_that_asks_nothing_takes_no_answer_for_later(valkey_url):
    async with connect(valkey_url) as store:
        counter = counter_for(store, Verb.POWER, allow=ALLOWED)
        job = await tried(counter, state=Phase.QUEUED)
        with pytest.raises(UserError, match="asks nothing"):
            await answer_shutdown(counter, ALICE, job, ShutdownAnswer.POWER_OFF)
        assert not (await counter.job(job)).data.get("answer")


async def test_a_job_that_asks_nothing_any_more_takes_no_answer(valkey_url):
    async with connect(valkey_url) as store:
        counter = counter_for(store, Verb.POWER, allow=ALLOWED)
        job = await tried(counter)
        with pytest.raises(UserError, match="asks nothing any more: it is failed"):
            await answer_shutdown(counter, ALICE, job, ShutdownAnswer.POWER_OFF)
