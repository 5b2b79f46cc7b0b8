"""A VM goes to a site of another vCenter, and whatever happens on the way, both vCenters and the card agree in the end.

The password of the account over there is in the body of one call, and must be nowhere else: `nothing_leaks` looks.
"""

from __future__ import annotations

import asyncio
import io
import logging
import signal
import tomllib
from datetime import timedelta

import pytest
from redis.client import NEVER_DECODE

from bot.compose import queue_of, store_of
from bot.migration.request import VCenterName
from bot.operations.trace import read
from bot.playground.vcenter.player import play_world
from bot.playground.world import World
from bot.settings import with_environment
from bot.vsphere.inventory_store import RedisInventory
from bot.vsphere.traces import ATTRIBUTE
from tests import warm
from tests.end_to_end.plant import PATIENCE, Target, buttons, plant, text_of
from tests.worlds import TWO_VCENTERS

SECRET = "far <right> & 'quoted'"
CONFIGURED = """
[vcenters.west]
url = "{url}"
user = "svc@west.local"
password_env = "WEST"
ca_file = "{ca_file}"
[sites.site1]
vcenter = "east"
datacenter = "DC1"
cluster = "C1"
datastore = "ds-c1-01"
networks = {{ "dvpg-west" = "dvpg-app" }}
[sites.site9]
vcenter = "west"
datacenter = "DC9"
cluster = "C9"
datastore = "ds-w-01"
folder = "Migrated"
networks = {{ "dvpg-app" = "dvpg-west" }}
"""
SLOW, FAST = 40_000_000, 8_000_000_000
PAST_SETTLE = timedelta(seconds=60)


@pytest.fixture
async def world(tmp_path):
    async with await play_world(World.model_validate(tomllib.loads(TWO_VCENTERS)), tmp_path / "world") as playing:
        yield playing


@pytest.fixture
def east(world):
    return world["east"]


@pytest.fixture
def west(world):
    return world["west"]


@pytest.fixture
def target(east, west):
    sites = CONFIGURED.format(url=west.url, ca_file=west.ca_file)
    return Target(
        east.url, east.ca_file, east.user, east.password, sites, between='"site1", "site9"', secrets={"WEST": SECRET}
    )


@pytest.fixture
def everything_logged():
    """All that anybody logs, unredacted; pytest's own capture begins anew when a test ends, and so tells nothing."""
    written, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(written), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
async def stage(tmp_path, target, valkey_url, everything_logged):
    """Bot and worker run, and log all that they can; then it is looked whether the secret is anywhere."""
    async with plant(tmp_path, target, valkey_url) as running:
        await running.start_bot()
        running.stop_worker = await running.start_worker()
        yield running
        assert everything_logged.getvalue()
        await nothing_leaks(running, everything_logged.getvalue())


READ = {
    "string": ("GET",),
    "hash": ("HGETALL",),
    "set": ("SMEMBERS",),
    "zset": ("ZRANGE", "0", "-1"),
    "stream": ("XRANGE", "-", "+"),
    "list": ("LRANGE", "0", "-1"),
}


async def value_of(store, key):
    kind = await store.execute_command("TYPE", key)
    if kind == "none":  # the last replies are posted meanwhile, and their keys are gone
        return None
    command, *rest = READ[kind]
    return await store.execute_command(command, key, *rest, **{NEVER_DECODE: []})


async def nothing_leaks(stage, log):
    """Neither log, nor Slack, nor anything in Redis, jobs and audit included, has the password in it, in any form."""
    async with store_of(stage.settings) as store:
        kept = [await value_of(store, key) for key in await store.execute_command("KEYS", "*")]
        jobs = await queue_of(stage.settings, store).recent(limit=100)
    said = [repr(stage.slack.person.history("#migrations")), repr(jobs), repr(kept), log]
    for form in (SECRET, SECRET.replace("&", "&amp;").replace("<", "&lt;"), repr(SECRET)[1:-1], "quoted"):
        assert not [text for text in said if form in text]


async def known(stage, vm):
    """Until the inventory has the VM: it is read of each vCenter by itself."""
    async with store_of(stage.settings) as store, asyncio.timeout(PATIENCE.total_seconds()):
        inventory = RedisInventory(store, [VCenterName("east"), VCenterName("west")])
        while not await inventory.find(vm):
            await asyncio.sleep(0.05)


async def asked_for(stage, vm="web01", site="site9"):
    await known(stage, vm)
    await stage.type(f"/coldmigrate {vm} {site}")
    return await stage.card(showing="waiting for approval")


async def approved(stage, vm="web01"):
    await stage.click(await asked_for(stage, vm), "cm.approve")


def where(vm, *players):
    """The sites at which each vCenter shows the VM: what each referee says."""
    return [[found.host.site for found in player.estate.vms(vm)] for player in players]


