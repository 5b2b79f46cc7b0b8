"""Keys, tokens, secrets and the path of a webhook are in no log, however deep, in no record and in no error."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from bot.incidents.incident import State
from bot.incidents.sinks.webhook import key_of
from bot.playground.pager.webhook import PATH
from tests.incidents.sinks.stage import INCIDENT, serving, settled, tools_of


async def test_secrets_are_nowhere(store, cases, escalations, pagerduty, pager, webhook, receiver, skew_clock, caplog):
    secrets = [pager.routing_key, pager.api_token, receiver.secret, receiver.secret.removeprefix("whsec_"), PATH]
    secrets += [repr(key_of(receiver.secret)), key_of(receiver.secret).hex()]
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "httpcore.connection", "httpcore.http11", "asyncio", "bot"):
        caplog.set_level(logging.DEBUG, logger=name) if name != "httpx" else None
    await cases.stands(State.OPEN)
    for number, (status, swallows) in enumerate([(0, False), (500, False), (429, False), (0, True), (400, False)]):
        for conduct in (pager.conduct, receiver.conduct):
            conduct.status, conduct.swallows = status, swallows
        await cases.stands(State.OPEN if number % 2 == 0 else State.RESOLVED)
        for sink in (pagerduty, webhook):
            await escalations.arrange(INCIDENT, sink.name, at=datetime.now(UTC))
        async with serving(tools_of(store), pagerduty, webhook):
            skew_clock(timedelta(hours=number + 1))
            for sink in (pagerduty, webhook):
                await settled(store, sink.name)
    await pager.die()
    async with serving(tools_of(store), pagerduty, webhook):
        skew_clock(timedelta(hours=9))
        await settled(store, "pagerduty")
    assert pager.board.taken
    assert receiver.received
    everything = caplog.text + repr(pagerduty) + repr(webhook)
    for key in await store.keys("*"):
        kind = await store.type(key)
        if kind == "hash":
            everything += repr(await store.hgetall(key))
        elif kind == "string":
            everything += repr(await store.get(key))
    assert "send_request_body" in everything  # the depths were looked at
    assert "was not told of incident" in everything
    assert [secret for secret in secrets if secret in everything] == []
