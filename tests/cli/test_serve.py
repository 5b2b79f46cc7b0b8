"""`coldmigrate serve` as a process, with the real roles below it and the players around it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cli.stage import VCENTER, WORLD, write_config
from bot.playground.slack.player import SlackPlayer
from bot.playground.vcenter.player import play_world
from bot.playground.world import load_world
from bot.settings import with_environment
from tests.cli.processes import alive, assert_gone, children

PATIENCE = timedelta(seconds=45)


class Served:
    def __init__(self, process: asyncio.subprocess.Process, slack: SlackPlayer) -> None:
        self.process = process
        self.slack = slack

    async def until_connected(self, times: int = 1) -> None:
        """Until the bot has opened so many connections to Slack in all."""
        opened = lambda: self.slack.tally.calls["apps.connections.open"] >= times  # noqa: E731 - a question
        await self.slack.person.wait_for(lambda: opened() and self.slack.switches.connections, PATIENCE)

    def role(self, name: str) -> int:
        for pid in children(self.process.pid):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if words[1:4] == [b"-m", b"bot", name.encode()]:
                return pid
        raise AssertionError(f"no {name} runs")


@asynccontextmanager
async def serving(folder: Path, redis_url: str) -> AsyncIterator[Served]:
    slack = SlackPlayer()
    await slack.start()
    try:
        async with await play_world(load_world(WORLD), folder) as world:
            config = write_config(folder, slack, world[VCENTER])
            secrets = {"SLACK_APP_TOKEN": slack.app_token, "SLACK_BOT_TOKEN": slack.bot_token, "REDIS_URL": redis_url}
            process = await asyncio.create_subprocess_exec(
                *[sys.executable, "-m", "bot", "serve", "--config", str(config)],
                env=with_environment(secrets | {"VC_EAST_PASSWORD": world[VCENTER].password}),
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                yield Served(process, slack)
            finally:
                if process.returncode is None:
                    process.kill()
                await process.wait()
    finally:
        await slack.stop()


async def test_one_role_that_is_told_to_stop_comes_back_and_the_others_stay(tmp_path, valkey_url):
    async with serving(tmp_path, valkey_url) as it:
        await it.until_connected()
        bot, worker = it.role("bot"), it.role("worker")
        os.kill(bot, signal.SIGTERM)
        await it.until_connected(times=2)
        assert not alive(bot)
        assert it.role("bot") != bot
        assert it.role("worker") == worker
        assert it.process.returncode is None


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_however_it_ends_nothing_of_it_is_left(way, tmp_path, valkey_url):
    async with serving(tmp_path, valkey_url) as it:
        await it.until_connected()
        below = children(it.process.pid)  # what a role has started while it loads may be among them
        assert {it.role(name) for name in ("worker", "bot", "watch")} <= {*below}
        it.process.send_signal(way)
        code = await asyncio.wait_for(it.process.wait(), PATIENCE.total_seconds())
        assert code == (-signal.SIGKILL if way is signal.SIGKILL else 0)
        await assert_gone(below, within=10)