def traces(*players):
    return [text for player in players for vm in player.estate.vms("web01") for text in vm.custom.values() if text]


async def no_trace(*players):
    """The trace goes after the ledger has the end."""
    async with asyncio.timeout(20):
        while traces(*players):
            await asyncio.sleep(0.05)


async def test_a_vm_moves_and_both_vcenters_say_so(stage, east, west):
    plan = text_of(await asked_for(stage))
    assert "west" in plan
    await stage.click(stage.cards()[0], "cm.approve")
    card = await stage.card(showing="done")
    assert "in vCenter west" in text_of(card)
    assert where("web01", east, west) == [[], ["site9"]]
    moved = west.estate.vm("web01")
    assert {nic.network.name for nic in moved.nics} == {"VM Network", "dvpg-west"}
    assert west.placement("web01").folder == "Migrated"
    (relocation,) = east.relocations
    assert relocation.outcome == "success"
    assert west.relocations == []
    await no_trace(east, west)


async def test_a_certificate_that_changed_after_the_approval(stage, east, west):
    await asked_for(stage)
    before = west.estate.presence.thumbprint
    west.switches.renew_certificate()
    await stage.click(stage.cards()[0], "cm.approve")
    card = await stage.card(showing="failed")
    assert before in text_of(card)
    assert west.estate.presence.thumbprint in text_of(card)
    assert east.relocations == []


async def test_somebody_answers_in_the_place_of_the_other_vcenter(stage, east, west):
    west.switches.stand_between()
    await approved(stage)
    card = await stage.card(showing="failed")
    said = stage.thread_text(card)
    assert "SSLVerifyFault" in said
    assert west.estate.presence.thumbprint in said  # what was approved
    assert west.estate.presence.impostor in said  # what was seen instead
    assert where("web01", east, west) == [["site1"], []]


async def test_a_password_that_the_other_vcenter_does_not_take(stage, east, west):
    await asked_for(stage)
    west.switches.change_password("svc@west.local", "another one by now")
    await stage.click(stage.cards()[0], "cm.approve")
    card = await stage.card(showing="failed")
    assert "did not let east log in" in stage.thread_text(card)
    assert where("web01", east, west) == [["site1"], []]
    assert "cm.retry" in buttons(card)
    await no_trace(east, west)


async def test_the_reply_is_lost_and_the_vm_has_moved(stage, east, west):
    east.drop_reply("RelocateVM_Task")
    await approved(stage)
    await stage.card(showing="done")
    assert where("web01", east, west) == [[], ["site9"]]
    assert len(east.relocations) == 1


async def test_the_request_is_lost_and_made_again_once_that_is_certain(stage, east, west, skew_clock):
    east.drop_request("RelocateVM_Task")
    await approved(stage)
    await stage.card(showing="finding out")
    await east.until_called("CreateCollectorForTasks", east.calls.get("CreateCollectorForTasks", 0) + 2)
    assert east.relocations == []
    skew_clock(PAST_SETTLE)
    await stage.card(showing="done")
    (relocation,) = east.relocations
    assert relocation.op_id.endswith("-a2")


@pytest.mark.parametrize(
    ("arrival", "sentence"),
    [("nowhere", "is neither in vCenter east nor in west"), ("twice", "is in both vCenters")],
)
async def test_a_task_succeeds_and_the_vm_is_not_found_where_it_should_be(stage, east, west, arrival, sentence):
    west.switches.set_arrivals(arrival)
    await approved(stage)
    card = await stage.card(showing="needs a person")
    assert sentence in text_of(card)
    assert [relocation.outcome for relocation in east.relocations] == ["success"]


async def test_a_task_succeeds_and_the_vm_never_left(stage, east, west):
    west.switches.set_arrivals("never")
    await approved(stage)
    card = await stage.card(showing="failed")
    assert "calls its task a success, but the VM did not move" in text_of(card)
    assert where("web01", east, west) == [["site1"], []]


async def test_a_trace_that_goes_along_is_taken_away_where_it_arrives(stage, east, west):
    west.estate.custom_fields.add(ATTRIBUTE, "VirtualMachine")
    west.switches.set_arrivals("laden")
    await approved(stage)
    await stage.card(showing="done")
    await no_trace(east, west)


async def test_a_copy_is_cancelled_at_its_source(stage, east, west):
    await approved(stage, "big01")
    await stage.click(await stage.card(showing="copying"), "cm.cancel")
    await stage.card(showing="cancelled")
    assert where("big01", east, west) == [["site1"], []]
    assert west.datastore("ds-w-01").orphans == []


