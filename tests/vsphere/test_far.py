"""A move to another vCenter: who that is, what is sent there, and where its password never shows."""

import asyncio
import hashlib
import logging
import ssl
import traceback
from contextlib import AsyncExitStack
from dataclasses import asdict, replace

import pytest
from pyVmomi import vim

from bot.errors import LoginError, MaybeSentError, UnreachableError, UserError
from bot.migration.facts import SiteSpec
from bot.migration.planning import make_plan
from bot.migration.request import MigrationRequest, SiteName, VCenterName
from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world
from bot.telemetry import hide
from bot.vsphere.far import Account, no_credentials, service_locator
from bot.vsphere.faults import translate
from bot.vsphere.port import FaultError
from bot.vsphere.vcenter import PyvmomiVCenter
from tests.worlds import TWO_VCENTERS

SITE9 = SiteSpec(
    SiteName("site9"), VCenterName("west"), "DC9", "C9", None, "ds-w-01", "Migrated", {"dvpg-app": "dvpg-west"}
)
SECRET = "far <right> & 'quoted'"  # as a person might choose it: XML has to carry it whole


class Pair:
    """Our machines at both vCenters."""

    def __init__(self, world, opened):
        self.world, self.opened = world, opened
        self.secret = SECRET
        self.west = self.connect("west", user="svc@west.local", password=SECRET)
        self.east = self.connect("east", user="svc@east.local", password="near right")

    def connect(self, name, *, user, password, **changes):
        def account(far):
            assert far == "west"
            return Account("svc@west.local", self.secret)

        made = PyvmomiVCenter(
            VCenterName(name),
            url=self.world[name].url,
            user=user,
            password=lambda: password,
            **{"ca_file": self.world[name].ca_file, "credentials": account, **changes},
        )
        self.opened.push_async_callback(made.close)
        return made

    async def plan(self, name="web01", **changes):
        (found,) = await self.east.find_vms(name)
        vm, site, far = await asyncio.gather(
            self.east.read_vm(found.ref.uuid), self.west.read_site(SITE9), self.west.identity()
        )
        request = MigrationRequest(found.ref, SITE9.name)
        return replace(make_plan(request, vm, site, source_site=SiteName("site1"), far=far), **changes)

    async def end_of(self, task):
        async for snapshot in self.east.follow(task):
            last = snapshot
        return last

    async def move(self, plan):
        return await self.end_of(await self.east.relocate(plan, op_id="cm-ab12cd34-a1"))


@pytest.fixture
async def pair(tmp_path):
    async with await play_world(parse_world(TWO_VCENTERS), tmp_path) as world, AsyncExitStack() as opened:
        yield Pair(world, opened)


