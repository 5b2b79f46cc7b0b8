"""The links in App Home: what was lost in the last day, for those who may see both ends; a real queue and history."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bot.jobs.queue import RedisQueue
from bot.links.history import RedisLinkHistory
from bot.migration.link_loss import Loss
from bot.migration.measured import LinkSample, SampleKind
from bot.migration.request import SiteName
from bot.operations.home import home
from bot.operations.link_glance import MOST
from bot.operations.port import LinkGlance, Person
from bot.operations.rights import Grant, Rights, Verb
from bot.store.client import connect
from handlers.slack.home import home_view

ALICE, BOB = Person("U0ALICE001", ""), Person("U0BOB00001", "")
NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


@dataclass
class Counter:
    """As much of the counter as is needed here."""

    queue: RedisQueue
    links: RedisLinkHistory | None
    rights: Rights
    sites: dict
    incidents: None = None


@pytest.fixture
async def counter(valkey_url):
    grants = [
        Grant((f"user:{ALICE.user_id}",), frozenset({Verb.SEE})),
        Grant((f"user:{BOB.user_id}",), frozenset({Verb.MIGRATE}), ("site1", "site3")),
    ]
    async with connect(valkey_url) as store:
        sites = dict.fromkeys(map(SiteName, ("site1", "site2", "site3")))
        yield Counter(RedisQueue(store), RedisLinkHistory(store), Rights(grants, None), sites)


@pytest.fixture
def note(counter):
    async def make(link, *, hours=1.0, sent=0, lost=0, rate=None):
        at = datetime.now(UTC) - timedelta(hours=hours)
        kind = SampleKind.PROBE if sent else SampleKind.COPY
        await counter.links.note(LinkSample(at, link, kind, "h1", "h2", sent=sent, lost=lost, rate=rate))

    return make


async def test_links_are_told_to_those_who_see_both_ends(counter, note):
    await note("site1~site2", sent=200, lost=12)
    await note("site1~site2", sent=300, hours=2)
    await note("site1~site2", sent=500, lost=500, hours=25)
    await note("site1~site2", rate=22.5e6, hours=300)
    await note("site2~site3", sent=200)
    await counter.queue.hold("site2~site3", by="U1", why="work")
    assert (await home(counter, ALICE)).links == [
        LinkGlance("site2~site3", Loss(200, 0), None, held=True),
        LinkGlance("site1~site2", Loss(500, 12), 22.5e6, held=False),
    ]
    assert (await home(counter, BOB)).links == []
    await note("site1~site3", rate=1e6)
    assert [one.link for one in (await home(counter, BOB)).links] == ["site1~site3"]
    assert (await home(counter, Person("U0MALLORY1", ""))).links == []


async def test_of_many_links_those_that_are_held_or_lose_most_are_told(counter, note):
    counter.sites = {SiteName(f"site{number}"): None for number in range(7)}
    for number in range(1, 7):
        await note(f"site0~site{number}", sent=100, lost=number)
        await note(f"site{number}~site6", rate=1e6) if number < 6 else None
        await note(f"site{number}~site5", rate=1e6) if number < 5 else None
    shown = (await home(counter, ALICE)).links
    assert len(shown) == MOST
    assert [one.link for one in shown][:2] == ["site0~site6", "site0~site5"]


async def test_without_a_history_there_are_none(counter):
    counter.links = None
    assert (await home(counter, ALICE)).links == []


async def test_the_tab_tells_counts_with_their_interval(counter, note):
    await note("site1~site2", sent=200, lost=12)
    await note("site1~site2", rate=22.5e6)
    await counter.queue.hold("site1~site2", by="U1", why="work")
    text = json.dumps(home_view(await home(counter, ALICE), user=ALICE.user_id, at=NOW))
    assert "Links, the last day" in text
    assert "packets: 12 of 200 lost, 6 %, 95 % CI 3.5 to 10 %; copies usually have 180 Mbit/s; HELD" in text
    counter.links = None
    assert "Links" not in json.dumps(home_view(await home(counter, ALICE), user=ALICE.user_id, at=NOW))
