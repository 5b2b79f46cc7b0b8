"""What the Slack room's tests share: a played Slack, a real Valkey, an outbox, and drainers that are stopped again."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.migration.machine import Phase
from bot.migration.request import JobId
from bot.playground.slack.player import SlackPlayer
from bot.slack.drain import OutboxDrainer
from bot.slack.outbox import RedisOutbox
from bot.slack.port import JobCard, Progress, Reply
from bot.slack.records import Pace
from bot.store import keys
from bot.store.client import Store
from tests.fixtures_slack import CHANNEL

_PATH = Path(__file__).parents[1] / "fixtures_valkey.py"


def _fixtures():
    if "fixtures_valkey" not in sys.modules:
        spec = importlib.util.spec_from_file_location("fixtures_valkey", _PATH)
        module = importlib.util.module_from_spec(spec)
        sys.modules["fixtures_valkey"] = module
        spec.loader.exec_module(module)
    return sys.modules["fixtures_valkey"]


valkey_server = _fixtures().valkey_server
valkey_url = _fixtures().valkey_url
skew_clock = _fixtures().skew_clock

JOB = JobId("k3q7m2xa")
UNPACED = Pace(
    post_gap=timedelta(0),
    edit_gap=timedelta(0),
    card_gap=timedelta(0),
)


@pytest.fixture
def outbox(store: Store) -> RedisOutbox:
    return RedisOutbox(store)


@pytest.fixture
def card() -> Callable[..., JobCard]:
    """A card that waits for nothing; change what matters."""

    plain = JobCard(
        job=JOB,
        channel=CHANNEL,
        phase=Phase.QUEUED,
        title="web01 to site2",
        requester="U0ALICE001",
        facts=[("From", "site1: esx-01"), ("To", "site2: esx-11")],
    )

    def make(**changes) -> JobCard:
        return replace(plain, **changes)

    return make


@pytest.fixture
def copying(card) -> Callable[..., JobCard]:
    """The card of a copy at some percent."""

    def make(percent: int, **changes) -> JobCard:
        done = Progress(percent=percent, done=percent * 10**9, total=10**11, rate=2e7, eta=250.0)
        return card(phase=Phase.ATTACHED, progress=done, **changes)

    return make


@pytest.fixture
def reply() -> Callable[..., Reply]:
    def make(key: str, **changes) -> Reply:
        return Reply(**{"key": key, "text": f"About {key}.", **changes})

    return make


@asynccontextmanager
async def _running(drainer: OutboxDrainer) -> AsyncIterator[OutboxDrainer]:
    task = asyncio.create_task(drainer.run())
    try:
        yield drainer
    finally:
        drainer.stop()
        await asyncio.wait_for(task, 10)


@pytest.fixture
async def drain(store: Store, client):
    """Start a drainer; it is stopped at the end of the test. Unhurried by default: pass `pace` to have limits."""
    async with AsyncExitStack() as stack:

        async def start(*, pace: Pace = UNPACED, **options) -> OutboxDrainer:
            drainer = OutboxDrainer(store, client, pace=pace, **options)
            return await stack.enter_async_context(_running(drainer))

        yield start


@pytest.fixture
def posted(player: SlackPlayer) -> Callable[[], list[dict]]:
    """The bot's messages in the channel, oldest first, without replies."""

    def look(channel: str = CHANNEL) -> list[dict]:
        return [message for message in player.person.history(channel) if message.get("bot_id")]

    return look


@pytest.fixture
def thread(player: SlackPlayer, posted) -> Callable[[], list[str]]:
    """The texts of the replies under the first card."""

    def look(channel: str = CHANNEL) -> list[str]:
        cards = posted(channel)
        return [message["text"] for message in player.person.thread(channel, cards[0]["ts"])[1:]] if cards else []

    return look


@pytest.fixture
async def until(store: Store):
    """Wait for a hash in Redis to become as wanted, woken by Redis itself at every change of a key of ours."""
    await store.config_set("notify-keyspace-events", "KA")
    changes = store.pubsub()
    await changes.psubscribe("__keyspace@0__:{cm}:*")

    async def wait(key: str, predicate: Callable[[dict[str, str]], object]) -> dict[str, str]:
        async with asyncio.timeout(10):
            while not predicate(found := await store.hash(key)):
                await changes.get_message(timeout=10)
        return found

    yield wait
    await changes.aclose()
    await store.config_set("notify-keyspace-events", "")


@pytest.fixture
def released(until):
    """Wait until an attempt at a record has failed and the record was given back."""

    async def wait(record: str) -> dict[str, str]:
        tried = lambda found: found.get("owner") == "" and found.get("attempts")  # noqa: E731
        return await until(keys.outbox(record), tried)

    return wait
