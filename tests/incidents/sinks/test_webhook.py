"""The signed webhook, against the published vector of the Standard Webhooks specification and a receiver's checks."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import MaybeSentError, OutsideError, UserError
from bot.incidents.port import Action
from bot.incidents.sinks.webhook import LARGEST, WebhookSink, encoded, key_of, payload, signature
from bot.playground.pager.webhook import PATH
from tests.incidents.sinks.stage import PAGE

# standard-webhooks/standard-webhooks, libraries/go/webhook_test.go and others
VECTOR = {
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "stamp": "1614265330",
    "body": b'{"test": 2432232314}',
    "signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def test_the_published_vector():
    made = signature(key_of(VECTOR["secret"]), VECTOR["id"], VECTOR["stamp"], VECTOR["body"])
    assert made == VECTOR["signature"]
    assert signature(key_of("whsec_AAAA"), VECTOR["id"], VECTOR["stamp"], VECTOR["body"]) != made


def test_secrets_come_as_the_specification_has_them_or_as_they_are():
    assert key_of("whsec_AAEC") == b"\0\1\2"
    assert key_of("a passphrase") == b"a passphrase"
    with pytest.raises(UserError, match="what follows is no base64") as failure:
        key_of("whsec_not-base64!")
    assert "not-base64" not in str(failure.value)


async def test_the_receiver_believes_it_and_has_each_message_once(webhook, receiver):
    for _ in range(3):
        await webhook.send(PAGE)
    assert receiver.deliveries == [PAGE.id] * 3
    assert receiver.received == {PAGE.id: json.loads(encoded(PAGE))}
    assert receiver.refused == []


async def test_the_receiver_can_tell_a_forgery(http, receiver):
    with pytest.raises(OutsideError, match="answered 401") as failure:
        await WebhookSink("hook", http, url=receiver.url, secret="whsec_AAAA").send(PAGE)
    assert failure.value.transient  # somebody is changing the secret, and an escalation waits
    old = WebhookSink(
        "hook", http, url=receiver.url, secret=receiver.secret, now=lambda: datetime.now(UTC) - timedelta(hours=1)
    )
    with pytest.raises(OutsideError):
        await old.send(PAGE)
    assert receiver.refused == ["no signature matches", "the timestamp is too old or too new"]
    assert receiver.received == {}


@pytest.mark.parametrize(
    ("status", "transient", "maybe"),
    [(302, False, False), (400, False, False), (401, True, False), (404, True, False), (410, False, False),
     (413, False, False), (422, False, False), (429, True, False), (502, True, True), (504, True, True)],
)  # fmt: skip
async def test_its_answers(webhook, receiver, status, transient, maybe):
    receiver.conduct.status = status
    with pytest.raises(OutsideError) as failure:
        await webhook.send(PAGE)
    assert (failure.value.transient, isinstance(failure.value, MaybeSentError)) == (transient, maybe)
    assert receiver.received == {}


async def test_errors_name_it_without_its_path_or_secret(webhook, receiver):
    receiver.conduct.status = 410
    with pytest.raises(OutsideError) as failure:
        await webhook.send(PAGE)
    assert str(failure.value) == "The webhook 'hook' at 127.0.0.1 answered 410 (it wants no more of this)."
    for text in (str(failure.value), repr(failure.value), repr(webhook)):
        assert PATH not in text
        assert receiver.secret not in text


@pytest.mark.parametrize("action", list(Action))
def test_every_key_is_always_there(action):
    bare = replace(PAGE, action=action, at=None, verdict="", hosts=(), vms=(), link="", lines=())
    full, least = payload(replace(PAGE, action=action)), payload(bare)
    assert (set(full), set(full["data"])) == (set(least), set(least["data"]))
    assert (full["schema"], full["type"]) == ("coldmigrate.page/1", f"incident.{action}")


def test_a_huge_page_is_cut_to_what_receivers_expect():
    huge = "\udcff" + "\u202e" * 5000
    page = replace(PAGE, summary=huge, verdict=huge, hosts=(huge,) * 500, vms=(huge,) * 500, lines=(huge,) * 500)
    body = encoded(page)
    assert len(body) <= LARGEST
    assert body.isascii()
    assert json.loads(body)["data"]["key"] == PAGE.key
