"""`coldmigrate jobs`, as a person or a script runs it."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime

import pytest

from bot.migration.machine import Phase
from bot.operations.record import Copied, Intent, with_copied, with_intent, with_trouble
from tests import warm


@pytest.fixture
def jobs(valkey_url, tmp_path):
    def run(*args, url=valkey_url):
        return subprocess.run(
            [*warm.bot(), "jobs", *args],
            env={"REDIS_URL": url, "COLUMNS": "200", "USER": "me"},
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )

    return run


async def test_a_list_for_people_and_for_machines(jobs, queue, new):
    assert jobs("list").stdout == "There are no jobs.\n"
    ended = await queue.draft(new("old"))
    await queue.cancel(ended.id, by="U1")
    live = await queue.draft(new("web01", data={"title": "web01\x1b[2J to [red]site2[/red]"}))
    text = jobs("list").stdout
    assert live.id in text
    assert "web01\N{REPLACEMENT CHARACTER}[2J to [red]site2[/red]" in text
    assert "cancelled" in text
    assert ended.id not in jobs("list", "--live").stdout
    records = json.loads(jobs("list", "--format", "json", "--limit", "1").stdout)
    assert [record["id"] for record in records] == [live.id]


async def test_a_job_with_who_did_what_when_and_why(jobs, queue, claimed):
    claim = await claimed(Phase.ATTACHED)
    await queue.cancel(claim.job.id, by="U3")
    text = jobs("show", claim.job.id).stdout
    assert "copying (cancel asked)" in text
    assert "drafted     U1: asked for" in text
    assert "attached    U3: asked to cancel" in text
    record = json.loads(jobs("show", claim.job.id, "--format", "json").stdout)
    assert (record["state"], record["attempt"], record["cancel_by"]) == ("attached", 1, "U3")
    assert record["steps"][0]["by"] == "U1"


async def test_a_copy_is_shown_with_what_to_look_for_in_vcenter(jobs, claimed):
    claim = await claimed(Phase.ATTACHED)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    intent = with_intent(Intent(f"cm-{claim.job.id}-a1", "52ab", now, now))
    copied = with_copied(Copied(63, None, None, 0))
    await claim.note({**intent, **copied, "task": "task-10646", **with_trouble("vCenter east does not answer.")})
    text = jobs("show", claim.job.id).stdout
    for line in ("task-10646", f"cm-{claim.job.id}-a1", "63 %", "vCenter east does not answer."):
        assert line in text


async def test_cancel_says_what_came_of_it(jobs, queue, new, claimed):
    claim = await claimed(Phase.ATTACHED)
    assert "is being cancelled by the worker" in jobs("cancel", claim.job.id).stdout
    assert claim.job.id in jobs("cancel", claim.job.id).stdout
    draft = await queue.draft(new("web02"))
    done, late = jobs("cancel", draft.id), jobs("cancel", draft.id)
    assert (done.returncode, done.stdout) == (0, f"{draft.id} is cancelled; nothing had started.\n")
    assert (late.returncode, late.stdout) == (3, f"{draft.id} had ended already.\n")
    assert (await queue.get(draft.id)).cancel_by.endswith("(command line)")


def test_what_is_not_there_is_told(jobs, unused_tcp_port):
    for verb in ("show", "cancel"):
        result = jobs(verb, "nonesuch")
        assert result.returncode == 2
        assert "There is no job 'nonesuch'" in result.stderr
    away = jobs("list", url=f"redis://127.0.0.1:{unused_tcp_port}")
    assert away.returncode == 1
    assert "does not answer" in away.stderr
    assert "Traceback" not in away.stderr
