"""What the player does to the product, a vCenter that nobody here wrote does too, as far as it can.

govmomi's simulator moves a VM within a moment, so a disturbance strikes around the call: its sessions are terminated,
connections to it are cut by lot, it comes back as another one, and what a plan names is not there any more.
"""

from __future__ import annotations

import secrets
from contextlib import closing
from types import SimpleNamespace

import pytest

from bot import settings as config
from bot.migration.machine import Phase
from tests.end_to_end.disturbed import ALLOWED, RIGHTS, disturbed
from tests.end_to_end.plant import Target, text_of, written
from tests.end_to_end.test_on_vcsim import SITES
from tests.severing import severing
from tests.vcsim.vcsim import Vcsim
from tests.vsphere.raw import Raw

VMS = ("DC0_C0_RP0_VM0", "DC0_C0_RP0_VM1")
FOLDER = 'cluster = "DC1_C0"\nfolder = "Migrated"'
INTO_FOLDER = SITES.replace('cluster = "DC1_C0"', FOLDER)


@pytest.fixture
def vcsim():
    with Vcsim(powered_off=False) as running:
        yield running


def target_of(vcsim, *, url="", sites=SITES):
    return Target(url or f"https://{vcsim.host}:{vcsim.port}", vcsim.cert, vcsim.user, vcsim.password, sites)


def raw(vcsim):
    """A client of its own."""
    peer = SimpleNamespace(url=vcsim.url, ca_file=vcsim.cert, user=vcsim.user, password=vcsim.password)
    return closing(Raw(peer))


def end_sessions(vcsim):
    """All but the one that ends them."""
    with raw(vcsim) as client:
        own = client.session.key
        client.sessions.TerminateSession([one.key for one in client.sessions.sessionList if one.key != own])


def make_folder(vcsim):
    with raw(vcsim) as client:
        client.find("/DC1/vm").CreateFolder("Migrated")


def remove_folder(vcsim):
    with raw(vcsim) as client:
        client.find("/DC1/vm/Migrated").Destroy_Task()


def where(vcsim, vm):
    """The host it is on, its power, and how often it was relocated and switched on."""
    with raw(vcsim) as client:
        (found,) = client.content.searchIndex.FindAllByUuid(None, uuid_of(client, vm), True, True)
        return found.runtime.host.name, found.runtime.powerState


def uuid_of(client, vm):
    found = client.find(f"/DC0/vm/{vm}") or client.find(f"/DC1/vm/{vm}")
    return found.config.instanceUuid


POINTS = ("claimed", "after-shutdown", "guest-off", "before-intent", "before-call", "verifying", "before-power-on")


async def test_its_sessions_are_terminated(tmp_path, valkey_url, skew_clock, vcsim):
    async with disturbed(tmp_path, target_of(vcsim), valkey_url, skew_clock) as stage:
        for point in POINTS:
            stage.strikes.at(point, lambda: end_sessions(vcsim))
        await stage.approved(f"{VMS[0]} site2 --shutdown --power-on")
        job = await stage.ended(VMS[0])
        assert job.state is Phase.DONE, job.data
        assert set(stage.strikes.struck) == set(POINTS)
    host, power = where(vcsim, VMS[0])
    assert host.startswith("DC1_C0_H")
    assert power == "poweredOn"


async def test_one_call_in_twenty_is_lost(tmp_path, valkey_url, skew_clock, vcsim):
    seed = secrets.randbelow(10**6)
    print(f"seed of the lots: {seed}")
    async with severing(vcsim.url, seed=seed) as wire:
        through = target_of(vcsim, url=wire.through(f"https://{vcsim.host}:{vcsim.port}"))
        async with disturbed(tmp_path, through, valkey_url, skew_clock) as stage:
            for vm in VMS:
                await stage.known(vm)
            wire.share = 0.05
            for vm in VMS:
                await stage.approved(f"{vm} site2 --shutdown --power-on")
            for vm in VMS:
                job = await stage.ended(vm)
                assert job.state is Phase.DONE, job.data
    assert [where(vcsim, vm)[1] for vm in VMS] == ["poweredOn"] * 2


async def test_what_the_plan_names_is_gone_at_the_call(tmp_path, valkey_url, skew_clock, vcsim):
    make_folder(vcsim)
    target = target_of(vcsim, sites=INTO_FOLDER)
    async with disturbed(tmp_path, target, valkey_url, skew_clock) as stage:
        stage.strikes.at("before-call", lambda: remove_folder(vcsim))
        await stage.approved(f"{VMS[0]} site2 --shutdown")
        job = await stage.ended(VMS[0])
        assert job.state is Phase.FAILED
        assert "The plan is out of date" in job.data["outcome"]
        assert "it may be off" in job.data["outcome"]
    assert where(vcsim, VMS[0])[0].startswith("DC0_C0_H")


async def test_it_comes_back_with_a_certificate_of_another_authority(tmp_path, valkey_url, skew_clock, vcsim):
    """Nobody is believed who proves nothing; the card says what to do, and once it is done the move goes on."""
    async with disturbed(tmp_path, target_of(vcsim), valkey_url, skew_clock) as stage:
        card = await stage.approved_later(f"{VMS[0]} site2 --shutdown --power-on")
        port = vcsim.port
        vcsim.stop()
        with Vcsim(powered_off=False, port=port) as other:
            await stage.click(card, "cm.approve")
            said = text_of(await stage.card(showing="its certificate is not trusted"))
            assert "Set ca_file in [vcenters.east] to its issuer's certificate" in said
            await stage.stop_worker()
            secrets_of = {"APP": stage.slack.app_token, "BOT": stage.slack.bot_token, "PASSWORD": other.password}
            file = written(tmp_path, stage.slack, target_of(other, sites=SITES + ALLOWED), rights=RIGHTS)
            fresh = config.load(file, {**secrets_of, "REDIS_URL": valkey_url})
            stage.settings = fresh.model_copy(update={"worker": stage.settings.worker})
            await stage.worker()
            job = await stage.ended(VMS[0])
            # It is a vCenter anew, whose ids may be others: then the plan is out of date, and the VM stays.
            outdated = "The plan is out of date" in job.data["outcome"]
            assert (job.state is Phase.FAILED) if outdated else (job.state is Phase.DONE), job.data
            assert where(other, VMS[0])[0].startswith("DC0_C0_H" if outdated else "DC1_C0_H")
