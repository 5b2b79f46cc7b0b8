"""Somebody on call asks about a copy that died, by whatever name they have, and gets one answer in the thread."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from bot.migration.machine import Phase
from tests.operations.on_call_stage import DESTINATION, SOURCE, STRANGERS_OP_ID, WORLD, on_stage

AHEAD = WORLD.replace('cluster = "C2"\n', 'cluster = "C2"\nclock_offsets = ["+90 s"]\n', 1)


@pytest.fixture
async def stage(tmp_path, valkey_url):
    async with on_stage(tmp_path, valkey_url) as running:
        yield running


async def test_our_own_migration_by_each_of_its_names(tmp_path, valkey_url):
    """The VM, the job, the opID and the task lead to the same hosts, the same lines and the same cause."""
    async with on_stage(tmp_path, valkey_url, world=AHEAD) as stage:
        job = await stage.fail()
        (task,) = {record.task for record in stage.vcenter.relocations}
        for name in ("db01", job, f"CM-{job}-A1", task):
            said = await stage.ask(name)
            assert "Probable cause: packet loss" in said, said
            assert "sure, measured)" in said
            assert f"The lines bear the opID cm-{job}" in said
        assert f"Read vpxa, hostd and vmkernel of {SOURCE}" in said
        assert "its clock is 90.0 s ahead" in said
        assert "Read 3 events of vCenter east" in said
        assert f"Measured from {SOURCE} to {DESTINATION} (NFC via vmk0): small packets" in said
        assert "vmkping -I vmk0 -c 200" not in said  # it was carried out, and is not asked for again
        unread = said.partition("Could not be read")[2].partition("Check next")[0]
        assert "destination host's log" not in unread  # it was read, and says what it says
        ts = stage.cards()[-1]
        files = await stage.plant.until(lambda: (f := stage.files(ts)) and len(f) == 2 and f)
        assert files["timeline.png"].startswith(b"\x89PNG")
        assert "packet" in files["report.html"].decode()
        evidence = json.loads((await stage.diagnoses())[0].data["verdict"])["incidents"][0]["evidence"]
        assert {e["host"] for e in evidence} >= {SOURCE, DESTINATION}
        moments = [datetime.fromisoformat(e["moment"]) for e in evidence if e["moment"]]
        assert max(moments) - min(moments) < timedelta(seconds=10)  # on one clock, though one host writes 90 s later
        decisive = next(e for e in evidence if e["role"] == "decisive")
        assert decisive["host"] == SOURCE  # which broke first


async def test_the_failed_migrations_own_thread_has_the_same(stage):
    await stage.fail()
    card = await stage.plant.card(showing="failed")
    assert "Probable cause: packet loss" in stage.card(card["ts"])  # in one line, where everybody looks
    files = await stage.plant.until(lambda: (f := stage.files(card["ts"])) and len(f) == 2 and f)
    assert files["timeline.png"].startswith(b"\x89PNG")
    assert "<html" in files["report.html"].decode()


async def test_somebody_elses_copy_by_vm_task_and_op_id(stage):
    task = await stage.fail_by_hand()
    for name in ("db01", task, STRANGERS_OP_ID):
        said = await stage.ask(name)
        assert "Probable cause: packet loss" in said, said
    assert "Diagnosis of opID" in said
    listed = await stage.ask("/DC1/vm/db01")
    assert f"Read vpxa, hostd and vmkernel of {DESTINATION}" in listed  # where it was to go, by vCenter's events


async def test_a_time_span_keeps_the_failure_that_is_within_it(stage):
    await stage.fail_by_hand()
    said = await stage.ask("db01 --since 2h")
    assert "of the last 2 h" in said
    assert "Probable cause: packet loss" in said


async def test_a_host_by_its_short_name(stage):
    await stage.fail()
    said = await stage.ask("esx-site1-01 --since 30m")
    assert f"Diagnosis of {SOURCE}" in said
    assert "of the last 30 min" in said
    assert "Probable cause: packet loss" in said


async def test_with_one_host_silent_the_other_is_read_and_that_is_said(stage):
    await stage.fail()
    stage.vcenter.switches.set_agent(DESTINATION, answers_after=timedelta(seconds=60))
    said = await stage.ask("db01")
    assert f"{DESTINATION} could not be read: {DESTINATION} does not answer vCenter in time" in said
    assert "Probable cause: packet loss" in said
    assert "sure, measured)" in said  # from the source alone: the silent one need not be asked for that
    assert "Could not be read" in said
    stage.vcenter.switches.set_agent(DESTINATION, answers_after=timedelta(0))


async def test_a_host_that_vcenter_lost_is_named(stage):
    await stage.fail()
    stage.vcenter.set_host(DESTINATION, connected=False)
    said = await stage.ask("db01")
    assert f"{DESTINATION} could not be read" in said
    assert "Probable cause: packet loss" in said


async def test_a_log_that_was_rotated_since_is_told(stage):
    await stage.fail()
    for log in ("vpxa", "hostd"):
        stage.vcenter.rotate_log(SOURCE, log)
        stage.vcenter.rotate_log(DESTINATION, log)
    stage.vcenter.set_link("site1", "site2", loss=0.0)  # nor is there anything left to measure
    said = await stage.ask("db01")
    assert "what was before is not there any more" in said
    assert "Probable cause" not in said  # what is gone is not guessed


async def test_a_vm_that_nothing_happened_to(stage):
    said = await stage.ask("web01 --since 1h")
    assert "show no NFC failure" in said
    assert "Probable cause" not in said


async def test_another_vms_failure_on_the_same_hosts_is_not_this_ones(stage):
    await stage.fail()
    twin = await stage.ask("/DC1/vm/Web/twin")
    assert "Probable cause" not in twin
    assert "db01" not in twin.replace("Diagnosis of", "")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("twin", "'twin' means 2 VMs: /DC1/vm/Old/twin on"),
        ("task-4711", "No vCenter knows task-4711"),
        ("db0", "Near it: db01"),
        ("db01x", "Nothing is called 'db01x'"),
        ("<!channel>", "Nothing is called '<!channel>'"),
    ],
)
async def test_what_cannot_be_found_gets_a_sentence(stage, typed, said):
    assert said in await stage.ask(typed)
    (job,) = await stage.diagnoses()
    assert job.state is Phase.FAILED


async def test_a_migration_that_never_began_says_so(stage):
    await stage.plant.type("/coldmigrate web01 site2 --dry-run")
    card = await stage.plant.card(showing="Dry run")
    job = stage.card(card["ts"]).rpartition("Job ")[2].split(",")[0].strip()
    assert "never began to copy" in await stage.ask(job)


async def test_with_no_vcenter_at_all_the_answer_is_why(stage):
    await stage.vcenter.go_down()
    said = await stage.ask("db01")
    assert "refuses connections" in said
    await stage.vcenter.come_up()


async def test_no_list_of_migrations_shows_a_diagnosis(stage):
    await stage.ask("web01")
    assert "There are no jobs" in await stage.plant.type("/coldmigrate list")
    (job,) = await stage.diagnoses()
    assert "is a diagnosis, not a migration" in await stage.plant.type(f"/coldmigrate show {job.id}")


TWO_VCENTERS = WORLD.replace(
    'name = "site2"\nvcenter = "east"', 'name = "site2"\nvcenter = "west"\nclock_offsets = ["+30 s"]', 1
).replace('name = "east"\n', 'name = "east"\n[[vcenters]]\nname = "west"\n', 1)


async def test_hosts_of_every_vcenter_are_found_and_one_that_is_away_keeps_nobody_waiting(tmp_path, valkey_url):
    async with on_stage(tmp_path, valkey_url, world=TWO_VCENTERS) as stage:
        said = await stage.ask("esx-site2-01")
        assert "its clock is 30.0 s ahead" in said
        assert "of vCenter west" in said
        await stage.west.go_down()
        said = await stage.ask("web01")
        assert "show no NFC failure" in said
        assert "vCenter west" in said.partition("Could not be read")[2]  # what was not asked is told
        assert "Not all could be asked: vCenter west" in await stage.ask("esx-site2-01")
        await stage.west.come_up()


WITHOUT_LOGS = (
    "System.Anonymous", "System.View", "System.Read", "Resource.ColdMigrate", "Resource.AssignVMToPool",
    "Datastore.AllocateSpace", "VirtualMachine.Inventory.Move", "Network.Assign", "Sessions.TerminateSession",
    "Global.ManageCustomFields", "Global.SetCustomField",
)  # fmt: skip


async def test_the_privilege_that_is_missing_is_named(tmp_path, valkey_url):
    listed = ", ".join(f'"{name}"' for name in WITHOUT_LOGS)
    account = f'accounts = [{{ user = "svc@vsphere.local", password = "correct horse", privileges = [{listed}] }}]'
    world = WORLD.replace('name = "east"\n', f'name = "east"\n{account}\n', 1)
    async with on_stage(tmp_path, valkey_url, world=world) as stage:
        await stage.fail()
        said = await stage.ask("db01")
        assert "grant the privilege Global.Diagnostics" in said
        assert "Read 3 events of vCenter east" in said  # what may be read is read
        assert "Probable cause" not in said
        assert "correct horse" not in said
