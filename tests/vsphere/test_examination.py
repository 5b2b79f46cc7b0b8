"""What doctor says of a vCenter and its sites: nothing where all is well, and each fault by its name."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.finding import Verdict
from bot.vsphere.examination import examine
from bot.vsphere.examination_look import Patient
from bot.vsphere.needs import NEEDS
from bot.vsphere.roles import Extent
from tests.vsphere.conftest import WORLD
from tests.vsphere.least import ALLOWED, WITHIN, account
from tests.vsphere.test_privileges import SITES

HOST = "esx-site1-01.example.net"
SOON, PATIENT = timedelta(seconds=1), timedelta(seconds=20)
EVERYTHING = Extent(ALLOWED)
REQUIRED = {need.privilege for need in NEEDS if need.needed}


@pytest.fixture
def world_text():
    accounts = account("exact", SITES, Extent(ALLOWED))
    for name in WITHIN:
        accounts += account(f"without {name}", SITES, Extent(ALLOWED, without=frozenset({name})))
    return WORLD.replace("accounts = [\n", "accounts = [\n" + accounts, 1)


@pytest.fixture
def examined(player_peer):
    async def run(*, user="exact", sites=SITES, extent=EVERYTHING, within=PATIENT, **changes):
        endpoint = player_peer.endpoint(user=user, **changes)
        found = await examine([Patient(endpoint, tuple(sites), extent)], within=within)
        return {one.about: one for one in found}

    return run


def bad(found):
    return {about: one for about, one in found.items() if one.verdict is not Verdict.OK}


async def test_with_exactly_the_roles_there_is_nothing_to_say(examined):
    assert bad(await examined()) == {}


async def test_each_privilege_that_is_missing_is_named_with_what_goes_without_it(player_peer):
    endpoints = {name: player_peer.endpoint(user=f"without {name}") for name in WITHIN}
    patients = [Patient(endpoint, tuple(SITES), Extent(ALLOWED)) for endpoint in endpoints.values()]
    every = await asyncio.gather(*(examine([patient]) for patient in patients))
    for name, found in zip(endpoints, every, strict=True):
        said = [one for one in found if one.about.endswith(f".privilege.{name}")]
        assert said, name
        (need,) = {need for need in NEEDS if need.privilege == name and need.what_for in said[0].says}
        assert need.without in said[0].do
        worst = Verdict.ERROR if name in REQUIRED or need.allow else Verdict.WARNING
        assert {one.verdict for one in said} == {worst}, name
        others = [one.about for one in found if ".privilege." in one.about and not one.about.endswith(name)]
        assert others == [], name


async def test_what_the_config_allows_and_vcenter_does_not_is_an_error(examined):
    extent = Extent(frozenset({"delete_leftovers"}))
    said = (await examined(user="without Datastore.FileManagement", extent=extent))[
        "site.site2.privilege.Datastore.FileManagement"
    ]
    assert (said.verdict, "allow.delete_leftovers = true" in said.says) == (Verdict.ERROR, True)
    assert bad(await examined(user="without Datastore.FileManagement", extent=Extent())) == {}


async def test_a_certificate_that_is_pinned_and_one_that_is_another(examined, player_peer):
    port = int(player_peer.url.rpartition(":")[2].partition("/")[0])
    pem = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    pinned = await examined(ca_file=None, thumbprint=digest)
    assert "is the one that is pinned" in pinned["vcenter.east.certificate"].says
    other = await examined(ca_file=None, thumbprint="ab" * 32)
    assert set(other) == {"vcenter.east.certificate"}
    assert "the config pins AB:AB" in other["vcenter.east.certificate"].says


async def test_a_wrong_password_is_the_last_thing_that_is_said(examined):
    found = await examined(password="wrong")
    assert list(bad(found)) == ["vcenter.east.login"]
    assert not [about for about in found if about.startswith("site.")]


async def test_what_the_config_names_and_nobody_has(examined):
    wrong = replace(SITES[1], datastore="ds-x", folder="Nowhere", networks={"a": "dvpg-x"})
    found = bad(await examined(sites=[SITES[0], wrong]))
    assert {about: one.verdict for about, one in found.items()} == dict.fromkeys(
        ["site.site2.datastore", "site.site2.folder", "site.site2.networks"], Verdict.ERROR
    )
    assert "it has ds-c2-01" in found["site.site2.datastore"].says
    found = bad(await examined(sites=[SITES[0], replace(SITES[1], cluster="C9")]))
    assert list(found) == ["site.site2.place"]
    assert "no cluster 'C9'" in found["site.site2.place"].says


async def test_hosts_that_are_away_or_do_not_listen(examined, player):
    player.set_host("esx-site1-02.example.net", connected=False)
    player.switches.stop_nfcd(HOST)
    found = bad(await examined())
    assert "not connected: esx-site1-02.example.net" in found["site.site1.hosts"].says
    assert f"On {HOST} nobody listens on TCP 902" in found["site.site1.esxcli"].says


async def test_a_clock_that_is_off(examined, player):
    player.switches.advance_time(timedelta(minutes=5))
    assert "300 s ahead of ours" in bad(await examined())["vcenter.east.clock"].says


async def test_who_else_uses_the_account(examined, player_peer, raw):
    found = await examined(user=player_peer.user)
    assert "Somebody else uses this account" in found["vcenter.east.sessions"].says


async def test_paths_that_differ_from_host_to_host_are_doubted(examined, player):
    player.switches.set_site("site1", provisioning="interface")
    found = bad(await examined())
    assert "KB 340170 does not describe such a pair" in found["path.site1.site2"].do


async def test_one_check_that_fails_spoils_no_other(examined, player):
    for nth in (1, 2):  # a look asks once more where that costs nothing
        player.switches.drop_reply("QueryDateTime", nth=nth)
    found = await examined()
    assert "site.site1.clocks" in bad(found)
    assert found["site.site1.logs"].verdict is found["site.site2.clocks"].verdict is Verdict.OK


async def test_a_question_that_nobody_answers_costs_its_own_line(examined, player):
    player.switches.swallow_reply("ExecuteSoap")
    found = await examined(within=SOON)
    assert "site.site1.esxcli" in bad(found)
    assert found["site.site2.esxcli"].verdict is found["site.site2.privileges"].verdict is Verdict.OK


async def test_a_vcenter_that_falls_silent_is_not_asked_everything_that_is_left(examined, player):
    player.hold_back("QueryDateTime")
    looking = asyncio.create_task(examined(within=SOON))
    async with asyncio.timeout(20):
        while not player.calls.get("QueryDateTime"):
            await asyncio.sleep(0.01)
    player.switches.fall_silent()
    found = await looking
    assert found["vcenter.east.reachable"].says == "It does not answer any more."
    assert not [about for about in found if about.startswith("site.site2.")]


async def test_the_other_vcenter_is_examined_too(vcsim_peer):
    """What it does not have is said so; nothing falls over."""
    found = {
        one.about: one
        for one in await examine([Patient(vcsim_peer.endpoint(), (vcsim_peer.source, vcsim_peer.target))])
    }
    assert found["site.site1.privileges"].verdict is found["site.site2.datastore"].verdict is Verdict.OK
    assert "ends on" in bad(found)["vcenter.east.certificate"].says  # it makes one for a day


@pytest.fixture
def peer(player_peer):
    """Whom `raw` talks to."""
    return player_peer
