"""What PagerDuty is sent, against its published examples and schema, and what is made of its answers."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from bot.errors import MaybeSentError, OutsideError, UnreachableError
from bot.incidents.port import Action
from bot.incidents.sinks.pagerduty import LARGEST, PagerDutySink, api_beside, encoded, event
from bot.playground.pager.board import Standing
from bot.playground.pager.conduct import Listening
from bot.playground.pager.event_checks import mistakes
from bot.playground.pager.pagerduty import POLICY
from tests.incidents.sinks.stage import PAGE

PUBLISHED = json.loads((Path(__file__).parent / "published.json").read_text(encoding="utf-8"))
SCHEMA = PUBLISHED["schema"]
KEY = PUBLISHED["event"]["routing_key"]


def test_the_player_takes_the_published_example():
    assert mistakes(PUBLISHED["event"]) == []
    short = {**PUBLISHED["event"], "routing_key": "short"}
    assert mistakes(short) == PUBLISHED["refused"]["errors"]


def test_a_trigger_has_the_shape_of_the_published_example():
    sent, example = event(PAGE, KEY), PUBLISHED["event"]
    assert set(sent) == set(example)
    assert set(sent["payload"]) == set(example["payload"])
    for name in (*SCHEMA["required"], "client", "client_url", "dedup_key"):
        assert isinstance(sent[name], type(example[name])), name
    for name in sent["payload"]:
        assert isinstance(sent["payload"][name], type(example["payload"][name])), name
    assert [set(link) for link in sent["links"]] == [set(link) for link in example["links"]]
    assert sent["payload"]["severity"] in SCHEMA["severity"]
    assert mistakes(sent) == []


@pytest.mark.parametrize("action", list(Action))
def test_what_is_sent_stays_within_the_schema(action):
    sent = event(replace(PAGE, action=action), KEY)
    assert set(sent) <= set(SCHEMA["properties"])
    assert set(SCHEMA["required"]) <= set(sent)
    assert sent["event_action"] in SCHEMA["event_action"]
    assert (sent["dedup_key"], sent["routing_key"]) == (PAGE.key, KEY)
    assert set(sent.get("payload", {})) <= set(SCHEMA["payload_properties"])
    assert ("payload" in sent) is (action is Action.TRIGGER)


def test_an_empty_page_is_still_one_that_wakes():
    bare = replace(
        PAGE, summary="", severity="dire", source="", at=None, verdict="", hosts=(), vms=(), link="", lines=()
    )
    assert mistakes(event(bare, KEY)) == []
    assert event(bare, KEY)["payload"]["severity"] == "error"


def test_huge_texts_are_cut_to_what_is_taken():
    huge = "\ud83d" + "\U0001f4a5" * 20_000
    page = replace(PAGE, summary=huge, verdict=huge, source=huge, cause=huge, hosts=(huge,) * 900, lines=(huge,) * 900)
    body = encoded(page, KEY)
    assert len(body) <= LARGEST
    assert mistakes(json.loads(body)) == []
    assert len(json.loads(body)["payload"]["summary"]) == 1024


async def test_one_key_is_one_incident_of_theirs(pagerduty, pager):
    for _ in range(3):
        await pagerduty.send(PAGE)
    (found,) = pager.board.incidents
    assert (found.key, found.standing, pager.board.woken) == (PAGE.key, Standing.TRIGGERED, 1)
    await pagerduty.send(replace(PAGE, action=Action.ACKNOWLEDGE))
    assert found.standing is Standing.ACKNOWLEDGED
    await pagerduty.send(replace(PAGE, action=Action.RESOLVE))
    assert found.standing is Standing.RESOLVED


async def test_their_own_list_says_what_is_wrong_and_the_key_is_not_in_it(http, pager):
    sink = PagerDutySink("pagerduty", http, routing_key="too-short-and-secret", events_url=pager.url)
    with pytest.raises(OutsideError) as failure:
        await sink.send(PAGE)
    assert not failure.value.transient
    assert str(failure.value) == (
        "PagerDuty answered 400 (Event object is invalid; "
        "Length of 'routing_key' is incorrect (should be 32 characters))."
    )
    assert "too-short-and-secret" not in str(failure.value) + repr(failure.value) + repr(sink)


@pytest.fixture
async def scripted():
    """A server of which a test says what it answers; it keeps what it was asked."""
    asked, answers = [], []

    async def answer(request):
        asked.append((request, await request.text()))
        return answers[0](asked[-1][1])

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    server = Listening(app)
    await server.start()
    yield server.url, asked, answers
    await server.stop()


async def test_a_key_that_is_quoted_back_is_hidden(http, scripted):
    url, _, answers = scripted
    answers.append(
        lambda body: web.json_response({"message": f"bad event {body}", "errors": ["no " + KEY]}, status=400)
    )
    with pytest.raises(OutsideError) as failure:
        await PagerDutySink("pagerduty", http, routing_key=KEY, events_url=url).send(replace(PAGE, summary="x"))
    assert KEY not in str(failure.value)
    assert "no [hidden]" in str(failure.value)


@pytest.mark.parametrize(
    ("status", "retry_after", "transient", "maybe", "seconds"),
    [
        (429, "17", True, False, 17),
        (500, "", True, True, None),
        (503, "5", True, True, 5),
        (403, "", False, False, None),
        (404, "", False, False, None),
        (301, "", False, False, None),
    ],
)
async def test_their_answers(pagerduty, pager, status, retry_after, transient, maybe, seconds):
    pager.conduct.status, pager.conduct.retry_after = status, retry_after
    with pytest.raises(OutsideError) as failure:
        await pagerduty.send(PAGE)
    error = failure.value
    assert (error.transient, isinstance(error, MaybeSentError), error.retry_after) == (transient, maybe, seconds)
    pager.conduct.well()
    await pagerduty.send(PAGE)
    assert pager.board.woken == 1


async def test_who_is_dead_has_certainly_not_taken_it(pagerduty, pager):
    await pager.die()
    with pytest.raises(UnreachableError, match="PagerDuty does not answer"):
        await pagerduty.send(PAGE)
    await pager.revive()
    await pagerduty.send(PAGE)
    assert pager.board.woken == 1


async def test_an_answer_that_was_lost_may_mean_that_they_have_it(pagerduty, pager):
    pager.conduct.swallows = True
    with pytest.raises(MaybeSentError):
        await pagerduty.send(PAGE)
    pager.conduct.well()
    await pagerduty.send(PAGE)
    assert (pager.board.woken, len(pager.board.taken)) == (1, 2)


def test_the_rest_api_is_that_of_the_same_region():
    assert api_beside("https://events.pagerduty.com") == "https://api.pagerduty.com"
    assert api_beside("https://events.eu.pagerduty.com") == "https://api.eu.pagerduty.com"
    assert api_beside("http://127.0.0.1:8080") == "http://127.0.0.1:8080"


async def test_who_is_on_call_is_asked_once_in_a_while(pagerduty, pager):
    pager.on_call = [(1, "Ada Lovelace"), (2, "Grace Hopper"), (1, "Ada Lovelace"), (1, "Mary\x1b[31m Somerville")]
    assert await pagerduty.on_call() == ("Ada Lovelace", "Mary\\x1b[31m Somerville")
    pager.on_call = []
    assert len(await pagerduty.on_call()) == 2
    assert pager.conduct.called == 1


@pytest.mark.parametrize(("level", "names"), [(1, ("Tim Wright",)), (2, ())])
async def test_the_published_answer_is_understood(http, scripted, level, names):
    url, asked, answers = scripted
    answers.append(
        lambda _: web.json_response({"oncalls": [{**PUBLISHED["oncalls"]["oncalls"][0], "escalation_level": level}]})
    )
    sink = PagerDutySink("pd", http, routing_key=KEY, events_url=url, api_token="t0ken", escalation_policy="PT20YPA")
    assert await sink.on_call() == names
    ((request, _),) = asked
    assert request.path == "/oncalls"
    assert dict(request.query) == {"escalation_policy_ids[]": "PT20YPA", "earliest": "true", "limit": "100"}
    assert request.headers["authorization"] == "Token token=t0ken"
    assert request.headers["accept"] == "application/vnd.pagerduty+json;version=2"


async def test_without_a_token_nobody_is_asked(http, pager):
    sink = PagerDutySink("pagerduty", http, routing_key=KEY, events_url=pager.url, escalation_policy="P1")
    assert (await sink.on_call(), await sink.where("k")) == ((), "")
    assert pager.conduct.called == 0


async def test_a_rest_api_that_fails_is_left_alone_for_a_while(http, pager):
    clock = [100.0]
    sink = PagerDutySink(
        "pagerduty",
        http,
        routing_key=KEY,
        events_url=pager.url,
        api_token=pager.api_token,
        escalation_policy=POLICY,
        steady=lambda: clock[0],
    )
    token, pager.api_token = pager.api_token, "another"
    with pytest.raises(OutsideError, match=r"REST API answered 401 \(Account not found\)"):
        await sink.on_call()
    pager.api_token = token
    assert await sink.on_call() == ()
    assert pager.conduct.called == 1
    clock[0] += 61
    assert await sink.on_call() == ("Ada Lovelace",)
    pager.on_call = [(1, "Grace Hopper")]
    assert await sink.on_call() == ("Ada Lovelace",)
    clock[0] += 301
    assert await sink.on_call() == ("Grace Hopper",)


async def test_a_rest_api_that_does_not_answer_keeps_nobody_waiting_a_second_time(pagerduty, pager):
    pager.conduct.slow = timedelta(seconds=30)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await pagerduty.on_call()
    async with asyncio.timeout(1):
        assert await pagerduty.on_call() == ()
    pager.conduct.slow = timedelta(0)


async def test_where_it_is_shown_there(pagerduty, pager):
    assert await pagerduty.where(PAGE.key) == ""
    await pagerduty.send(PAGE)
    assert await pagerduty.where(PAGE.key) == "https://sub.pagerduty.com/incidents/PGR0001"


async def test_a_slow_answer_is_an_answer(pagerduty, pager):
    pager.conduct.slow = timedelta(milliseconds=100)
    await pagerduty.send(PAGE)
    assert pager.board.woken == 1
