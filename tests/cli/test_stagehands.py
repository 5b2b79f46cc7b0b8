"""Behind the stage of the demo: the real roles are killed and come back, and every clock moves at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.cli.stage import VCENTER, set_stage
from bot.errors import UserError
from tests import warm

CHANNEL = "#migrations"
PATIENCE = timedelta(seconds=45)


async def test_a_killed_worker_comes_back_and_an_hour_passes_at_once(tmp_path, valkey_url):
    async with set_stage(tmp_path, redis_url=valkey_url, command=warm.bot()) as stage:
        changed = asyncio.Event()
        stage.crew.on_change(changed.set)
        await stage.ready()

        before = {role.name: role.pid for role in stage.crew.roles()}
        stage.crew.kill("worker")
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while (now := {r.name: r for r in stage.crew.roles()})["worker"].pid in {None, before["worker"]}:
                changed.clear()
                await changed.wait()
        assert (now["worker"].state, now["worker"].restarts) == ("running", 1)
        assert now["bot"].pid == before["bot"]
        with pytest.raises(UserError, match="no role 'king'; there are: watch, worker, bot"):
            stage.crew.kill("king")

        await stage.player.person.command("alice", CHANNEL, "/coldmigrate web01 site2")

        def card_says(text: str) -> bool:
            return any(text in str(message) for message in stage.player.person.history(CHANNEL))

        await stage.player.person.wait_for(lambda: card_says("Waiting for approval"), PATIENCE)
        wall = stage.player.clock.wall()
        await stage.crew.advance(timedelta(minutes=61))
        assert stage.crew.advanced == timedelta(minutes=61)
        assert stage.player.clock.wall() - wall >= 3660
        ahead = stage.world[VCENTER].estate.universe.clock() - datetime.now(UTC)
        assert timedelta(minutes=60) < ahead < timedelta(minutes=62)
        await stage.player.person.click("alice", CHANNEL, stage.player.person.history(CHANNEL)[0]["ts"], "cm.approve")
        await stage.player.person.wait_for(lambda: card_says("nobody approved it in time"), PATIENCE)
