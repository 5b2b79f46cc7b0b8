"""SIGKILL of a real process after PagerDuty took a trigger and before anybody wrote that down."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from bot.incidents.incident import State
from bot.incidents.port import Action
from bot.operations.escalate import LEASE
from bot.playground.pager.board import Standing
from tests.incidents.sinks.stage import INCIDENT, serving, settled, tools_of, until

ROOT = Path(__file__).parents[3]


async def test_it_is_sent_again_and_is_one_incident_there(
    store, valkey_url, escalations, cases, pager, pagerduty, skew_clock
):
    await escalations.arrange(INCIDENT, "pagerduty", at=datetime.now(UTC))
    await cases.stands(State.OPEN)
    what = (valkey_url, pager.url, pager.routing_key)
    sender = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.incidents.sinks.sender", *what, cwd=ROOT)
    assert await asyncio.wait_for(sender.wait(), 60) == -signal.SIGKILL
    assert [event["event_action"] for event in pager.board.taken] == ["trigger"]
    assert (await escalations.of(INCIDENT))[0].said is None  # nobody knows

    async with serving(tools_of(store), pagerduty):
        assert pager.board.woken == len(pager.board.taken) == 1  # the dead one's lease still holds
        skew_clock(LEASE * 1.1)
        record = await settled(store, "pagerduty")
        assert record["said"] == Action.TRIGGER
        first, second = pager.board.taken
        assert first == second  # down to the last byte
        assert pager.board.woken == 1
        await cases.stands(State.RESOLVED)
        await escalations.look_again(INCIDENT)
        await until(lambda: pager.board.incidents[0].standing is Standing.RESOLVED)
    assert len(pager.board.incidents) == 1


async def test_if_it_ended_meanwhile_what_may_be_ringing_is_taken_back(
    store, valkey_url, escalations, cases, pager, pagerduty, skew_clock
):
    await escalations.arrange(INCIDENT, "pagerduty", at=datetime.now(UTC))
    await cases.stands(State.OPEN)
    what = (valkey_url, pager.url, pager.routing_key)
    sender = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.incidents.sinks.sender", *what, cwd=ROOT)
    assert await asyncio.wait_for(sender.wait(), 60) == -signal.SIGKILL
    await cases.stands(State.RESOLVED)
    async with serving(tools_of(store), pagerduty):
        skew_clock(LEASE * 1.1)
        await until(lambda: pager.board.incidents[0].standing is Standing.RESOLVED)
    assert pager.board.woken == 1
