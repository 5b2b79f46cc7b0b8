"""Real sockets and a real Valkey: a played PagerDuty, a played receiver of webhooks, and the client that calls them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from bot.incidents.escalations import RedisEscalations
from bot.incidents.kept import RedisIncidents
from bot.incidents.sinks.calling import open_http
from bot.incidents.sinks.pagerduty import PagerDutySink
from bot.incidents.sinks.webhook import WebhookSink
from bot.playground.pager.pagerduty import POLICY, PagerDutyPlayer
from bot.playground.pager.webhook import WebhookPlayer
from bot.store.client import Store
from tests.incidents.sinks.stage import Cases, Recording


@pytest.fixture
async def pager() -> AsyncIterator[PagerDutyPlayer]:
    player = PagerDutyPlayer()
    await player.start()
    yield player
    await player.stop()


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookPlayer]:
    player = WebhookPlayer()
    await player.start()
    yield player
    await player.stop()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with open_http() as client:
        yield client


@pytest.fixture
def pagerduty(http: httpx.AsyncClient, pager: PagerDutyPlayer) -> PagerDutySink:
    return PagerDutySink(
        "pagerduty",
        http,
        routing_key=pager.routing_key,
        events_url=pager.url,
        api_token=pager.api_token,
        escalation_policy=POLICY,
    )


@pytest.fixture
def webhook(http: httpx.AsyncClient, receiver: WebhookPlayer) -> WebhookSink:
    return WebhookSink("hook", http, url=receiver.url, secret=receiver.secret)


@pytest.fixture
def escalations(store: Store) -> RedisEscalations:
    return RedisEscalations(store)


@pytest.fixture
def cases(incidents: RedisIncidents) -> Cases:
    return Cases(incidents)


@pytest.fixture
def sink() -> Recording:
    return Recording()