def shown_by(player):
    pem = ssl.get_server_certificate(("127.0.0.1", int(player.url.rpartition(":")[2])))
    digest = hashlib.sha1(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()  # noqa: S324 - what vSphere asks for
    return ":".join(digest[at : at + 2] for at in range(0, 40, 2))


async def test_a_vcenter_says_who_it_is_to_another_one(pair):
    west = pair.world["west"]
    known = await pair.west.identity()
    assert (known.name, known.url) == ("west", west.url)
    assert known.thumbprint == await asyncio.to_thread(shown_by, west)
    other = await pair.east.identity()
    assert other.instance_uuid
    assert other.instance_uuid != known.instance_uuid


async def test_what_we_do_not_trust_ourselves_is_pinned_for_nobody(pair):
    wrong = pair.connect("west", user="svc@west.local", password=SECRET, ca_file=None, thumbprint=":".join(["AB"] * 32))
    with pytest.raises(LoginError):
        await wrong.identity()


async def test_a_vm_is_moved_to_the_other_vcenter_onto_its_networks(pair):
    plan = await pair.plan()
    assert (plan.source.vcenter, plan.target.vcenter) == ("east", "west")
    end = await pair.move(plan)
    assert end.fault is None
    uuid = plan.request.vm.uuid
    assert await pair.east.place(uuid) is None
    place = await pair.west.place(uuid)
    assert place.host == plan.target.host
    assert sorted(place.networks) == ["VM Network", "dvpg-west"]


async def test_every_card_is_told_its_network_whatever_it_is_called_here(pair):
    """Names and keys of two vCenters may be the same by chance, so none may count as being there already."""
    plan = await pair.plan()
    assert {nic.source_network for nic in plan.nics} == {"VM Network", "dvpg-app"}
    assert (await pair.move(plan)).fault is None
    moved = pair.world["west"].estate.vm("web01")
    assert all(nic.network.home is pair.world["west"].estate.inventory for nic in moved.nics)


async def test_a_certificate_that_is_not_the_approved_one_names_both(pair):
    plan = await pair.plan()
    approved = ":".join(["AB"] * 20)
    end = await pair.move(replace(plan, far=replace(plan.far, thumbprint=approved)))
    assert end.fault == "vim.fault.SSLVerifyFault"
    assert plan.far.thumbprint in end.message  # what vCenter saw; the approved one is in the plan
    assert pair.world["east"].placement("web01").site == "site1"


async def test_an_account_that_cannot_be_read_is_a_refusal_that_may_pass(pair):
    def unreadable(_far):
        raise UserError("vcenters.west.password_file: No such file.")

    east = pair.connect("east", user="svc@east.local", password="near right", credentials=unreadable)
    with pytest.raises(FaultError, match=r"password_file: No such file") as caught:
        await east.relocate(await pair.plan(), op_id="cm-ab12cd34-a1")
    assert caught.value.transient
    assert pair.world["east"].relocations == []


async def test_a_machine_without_other_accounts_says_so(pair):
    east = pair.connect("east", user="svc@east.local", password="near right", credentials=no_credentials)
    with pytest.raises(FaultError, match="no account at vCenter west"):
        await east.relocate(await pair.plan(), op_id="cm-ab12cd34-a1")


WRONG = "wr0ng far secret"


async def everything_said(pair, plan):
    """Make a move end badly in every way there is, and yield all that was said of it."""
    east, west = pair.world["east"], pair.world["west"]
    call = lambda: pair.east.relocate(plan, op_id="cm-ab12cd34-a1")  # noqa: E731 - six times the same

    yield await pair.end_of(await call())  # the far side refuses the password
    for mishap in (east.switches.drop_reply, east.switches.drop_request):
        mishap("RelocateVM_Task")
        with pytest.raises(MaybeSentError) as lost:
            await call()
        yield lost.value
    if east.relocations[-1].outcome == "":
        await pair.end_of(east.relocations[-1].task)
    await west.go_down()
    yield await pair.end_of(await call())  # the far side is away
    await west.come_up()
    with pytest.raises(FaultError) as refused:  # the near side refuses at once
        await pair.east.relocate(replace(plan, vm_moid="vm-4711"), op_id="cm-ab12cd34-a1")
    yield refused.value
    with pytest.raises(FaultError) as refused:
        await pair.east.relocate(plan, op_id="cm-ab12cd34-a1", session="ended")
    yield refused.value
    await east.go_down()
    with pytest.raises(UnreachableError) as away:
        await call()
    yield away.value


async def test_the_password_shows_nowhere(pair, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    pair.secret = WRONG
    plan = await pair.plan()
    said = [thing async for thing in everything_said(pair, plan)]
    assert said[0].fault == "vim.fault.InvalidLogin"  # so it did travel
    texts = [caplog.text, *capsys.readouterr(), repr(asdict(plan)), repr(pair.east), repr(Account("u", WRONG))]
    for thing in said:
        texts += [repr(thing), str(thing)]
        if isinstance(thing, BaseException):
            texts.append("".join(traceback.TracebackException.from_exception(thing, capture_locals=True).format()))
    assert not [text for text in texts if WRONG in text]


async def test_a_locator_can_be_shown(pair):
    """pyVmomi shows whole objects in its own errors, and so does whoever logs a spec by mistake."""
    locator = service_locator(await pair.plan(), lambda _far: Account("svc@west.local", WRONG))
    spec = vim.vm.RelocateSpec(service=locator)
    assert locator.credential.password == WRONG
    assert WRONG not in repr(spec) + str(spec) + f"{spec!r} {locator} {locator.credential}"


def test_a_vcenter_that_repeats_the_password_in_its_fault_is_not_quoted():
    """Faults are shown to people: text of a stranger may hold whatever he was sent."""
    hide(WRONG)
    error = translate(vim.fault.InvalidLogin(msg=f"cannot log in with '{WRONG}'"))
    assert WRONG not in str(error)
