"""The played PagerDuty keeps incidents as the real one does, and refuses what the real one refuses."""

from __future__ import annotations

import json

import httpx
import pytest

from bot.playground.pager.board import Board, Standing
from bot.playground.pager.event_checks import mistakes
from bot.playground.pager.pagerduty import PagerDutyPlayer
from bot.playground.pager.webhook import WebhookPlayer

PAYLOAD = {"summary": "s", "source": "esx-01", "severity": "error"}
EVENT = {"routing_key": "r" * 32, "event_action": "trigger", "dedup_key": "k", "payload": PAYLOAD}


def said(board: Board, *actions: str, key: str = "k") -> list[Standing]:
    for action in actions:
        board.take({**EVENT, "event_action": action, "dedup_key": key})
    return [incident.standing for incident in board.of(key)]


def test_one_key_is_one_incident_until_it_is_resolved():
    board = Board()
    assert said(board, "trigger", "trigger") == [Standing.TRIGGERED]
    assert said(board, "acknowledge", "trigger") == [Standing.ACKNOWLEDGED]
    assert said(board, "resolve", "resolve", "acknowledge") == [Standing.RESOLVED]
    assert said(board, "trigger") == [Standing.RESOLVED, Standing.TRIGGERED]
    assert (board.woken, len(board.taken)) == (2, 8)


def test_what_is_said_of_an_unknown_key_changes_nothing():
    assert said(Board(), "acknowledge", "resolve") == []


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"routing_key": "short"}, "Length of 'routing_key'"),
        ({"routing_key": None}, "'routing_key' is missing"),
        ({"event_action": "wake"}, "'event_action' is invalid"),
        ({"event_action": "resolve", "dedup_key": None}, "'dedup_key' is missing"),
        ({"dedup_key": "k" * 256}, "'dedup_key' is invalid"),
        ({"payload": None}, "'payload' is missing"),
        ({"payload": {**PAYLOAD, "summary": "s" * 1025}}, "'payload.summary' is too long"),
        ({"payload": {**PAYLOAD, "severity": "dire"}}, "'payload.severity' is invalid"),
        ({"payload": {**PAYLOAD, "timestamp": "yesterday"}}, "'payload.timestamp' is invalid"),
        ({"payload": {**PAYLOAD, "custom_details": "x"}}, "'payload.custom_details' is invalid"),
        ({"payload": {**PAYLOAD, "host": "x"}}, "'payload.host' is no field"),
        ({"links": [{"text": "no href"}]}, "'links' is invalid"),
        ({"colour": "red"}, "'colour' is no field"),
    ],
)
def test_what_is_wrong_is_listed(changes, wrong):
    assert mistakes(EVENT) == []
    (found,) = mistakes({**EVENT, **changes})
    assert found.startswith(wrong)


async def test_it_answers_as_published_and_dies_and_comes_back_at_its_port():
    player = PagerDutyPlayer(routing_key="r" * 32)
    await player.start()
    url = f"{player.url}/v2/enqueue"
    async with httpx.AsyncClient(trust_env=False) as http:
        taken = await http.post(url, json=EVENT)
        assert (taken.status_code, taken.json()["dedup_key"]) == (202, "k")
        assert (await http.post(url, content=b"{")).json()["errors"] == ["JSON parse error"]
        assert (await http.post(url, json={**EVENT, "routing_key": "x" * 32})).status_code == 400
        assert (await http.post(url, content=json.dumps(EVENT) + " " * 512_000)).status_code == 413
        await player.die()
        with pytest.raises(httpx.ConnectError):
            await http.post(url, json=EVENT)
        await player.revive()
        assert (await http.post(url, json=EVENT)).status_code == 202
    await player.stop()


async def test_the_receiver_wants_all_three_headers():
    player = WebhookPlayer()
    await player.start()
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.post(player.url, content=b"{}")).status_code == 401
    assert player.refused == ["a header is missing"]
    await player.stop()
