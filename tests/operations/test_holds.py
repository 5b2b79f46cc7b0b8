"""Holds on a real queue: what breaks the circuit, what the card says, and what becomes of it when somebody dies."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.diagnosis.causes import Basis, Cause, Stage
from bot.diagnosis.verdict import Incident, MatchKind
from bot.jobs.port import NewJob
from bot.jobs.queue import RedisQueue
from bot.migration.capacity import pair
from bot.migration.machine import Phase
from bot.migration.planning import make_plan
from bot.migration.request import SiteName
from bot.operations.holds import behind, scene_of
from bot.operations.holds_break import break_circuit, other_hosts_of
from bot.operations.holds_card import hold_card
from bot.operations.holds_show import follow_holds
from bot.operations.record import Copied, with_copied, with_plan, with_request
from bot.operations.tools import Allow
from bot.slack.outbox import RedisOutbox
from bot.slack.port import ButtonKind
from bot.slack.table import table_message
from bot.store import keys
from bot.store.client import connect
from tests.migration.conftest import REQUEST, SITE, VM

LINK = "site1~site2"
HOSTS = pair("esx-01.site1", "esx-02.site2")


@pytest.fixture
async def store(valkey_url):
    async with connect(valkey_url) as store:
        yield store


@pytest.fixture
def queue(store):
    return RedisQueue(store)


class Tools:
    """What breaking the circuit needs of a worker: its queue, and a vCenter that is away or reads one site."""

    def __init__(self, queue, site=SITE):
        self.queue, self.fleet, self._site = queue, self, site
        self.points, self.canaries, self.allow = [], {}, Allow()

    def reached(self, point):
        self.points.append(point)

    def vcenter(self, name):
        return self

    def site(self, name):
        return SITE.spec

    async def read_site(self, spec):
        return self._site


def incident(cause=Cause.PACKET_LOSS, *, stage=Stage.DATA, confidence=0.55) -> Incident:
    return Incident(
        id="i1",
        cause=cause,
        confidence=confidence,
        basis=Basis.LOG,
        stage=stage,
        first=None,
        last=None,
        op_ids=(),
        match=MatchKind.EXACT,
        task=None,
        vm=None,
        hosts=(),
        peer=None,
        lines=1,
        evidence=(),
        explanation="",
        known=(),
        ruled_out=(),
        unreadable=(),
        next_checks=(),
        links=(),
        alternatives=(),
        workarounds=(),
    )


async def queued(queue, name, *, source="esx-01.site1", target="esx-02.site2"):
    vm = replace(VM, ref=replace(VM.ref, uuid=name, name=name), host=source)
    request = replace(REQUEST, vm=vm.ref, host=target)
    plan = make_plan(request, vm, SITE, source_site=SiteName("site1"))
    new = NewJob(
        kind="migrate", vm_key=vm.ref.key, requester="U1", channel="C1", data=with_request(request), priority=0
    )
    job = (await queue.draft(new)).id
    claim = await queue.claim("w0")
    await claim.move(Phase.CHECKING, why="taken")
    await claim.move(Phase.PLANNED, why="planned", data=with_plan(plan))
    await queue.approve(job, fingerprint=plan.fingerprint, by="U2")
    return job


async def running(queue, name, phase=Phase.VERIFYING, **places):
    """A claim on a copy that runs, or has just ended."""
    await queued(queue, name, **places)
    claim = await queue.claim("w1")
    await claim.move(Phase.INTENT, why="about to call", attempt=1)
    await claim.move(Phase.ATTACHED, why="it runs")
    if phase is Phase.VERIFYING:
        await claim.move(Phase.VERIFYING, why="it ended")
    return claim


async def fails(queue, claim, cause=Cause.PACKET_LOSS, **changes):
    tools = Tools(queue)
    broken = await break_circuit(tools, claim, incident(cause, **changes))
    await claim.move(Phase.FAILED, why="it died", data=broken.data)
    return broken


async def test_packet_loss_holds_the_link_before_the_slot_is_free(queue):
    claim = await running(queue, "db01")
    waiting = await queued(queue, "web01")
    tools = Tools(queue)
    broken = await break_circuit(tools, claim, incident())
    assert tools.points == ["after-hold"]
    (hold,) = await queue.holds()
    assert (hold.resource, hold.job, hold.channel) == (LINK, claim.job.id, "C1")
    assert broken.data["hold"] == hold.id
    assert "One migration waits behind it" in broken.sections[0].text
    await claim.move(Phase.FAILED, why="it died", data=broken.data)
    assert await queue.claim("w1") is None
    assert behind(await queue.get(waiting), [hold]) == hold
    assert other_hosts_of(await queue.get(claim.job.id)) == ["esx-01.site2"]


async def test_a_successor_finds_the_hold_of_the_worker_that_died(queue):
    claim = await running(queue, "db01")
    first = await break_circuit(Tools(queue), claim, incident())
    again = await break_circuit(Tools(queue), claim, incident(Cause.DEST_FULL))  # whatever it thinks of it
    assert again.data["hold"] == first.data["hold"]
    assert len(await queue.holds()) == 1


@pytest.mark.parametrize("cause", [Cause.DEST_FULL, Cause.TICKET_PERMISSION, Cause.DNS_RESOLUTION])
async def test_what_is_not_of_the_link_holds_nothing_and_says_nothing_of_it(queue, cause):
    broken = await fails(queue, await running(queue, "db01"), cause)
    assert await queue.holds() == []
    assert broken.sections == []


async def test_no_verdict_holds_nothing(queue):
    claim = await running(queue, "db01")
    assert (await break_circuit(Tools(queue), claim, None)).sections == []
    assert await queue.holds() == []


async def test_a_neighbour_that_copies_on_between_other_hosts_saves_the_link(queue):
    neighbour = await running(queue, "app01", Phase.ATTACHED, source="esx-02.site1", target="esx-01.site2")
    await neighbour.note(with_copied(Copied(40, 1e8, 60.0, 0)))
    await fails(queue, await running(queue, "db01"))
    (hold,) = await queue.holds()
    assert hold.resource == HOSTS
    assert "app01 went on well" in hold.why
    other = await queued(queue, "web01", source="esx-02.site1", target="esx-01.site2")
    assert (await queue.claim("w1")).job.id == other
    same = await queued(queue, "web02")
    assert await queue.claim("w1") is None
    assert [job.id for job in await queue.waiting(HOSTS)] == [same]


async def test_a_neighbour_with_nfc_errors_does_not(queue):
    neighbour = await running(queue, "app01", Phase.ATTACHED, source="esx-02.site1", target="esx-01.site2")
    await neighbour.note(with_copied(Copied(40, 1e8, 60.0, 3)))
    await fails(queue, await running(queue, "db01"))
    assert [hold.resource for hold in await queue.holds()] == [LINK]


async def test_a_second_unexplained_death_holds_the_link_and_the_first_says_that_it_would(queue):
    first = await fails(queue, await running(queue, "db01"), Cause.UNDETERMINED, confidence=0.2)
    assert await queue.holds() == []
    assert "another such death within 15 minutes holds the link" in first.sections[0].text
    await fails(queue, await running(queue, "db02"), Cause.UNDETERMINED, confidence=0.2)
    assert [hold.resource for hold in await queue.holds()] == [LINK]


async def test_a_failure_behind_a_hold_makes_no_second_one(queue):
    late = await running(queue, "db02")
    await fails(queue, await running(queue, "db01"))
    broken = await fails(queue, late, Cause.HOST_AGENT_DOWN)
    (hold,) = await queue.holds()
    assert hold.resource == LINK
    assert broken.data["hold"] == hold.id


async def test_the_card_lists_what_waits_what_runs_and_what_has_ended(queue):
    neighbour = await running(queue, "app01", Phase.ATTACHED)
    await fails(queue, await running(queue, "db01"))
    waiting = await queued(queue, "web01")
    (hold,) = await queue.holds()
    card = hold_card(await scene_of(queue, hold))
    assert card.title == "The link site1~site2 is held"
    assert [tuple(row) for row in card.rows] == [
        ("web01", waiting, "waits; the VM stays as it is"),
        ("app01", neighbour.job.id, "copying; goes on to its end"),
    ]
    assert [b.kind for b in card.buttons] == [ButtonKind.RELEASE, ButtonKind.OTHER_HOST, ButtonKind.CANCEL_WAITING]
    assert {b.value for b in card.buttons} == {hold.id}
    await neighbour.move(Phase.VERIFYING, why="it ended")
    await neighbour.move(Phase.DONE, why="it is there")
    await queue.cancel(waiting, by="U1")
    card = hold_card(await scene_of(queue, hold))
    assert [row[2] for row in card.rows] == ["ended meanwhile: done"]
    assert [b.kind for b in card.buttons] == [ButtonKind.RELEASE]

    await queue.release(hold.id, by="U9", why="mended")
    card = hold_card(await scene_of(queue, await queue.find_hold(hold.id)))
    assert card.ended
    assert not card.buttons
    assert card.state.startswith("Released at ")


async def test_of_many_that_wait_the_first_are_listed_and_the_rest_is_counted(queue):
    await fails(queue, await running(queue, "db01"))
    (hold,) = await queue.holds()
    scene = await scene_of(queue, hold)
    job = await queue.get(await queued(queue, "web01"))
    card = hold_card(replace(scene, waiting=[job] * 100))
    assert ("Waiting", "100") in card.facts
    assert len(card.rows) == 31
    assert card.rows[30][0] == "and 70 more"
    assert not table_message(card)[1].cut


async def test_a_hold_that_no_channel_was_told_of_has_no_card(queue):
    hold = await queue.hold(LINK, by="me (command line)", why="work")
    assert hold_card(await scene_of(queue, hold)) is None


@asynccontextmanager
async def following(queue, store):
    task = asyncio.create_task(follow_holds(queue, RedisOutbox(store)))
    try:
        yield
        assert not task.done(), task
    finally:
        task.cancel()


async def shows(store, subject, text):
    async with asyncio.timeout(10):
        while text not in (await store.hash(keys.outbox(f"card:{subject}"))).get("blocks", ""):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("released", [False, True])
async def test_what_was_held_or_released_while_nobody_ran_is_drawn_by_whoever_comes(queue, store, released):
    await fails(queue, await running(queue, "db01"))
    waiting = await queued(queue, "web01")
    (hold,) = await queue.holds()
    if released:
        await queue.release(hold.id, by="U9", why="mended")
    async with following(queue, store):
        if released:
            await shows(store, hold.id, "Released at")
            await shows(store, waiting, "Waits for a free slot")
        else:
            await shows(store, hold.id, "web01")
            await shows(store, waiting, "is held since")


async def test_the_card_follows_without_being_drawn_for_nothing(queue, store):
    await fails(queue, await running(queue, "db01"))
    (hold,) = await queue.holds()
    async with following(queue, store):
        await shows(store, hold.id, "packet loss ended the copy")
        waiting = await queued(queue, "web01")
        await shows(store, hold.id, "web01")
        revision = (await store.hash(keys.card(hold.id)))["rev"]
        elsewhere = await queue.draft(NewJob(kind="diagnose", vm_key="", requester="U1", channel="C1", data={}))
        await queue.cancel(elsewhere.id, by="U1")
        await queue.cancel(waiting, by="U1")
        async with asyncio.timeout(10):
            while "web01" in (await store.hash(keys.outbox(f"card:{hold.id}")))["blocks"]:
                await asyncio.sleep(0.01)
    assert int((await store.hash(keys.card(hold.id)))["rev"]) - int(revision) <= 2


def test_what_cannot_be_read_of_other_hosts_is_unknown():
    class Failed:
        def __init__(self, text):
            self.data = {"other_hosts": text}

    assert [other_hosts_of(Failed(text)) for text in ("", "{", "3", "[]", json.dumps(["a"]))] == [
        None,
        None,
        None,
        [],
        ["a"],
    ]


async def test_people_are_shown_as_people_on_the_card_and_their_ids_nowhere(queue):
    await queued(queue, "web01")
    hold = await queue.hold(LINK, by="U0BOB00001", why="work", channel="C1")
    for who in ("U0BOB00001", "U0CAROL001"):
        card = hold_card(await scene_of(queue, await queue.find_hold(hold.id)))
        shown = json.loads(json.dumps(table_message(card)))
        assert [part["user_id"] for part in people(shown)] == [who]
        assert not [text for text in re.findall(r"U0[A-Z0-9]{8}", json.dumps(shown)) if text != who]
        assert json.dumps(shown).count(who) == 1
        assert ("▶️ Released" if card.ended else "⏸️ Since") in json.dumps(shown, ensure_ascii=False)
        await queue.release(hold.id, by="U0CAROL001", why="mended")


def people(node):
    if isinstance(node, dict) and node.get("type") == "user":
        return [node]
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [found for one in inner for found in people(one)]
