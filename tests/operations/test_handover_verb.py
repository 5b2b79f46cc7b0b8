"""Who is told of a night, and of what: a real queue. And the same on the command line."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from bot.errors import RefusedError, UserError
from bot.migration.machine import Phase
from bot.operations.handover import handover
from bot.operations.record import with_plan
from bot.operations.rights import Verb
from bot.store.client import connect
from tests import warm
from tests.migration.conftest import SITE, plan_of
from tests.operations.counter_stage import ALICE, counter_for, planned
from tests.operations.test_evidence import job as evidence_job


@pytest.fixture
async def store(valkey_url):
    async with connect(valkey_url) as store:
        yield store


async def failed(counter) -> str:
    """A migration of web01 that died, as the ledger has it."""
    data = dict(evidence_job().data)
    job = await planned(counter, plan_of())
    await counter.queue.approve(job, fingerprint=plan_of().fingerprint, by="U1")
    claim = await counter.queue.claim("w")
    for phase in (Phase.INTENT, Phase.ATTACHED, Phase.VERIFYING):
        await claim.move(phase, why="-")
    kept = {**data, **with_plan(plan_of()), "cause": "Probable cause: packet loss.", "outcome": "It failed."}
    await claim.move(Phase.FAILED, why="It failed.", data=kept)
    return job


async def test_a_night_is_told_to_those_who_see_its_sites(store):
    counter = counter_for(store, Verb.SEE)
    job = await failed(counter)
    await counter.queue.hold(plan_of().link, by="U1", why="the provider works on it")
    told = (await handover(counter, ALICE)).text
    assert f"web01 (job {job}) failed at" in told
    assert "Probable cause: packet loss." in told
    assert "Held since" in told
    assert "the provider works on it" in told


async def test_others_are_told_of_nothing(store):
    counter = counter_for(store, Verb.SEE, sites=("site7",))
    await failed(counter)
    await counter.queue.hold(plan_of().link, by="U1", why="secret work")
    told = (await handover(counter, ALICE)).text
    assert "web01" not in told
    assert "secret" not in told


async def test_without_a_right_or_for_a_site_that_is_not_theirs_it_is_refused(store):
    with pytest.raises(RefusedError):
        await handover(counter_for(store), ALICE)
    with pytest.raises(UserError, match="no site 'site9'"):
        await handover(counter_for(store, Verb.SEE), ALICE, ("site9", "site2"))
    spec = replace(SITE.spec, name="site1")
    counter = counter_for(store, Verb.SEE, sites=("site1",))
    counter = replace(counter, sites={**counter.sites, "site1": spec})
    with pytest.raises(RefusedError):
        await handover(counter, ALICE, ("site1", "site2"))


async def test_of_one_link_only_that_is_told(store):
    counter = counter_for(store, Verb.SEE)
    counter = replace(counter, sites={**counter.sites, "site8": replace(SITE.spec, name="site8")})
    await failed(counter)
    assert "web01" not in (await handover(counter, ALICE, ("site8", "site2"))).text


async def test_the_command_line_says_the_same_and_writes_the_pack(store, valkey_url, tmp_path):
    counter = counter_for(store, Verb.SEE)
    job = await failed(counter)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*warm.bot(), "jobs", *arguments]
        environment = {"REDIS_URL": valkey_url, "PATH": "/usr/bin"}
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)

    told = run("handover")
    assert told.returncode == 0, told.stderr
    assert f"web01 (job {job}) failed at" in told.stdout
    made = run("evidence", job, "--output", "pack.zip")
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "pack.zip").read_bytes().startswith(b"PK")
    assert run("evidence", job, "--output", "pack.pdf").returncode == 2
    assert "There is no job" in run("evidence", "nothere", "--output", "pack.zip").stderr
    assert run("handover", "site1").returncode == 2