async def test_the_logs_of_the_destination_are_read_there(stage, east, west):
    """A copy that dies is explained by both ends, although each vCenter knows only one of the hosts."""
    east.set_link("site1", "site9", loss=0.04)
    await approved(stage)
    card = await stage.card(showing="failed")
    read_at = [call for call in west.calls if "Diagnostic" in call]
    assert read_at == ["BrowseDiagnosticLog"]
    assert "A specified parameter was not correct" not in stage.thread_text(card)


async def test_redis_forgets_while_it_copies(stage, east, west):
    east.set_link("site1", "site9", rate=SLOW)
    await approved(stage)
    before = await stage.card(showing="copying")
    (text,) = traces(east)
    assert read(text).vcenter == "east"
    async with store_of(stage.settings) as store:
        await store.flushall()
    await stage.reply(before, saying="Redis lost its data")
    east.set_link("site1", "site9", rate=FAST)
    await stage.card(showing="done")
    assert len(east.relocations) == 1


async def test_redis_forgets_and_the_vm_has_left_with_its_trace(stage, east, west):
    """Only the trace tells, and it is found where the VM arrived: the job is of the vCenter that it left."""
    west.switches.set_arrivals("laden")
    west.estate.custom_fields.add(ATTRIBUTE, "VirtualMachine")
    east.set_link("site1", "site9", rate=SLOW)
    await approved(stage)
    before = await stage.card(showing="copying")
    await stage.stop_worker()
    async with store_of(stage.settings) as store:
        await store.flushall()
    east.set_link("site1", "site9", rate=FAST)
    async with asyncio.timeout(20):
        while where("web01", east, west) != [[], ["site9"]]:
            await asyncio.sleep(0.05)
    (text,) = traces(west)
    await stage.start_worker()
    await stage.reply(before, saying="Redis lost its data")
    await stage.card(showing="done")
    async with store_of(stage.settings) as store:
        (job,) = await queue_of(stage.settings, store).recent()
    assert (job.id, job.vm_key.partition(":")[0]) == (read(text).job, "east")
    await no_trace(east, west)


async def test_the_other_vcenter_is_away_when_the_task_ends(stage, east, west):
    """What the task says is not believed before the other one was asked; it is waited for, and the card says so."""
    east.set_link("site1", "site9", rate=SLOW)
    await approved(stage)
    await stage.card(showing="copying")
    await west.go_down()
    east.set_link("site1", "site9", rate=FAST)
    await stage.card(showing="where the VM is will be read")
    await west.come_up()
    await stage.card(showing="done")
    assert where("web01", east, west) == [[], ["site9"]]


async def test_the_inventory_shows_it_where_it_went(stage, east, west):
    """So the next order finds it there: the way back, from the vCenter that it came to."""
    await approved(stage)
    await stage.card(showing="done")
    async with store_of(stage.settings) as store, asyncio.timeout(PATIENCE.total_seconds()):
        inventory = RedisInventory(store, [VCenterName("east"), VCenterName("west")])
        while [vm.ref.vcenter for vm in await inventory.find("web01")] != ["west"]:
            await asyncio.sleep(0.1)
    await stage.type("/coldmigrate web01 site1 --dry-run")
    card = await stage.card(showing="Dry run: this is the plan", number=1)
    assert "It goes to vCenter east" in text_of(card)


@pytest.mark.parametrize("point", ["before-call", "after-submit", "verifying"])
async def test_a_worker_is_killed_and_another_one_ends_it(stage, tmp_path, east, west, valkey_url, skew_clock, point):
    """Processes of their own, one killed by SIGKILL where it hurts; what they log in full is looked through too."""
    await stage.stop_worker()
    secrets = {"APP": "", "BOT": "", "PASSWORD": east.password, "WEST": SECRET, "REDIS_URL": valkey_url}
    log = tmp_path / "worker.log"

    async def worker(*options):
        command = [*warm.bot(), "worker", "--config", str(tmp_path / "coldmigrate.toml"), *options]
        with log.open("ab") as file:
            return await asyncio.create_subprocess_exec(
                *command, stdout=file, stderr=file, env=with_environment(secrets)
            )

    first = await worker("--die-at", point)
    async with asyncio.timeout(PATIENCE.total_seconds()):
        await approved(stage)
        assert await first.wait() == -signal.SIGKILL
    skew_clock(timedelta(seconds=45))  # longer than a lease
    second = await worker()
    try:
        if point == "before-call":
            await stage.card(showing="finding out")
            await east.until_called("CreateCollectorForTasks")  # the session is ended by then, and its time runs
            skew_clock(timedelta(seconds=110))
        await stage.card(showing="done")
    finally:
        second.terminate()
        await second.wait()
    assert where("web01", east, west) == [[], ["site9"]]
    assert len(east.relocations) == 1
    await nothing_leaks(stage, log.read_text())
