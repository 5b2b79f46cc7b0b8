"""Two vCenters of which each account has exactly its roles: a VM goes from one to the other, and doctor is content."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from bot.finding import Verdict
from bot.migration.facts import SiteSpec
from bot.migration.request import SiteName, VCenterName
from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world
from bot.vsphere.examination import examine
from bot.vsphere.examination_look import Patient
from bot.vsphere.port import TaskState
from bot.vsphere.roles import Extent
from bot.vsphere.wire import Endpoint, Trust
from tests.vsphere.least import account
from tests.vsphere.test_far import SECRET, SITE9, Pair
from tests.worlds import TWO_VCENTERS

SITE1 = SiteSpec(SiteName("site1"), VCenterName("east"), "DC1", "C1", None, "ds-c1-01", None, {})
THERE = replace(SITE9, networks={"dvpg-app": "dvpg-west", "VM Network": "VM Network"})
ACROSS = Extent(within=False, across=True)
REGISTER = "VirtualMachine.Inventory.Register"


def least(west):
    """The world, whose accounts have no more than their roles."""
    near = account("svc@east.local", [SITE1], ACROSS, password="near right")
    far = account("svc@west.local", [THERE], west, password=SECRET)
    text = TWO_VCENTERS.replace(
        'accounts = [{ user = "svc@east.local", password = "near right" }]', f"accounts = [{near}]"
    )
    before, accounts, after = text.partition(f'accounts = [{{ user = "svc@west.local", password = "{SECRET}" }}]')
    assert accounts
    return f"{before}accounts = [{far}]{after}"


@pytest.fixture
async def pair(tmp_path, request):
    async with await play_world(parse_world(least(request.param)), tmp_path) as world, AsyncExitStack() as opened:
        yield Pair(world, opened)


async def doctored(pair):
    words = {"east": "near right", "west": SECRET}
    patients = [
        Patient(
            Endpoint(
                site.vcenter,
                pair.world[site.vcenter].url,
                f"svc@{site.vcenter}.local",
                lambda word=words[site.vcenter]: word,
                Trust(pair.world[site.vcenter].ca_file),
            ),
            (site,),
            ACROSS,
        )
        for site in (SITE1, THERE)
    ]
    return {one.about: one for one in await examine(patients)}


@pytest.mark.parametrize("pair", [ACROSS], indirect=True)
async def test_with_these_roles_a_vm_goes_to_the_other_vcenter(pair):
    found = await doctored(pair)
    assert [about for about, one in found.items() if one.verdict is not Verdict.OK] == []
    assert pair.world["west"].calls.get("RelocateVM_Task", 0) == 0
    assert "thumbprint" in found["vcenter.west.identity"].says
    assert "path.site1.site9" in found
    plan = await pair.plan()
    assert list(await pair.east.missing_privileges(plan)) == list(await pair.west.missing_privileges(plan)) == []
    assert (await pair.move(plan)).state is TaskState.SUCCESS


@pytest.mark.parametrize("pair", [replace(ACROSS, without=frozenset({REGISTER}))], indirect=True)
async def test_without_the_right_to_register_it_does_not_and_doctor_says_so(pair):
    found = await doctored(pair)
    assert [about for about, one in found.items() if one.verdict is not Verdict.OK] == [
        f"site.site9.privilege.{REGISTER}"
    ]
    plan = await pair.plan()
    assert [one.privilege for one in await pair.west.missing_privileges(plan)] == [REGISTER]
    assert (await pair.move(plan)).state is TaskState.ERROR
