"""docs/escalation.md: its snippet verifies what is really sent, its example is that, and its config is taken."""

from __future__ import annotations

import json
import re
import time
import tomllib

from bot.incidents.sinks.webhook import key_of, payload, signature
from bot.settings_tables import Sink
from tests.incidents.sinks.stage import PAGE

PAGE_NAME = "docs/escalation.md"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def fences(pages, language: str) -> list[str]:
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```$", pages[PAGE_NAME], re.MULTILINE | re.DOTALL)
    return [re.sub(r"^ {3}", "", text, flags=re.MULTILINE) for text in found]


def test_the_snippet_tells_ours_from_a_forgery(pages):
    (snippet,) = fences(pages, "python")
    room: dict = {}
    exec(compile(snippet, PAGE_NAME, "exec"), room)  # noqa: S102 - what the page tells people to run
    stamp, body = str(int(time.time())), b'{"schema": "coldmigrate.page/1"}'
    signed = signature(key_of(SECRET), "n3q7m2xa-1-trigger", stamp, body)
    headers = {"webhook-id": "n3q7m2xa-1-trigger", "webhook-timestamp": stamp, "webhook-signature": signed}
    is_ours = room["is_ours"]
    assert is_ours(SECRET, headers, body)
    assert is_ours(SECRET, {**headers, "webhook-signature": f"v1,AAAA {signed}"}, body)
    assert not is_ours(SECRET, headers, body + b" ")
    assert not is_ours("whsec_AAAA", headers, body)
    assert not is_ours(SECRET, {**headers, "webhook-id": "n3q7m2xa-1-resolve"}, body)
    old = str(int(stamp) - 3600)
    late = {**headers, "webhook-timestamp": old, "webhook-signature": signature(key_of(SECRET), "x", old, body)}
    assert not is_ours(SECRET, late, body)


def test_the_example_is_what_is_sent(pages):
    (example,) = fences(pages, "json")
    assert json.loads(example) == json.loads(json.dumps(payload(PAGE)))


def test_every_key_of_the_body_has_a_row(pages):
    rows = {name for cell in re.findall(r"^\| (`[^|]+`) \|", pages[PAGE_NAME], re.MULTILINE)
            for name in re.findall(r"`(\w+)`", cell)}  # fmt: skip
    sent = payload(PAGE)
    assert ({*sent, *sent["data"]} - {"schema", "data"}) - rows == set()


def test_the_config_is_taken(pages):
    pagerduty, names, webhook = fences(pages, "toml")
    for text in (f"{pagerduty}\n{names}", webhook):
        (sink,) = tomllib.loads(text)["sinks"]
        assert Sink.model_validate(sink).kind in {"pagerduty", "webhook"}
