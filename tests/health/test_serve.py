"""`serve` has one config for two roles, and each needs a port of its own."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest

from bot.playground.slack.player import SlackPlayer
from bot.settings import with_environment
from tests.health.conftest import CONFIG
from tests.health.probes import until
from tests.ports import free_port
from tests.worlds import CONFIGURED_SITES

TOKENS = """
[slack]
api_url = "{slack.api_url}"
app_token_env = "APP"
bot_token_env = "BOT"
"""


@pytest.mark.parametrize("by_option", [True, False], ids=["--health-port", "[health]"])
async def test_the_worker_takes_the_port_and_the_bot_the_next(tmp_path, vcenter, valkey_url, by_option):
    slack, port = SlackPlayer(), free_port()
    await slack.start()
    path = tmp_path / "coldmigrate.toml"
    text = CONFIG.format(url=vcenter.url, user=vcenter.user, ca_file=vcenter.ca_file, sites=CONFIGURED_SITES)
    path.write_text(text + TOKENS.format(slack=slack) + f"[health]\nport = {1 if by_option else port}\n", "utf-8")
    secrets = {"VC_PASSWORD": vcenter.password, "REDIS_URL": valkey_url, "APP": slack.app_token, "BOT": slack.bot_token}
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "bot", "serve", "--config", str(path)],
        *(["--health-port", str(port)] if by_option else []),
        env=with_environment(secrets), stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for role, its in (("worker", port), ("bot", port + 1)):
            await until(its, "/readyz", lambda told: told.status == 200, within=60)
            told = await until(its, "/metrics", lambda told: told.status == 200)
            assert f'role="{role}"' in told.body
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 40) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await slack.stop()
