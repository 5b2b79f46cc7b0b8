"""A played vCenter, a real Valkey, and as many processes' worth of feeds as a test wants."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest

from bot.hostlog.line import Gap, HostKey
from bot.logs.feed import FleetLogFeed
from bot.playground.vcenter.player import play_world
from bot.playground.world import parse_world
from bot.store.client import connect
from bot.vsphere.vcenter import PyvmomiVCenter

POLL = timedelta(milliseconds=10)
LEASE = timedelta(seconds=10)
WANTED = timedelta(seconds=30)
HOST_NAME = "esx-site1-01.example.net"

WORLD = """
seed = 5
[play]
history_lines = 40
noise_every = "1 h"
[[vcenters]]
name = "east"
accounts = [
  { user = "svc@vsphere.local", password = "right" },
  { user = "viewer@vsphere.local", password = "right", privileges = ["System.View", "System.Read"] },
]
[[sites]]
name = "site1"
vcenter = "east"
hosts = 2
datastores = [{ name = "ds-c1-01", capacity = "4 TiB", free = "2 TiB" }]
"""


def is_candidate(text):
    return "[NFC ERROR]" in text


@pytest.fixture
def host():
    return HostKey(f"east/{HOST_NAME}")


@pytest.fixture
async def player(tmp_path):
    async with await play_world(parse_world(WORLD), tmp_path / "player") as running:
        yield running["east"]


@pytest.fixture
def write(player):
    """Write lines into a host's log."""

    def write(*lines, log="vpxa"):
        player.estate.host(HOST_NAME).logs.append(log, lines, at=datetime.now(UTC))

    return write


@pytest.fixture
async def at_the_end():
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def vcenter_of(player, at_the_end):
    """A client of its own, as each process has one."""

    def vcenter(user="svc@vsphere.local"):
        client = PyvmomiVCenter(
            "east", url=player.url, user=user, password=lambda: "right", ca_file=player.ca_file, read_pauses=()
        )
        at_the_end.push_async_callback(client.close)
        return client

    return vcenter


@pytest.fixture
async def store(valkey_url):
    async with connect(valkey_url) as store:
        yield store


@pytest.fixture
def feed_of(valkey_url, vcenter_of, at_the_end):
    """A feed with its own connections, as another process would have it."""

    async def feed(**options):
        store = await at_the_end.enter_async_context(connect(valkey_url))
        readers = options.pop("readers", None) or {"east": vcenter_of(**options.pop("login", {}))}
        values = {"keep": is_candidate, "every": POLL, "lease": LEASE, "wanted": WANTED, **options}
        return await at_the_end.enter_async_context(FleetLogFeed(store, readers, **values))

    return feed


@pytest.fixture
def take():
    """The next items of a feed: texts of lines, or gaps as they are."""

    async def take(items, count):
        async with asyncio.timeout(10):
            found = [await anext(items) for _ in range(count)]
        return [item if isinstance(item, Gap) else item.text for item in found]

    return take
