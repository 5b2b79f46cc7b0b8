"""A question that was acknowledged is answered once, whoever dies; one that nobody can answer ends with a sentence."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.jobs.port import NewJob
from bot.jobs.queue import RedisQueue
from bot.migration.machine import Phase
from bot.operations.inquiry import Inquiry, SubjectKind, inquiry_job
from bot.store import blobs
from bot.store.client import connect
from tests.chaos.roles import Roles
from tests.end_to_end.plant import ALICE
from tests.operations.on_call_stage import on_stage
from tests.operations.test_on_call_upload import SEED

CHANNEL_ID = "C0MIGRATE1"
HOSTILE = b"data send failed: <!channel> <@U0BOB00001> *bold* \x1b[31m \xe2\x80\xae"
POINTS = ("inquiry-read", "inquiry-answered")


@pytest.fixture
async def stage(tmp_path, valkey_url):
    async with on_stage(tmp_path, valkey_url) as running:
        yield running


@pytest.fixture
async def store(valkey_url):
    async with connect(valkey_url) as store:
        yield store


async def test_whoever_is_killed_on_the_way_the_next_worker_answers_once(stage, tmp_path, valkey_url, skew_clock):
    await stage.fail()
    await stage.stop_worker()
    config = tmp_path / "coldmigrate.toml"
    secrets = {"APP": "x", "BOT": "x", "PASSWORD": stage.vcenter.password, "REDIS_URL": valkey_url}
    roles = Roles(config, secrets, skew_clock, tmp_path / "roles.log")
    with roles.explained():
        ts = await stage.begin("db01")
        for point in POINTS:
            await roles.dies_at(point, "worker")
            roles.pass_time(timedelta(seconds=10))
        async with roles.steady("worker"):
            await stage.plant.until(lambda: "Probable cause" in stage.outcome(ts))
            files = await stage.plant.until(lambda: (f := stage.files(ts)) and len(f) == 2 and f)
    assert set(files) == {"timeline.png", "report.html"}
    verdicts = [text for text in stage.replies(ts) if "The lines that show it" in text]
    assert len(verdicts) == 1
    (job,) = await stage.diagnoses()
    assert job.state is Phase.DONE


async def test_a_log_that_was_handed_over_is_answered_in_its_thread(stage, store):
    blob = await blobs.put(store, SEED)
    inquiry = Inquiry(SubjectKind.FILE, CHANNEL_ID, blob=blob, file_name="vpxa.log")
    await RedisQueue(store).draft(inquiry_job(inquiry, requester=ALICE, dedupe="f1"))
    ts = await stage.plant.until(lambda: next(iter(stage.cards()), None))
    await stage.plant.until(lambda: "Probable cause: packet loss" in stage.outcome(ts))
    assert "Diagnosis of vpxa.log" in stage.card(ts)
    assert "Read vpxa.log: 1 incident in 1 file, 3 lines" in stage.card(ts)
    files = await stage.plant.until(lambda: (f := stage.files(ts)) and len(f) == 2 and f)
    assert files["timeline.png"].startswith(b"\x89PNG")


async def test_a_hostile_file_pings_nobody_and_names_nothing_of_ours(stage, store):
    blob = await blobs.put(store, SEED.replace(b"data send failed:", HOSTILE))
    inquiry = Inquiry(SubjectKind.FILE, CHANNEL_ID, blob=blob, file_name="<!channel>/../x.log")
    await RedisQueue(store).draft(inquiry_job(inquiry, requester=ALICE, dedupe="f1"))
    ts = await stage.plant.until(lambda: next(iter(stage.cards()), None))
    await stage.plant.until(lambda: "Probable cause" in stage.outcome(ts))
    for message in stage.plant.slack.person.thread("#migrations", ts):
        assert "<!channel>" not in message.get("text", "")
        assert '"mrkdwn"' not in str(message.get("blocks", ""))
    assert "/tmp/" not in "\n".join(stage.replies(ts))


async def test_material_whose_hour_is_over_says_so(stage, store):
    inquiry = Inquiry(SubjectKind.TEXT, CHANNEL_ID, blob="0" * 64)
    await RedisQueue(store).draft(inquiry_job(inquiry, requester=ALICE, dedupe="f1"))
    ts = await stage.plant.until(lambda: next(iter(stage.cards()), None))
    await stage.plant.until(lambda: "hand it over again" in stage.outcome(ts))


async def test_a_question_that_no_worker_took_up_or_that_was_given_up_gets_a_last_word(stage, store, skew_clock):
    await stage.stop_worker()
    ts = await stage.begin("db01")
    skew_clock(timedelta(hours=2))
    await stage.plant.clean_up()
    await stage.plant.start_worker()
    await stage.plant.until(lambda: "No worker took it up in time" in stage.outcome(ts))


async def test_an_inquiry_of_another_version_is_given_up_and_hides_nothing(stage, store):
    queue = RedisQueue(store)
    drafted = await queue.draft(
        NewJob(kind="diagnose", vm_key="", requester=ALICE, channel=CHANNEL_ID, data={}, lane="diagnose")
    )
    assert "show no NFC failure" in await stage.ask("web01")
    job = await queue.get(drafted.id)
    assert job.state in (Phase.DRAFTED, Phase.CHECKING, Phase.FAILED)
