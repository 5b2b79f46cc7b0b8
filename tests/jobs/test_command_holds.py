"""`coldmigrate jobs retry`, `drain`, `link` and `audit`, as a person or a script runs them."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import subprocess

import pytest

from bot.migration.capacity import EVERYTHING
from bot.migration.machine import Phase
from bot.operations.batch_record import BATCH
from bot.operations.record import request_of, with_request
from bot.store import keys
from tests import warm
from tests.jobs.conftest import LINK
from tests.migration.conftest import REQUEST

NASTY = '=HYPERLINK("http://x")\x1b[2J\x7f\u202e\n@evil'


@pytest.fixture
def environment(valkey_url):
    return {"REDIS_URL": valkey_url, "COLUMNS": "200", "USER": "me"}


@pytest.fixture
def run(environment, tmp_path):
    def call(*args, code=0):
        done = subprocess.run(
            [*warm.bot(), *args],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert done.returncode == code, done.stderr
        assert not any(c in done.stdout + done.stderr for c in "\x1b\x7f\u202e\r\a")
        return done.stderr if code else done.stdout

    return call


async def test_a_link_is_held_listed_and_released(run, queue, planned):
    assert run("link", "list") == "Nothing is held.\n"
    said = run("link", "hold", "site2", "site1", "--why", f"the provider {NASTY}")
    (hold,) = await queue.holds()
    assert hold.id in said
    assert (hold.resource, hold.by, hold.channel) == (LINK, "me (command line)", "")
    assert "is held already since" in run("link", "hold", "site1", "site2")
    job = await planned()
    await queue.approve(job.id, fingerprint="f1", by="U2")
    assert await queue.claim("w1") is None

    text = run("link", "list")
    assert hold.id in text
    assert "the link site1~site2" in text
    (record,) = json.loads(run("link", "list", "--format", "json"))
    assert (record["resource"], record["waiting"], record["by"]) == (LINK, 1, "me (command line)")
    assert run("link", "release", "site1", "site2") == "Released: the link site1~site2. 1 waited behind it.\n"
    assert (await queue.claim("w1")).job.id == job.id
    assert "is not held" in run("link", "release", "site1", "site2", code=2)


async def test_one_hold_is_released_by_its_id(run, queue):
    hold = await queue.hold("pair:esx-1~esx-2", by="coldmigrate", why="loss")
    await queue.hold(LINK, by="coldmigrate", why="loss")
    assert "Released: the hosts esx-1 and esx-2." in run("link", "release", hold.id)
    assert [left.resource for left in await queue.holds()] == [LINK]
    assert (await queue.find_hold(hold.id)).released_by == "me (command line)"


async def test_a_link_is_released_with_the_hosts_across_it(run, queue, planned):
    failed = await planned()
    await queue.approve(failed.id, fingerprint="f1", by="U2")
    await queue.hold("pair:esx-1~esx-2", by="coldmigrate", why="loss", job=failed.id)
    await queue.hold("pair:esx-8~esx-9", by="coldmigrate", why="loss")
    assert run("link", "release", "site1", "site2") == "Released: the hosts esx-1 and esx-2. 0 waited behind it.\n"
    assert [left.resource for left in await queue.holds()] == ["pair:esx-8~esx-9"]


async def test_times_are_in_utc_and_say_so(run, queue):
    hold = await queue.hold(LINK, by="coldmigrate", why="loss")
    assert f"{hold.at:%Y-%m-%d %H:%M}Z" in run("link", "list")


async def test_a_batch_is_tried_again_where_its_card_is(run, queue, new):
    batch = await queue.draft(new("", kind="batch"))
    assert f"/coldmigrate retry {batch.id}" in run("jobs", "retry", batch.id, code=2)


def test_wrong_use_is_told(run):
    assert "two different ends" in run("link", "hold", "site1", "site1", code=2)
    assert "Name two sites" in run("link", "release", "a", "b", "c", code=2)
    assert "--live or --dead" in run("jobs", "list", "--live", "--dead", code=2)
    assert "There is no job 'nonesuch'" in run("jobs", "retry", "nonesuch", code=2)


async def test_retry_drafts_what_failed_anew_for_the_same_channel(run, queue, new):
    old = await queue.draft(new("web01", vm_key=REQUEST.vm.key, channel="C7", data=with_request(REQUEST)))
    assert "there is nothing to retry" in run("jobs", "retry", old.id, code=2)
    await queue.cancel(old.id, by="U1")
    said = run("jobs", "retry", old.id)
    (job,) = await queue.recent(limit=1)
    assert said.startswith(f"{job.id} is the new job")
    assert (job.channel, job.requester, job.vm_key) == ("C7", "me (command line)", REQUEST.vm.key)
    assert request_of(job) == REQUEST
    assert f"the live job {job.id} already" in run("jobs", "retry", old.id)
    assert "web01 to site2" in run("jobs", "list")


async def test_what_nobody_knows_the_end_of_is_not_retried(run, queue, claimed):
    claim = await claimed(Phase.ATTACHED)
    await claim.give_up(why="unforeseen")
    assert "is not repeated" in run("jobs", "retry", claim.job.id, code=1)


async def test_the_dead_are_listed_alone(run, queue, claimed, planned):
    assert run("jobs", "list", "--dead") == "There are no such jobs.\n"
    claim = await claimed(Phase.ATTACHED)
    await claim.give_up(why="its worker died again and again")
    living = await planned("web02")
    text = run("jobs", "list", "--dead")
    assert claim.job.id in text
    assert living.id not in text


async def test_a_drain_starts_nothing_and_waits_for_what_runs(queue, claimed, environment, tmp_path, run):
    claim = await claimed(Phase.ATTACHED)
    draining = await asyncio.create_subprocess_exec(
        *(*warm.bot(), "jobs", "drain", "--timeout", "60"),
        env=environment,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
    )
    assert b"Nothing more is started since" in await draining.stdout.readline()
    line = await draining.stdout.readline()
    assert line.startswith(b"1 still running: ")
    assert claim.job.id.encode() in line
    assert [hold.resource for hold in await queue.holds()] == [EVERYTHING]
    await claim.move(Phase.VERIFYING, why="the task ended")
    assert b"verifying" in await draining.stdout.readline()
    await claim.move(Phase.DONE, why="it is there")
    assert b"Drained." in await draining.stdout.readline()
    assert await draining.wait() == 0
    assert run("jobs", "drain", "--undo") == "Everything goes on.\n"
    assert await queue.holds() == []
    assert "Nothing was drained" in run("jobs", "drain", "--undo")


async def test_what_a_drain_without_time_says_is_true(run, claimed):
    assert "Drained." in run("jobs", "drain", "--timeout", "0")
    run("jobs", "drain", "--undo")
    await claimed(Phase.ATTACHED)
    assert "copies still run" in run("jobs", "drain", "--timeout", "0", code=3)


async def test_a_drain_counts_what_runs_however_much_is_live(run, claimed, store):
    await claimed(Phase.ATTACHED)
    await store.zadd(keys.LIVE, {f"newer{number:04}": 10**15 + number for number in range(1200)})
    assert "copies still run" in run("jobs", "drain", "--timeout", "0", code=3)


async def test_a_drain_does_not_wait_for_a_batch_whose_migrations_wait_for_the_drain(run, claimed):
    await claimed(Phase.ATTACHED, kind=BATCH)
    assert "Drained." in run("jobs", "drain", "--timeout", "0")


async def test_a_drain_gives_up_waiting_and_not_what_it_holds(queue, claimed, environment, tmp_path, run):
    await claimed(Phase.ATTACHED)
    assert "copies still run" in run("jobs", "drain", "--timeout", "0.2", code=3)
    draining = await asyncio.create_subprocess_exec(
        *(*warm.bot(), "jobs", "drain"),
        env=environment,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await draining.stdout.readline()
    await draining.stdout.readline()  # it waits now
    draining.send_signal(signal.SIGINT)
    _, said = await draining.communicate()
    assert draining.returncode == 130
    assert b"Stopped waiting" in said
    assert b"Traceback" not in said
    assert [hold.resource for hold in await queue.holds()] == [EVERYTHING]


async def test_the_audit_log_is_exported_as_json_and_as_csv(run, queue, planned):
    job = await planned()
    await queue.approve(job.id, fingerprint="f1", by="U2")
    await queue.cancel(job.id, by="U3")
    await queue.note_act(by="U4", verb="refused", on=NASTY, why=f" {NASTY}")
    entries = [json.loads(line) for line in run("audit", "export").splitlines()]
    assert [(e["verb"], e["by"], e["on"]) for e in entries] == [
        ("draft", "U1", job.id),
        ("approve", "U2", job.id),
        ("cancelled", "U3", job.id),
        ("refused", "U4", NASTY),
    ]
    rows = list(csv.DictReader(run("audit", "export", "--format", "csv").splitlines()))
    assert [row["verb"] for row in rows] == ["draft", "approve", "cancelled", "refused", "export"]
    for cell in (rows[3]["on"], rows[3]["why"]):
        assert cell.startswith("'")
        assert cell.isprintable()
    assert rows[4]["why"] == "4 entries"
    assert len(run("audit", "export", "--since", "1h").splitlines()) == 6
    assert run("audit", "export", "--since", "2100-01-01") == ""


async def test_a_long_log_comes_page_by_page(run, store):
    pipeline = store.pipeline(transaction=False)
    for number in range(2100):
        pipeline.xadd(keys.AUDIT, {"by": "U1", "verb": "refused", "on": str(number), "why": "no right"})
    await pipeline.execute()
    numbers = {json.loads(line)["on"] for line in run("audit", "export").splitlines()}
    assert len(numbers) == 2100
