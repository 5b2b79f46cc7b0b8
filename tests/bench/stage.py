"""The stage of the benchmarks that need Slack: a player with its channels, the config, and the product's roles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot.cli.init import MANIFEST
from bot.playground.slack.player import SlackPlayer
from tests.bench.children import child
from tests.worlds import CONFIGURED_SITES

CONNECTING: Final = timedelta(seconds=20)
PEOPLE: Final = ("alice", "bob")

CONFIG: Final = (
    """\
[slack]
api_url = "{api_url}"
app_token_env = "APP_TOKEN"
bot_token_env = "BOT_TOKEN"
[vcenters.east]
url = "{vcenter.url}"
user = "{vcenter.user}"
password_env = "VCENTER_PASSWORD"
ca_file = "{vcenter.ca_file}"
"""
    + CONFIGURED_SITES
    + """\
networks = {{ "VM Network" = "VM Network" }}
[[links]]
between = ["site1", "site2"]
[[rights]]
who = ["user:U0ALICE001", "user:U0BOB00001"]
may = ["migrate", "approve", "cancel", "retry", "see"]
"""
)


@dataclass(frozen=True, slots=True)
class Target:
    """How workers reach the vCenter; the bot never asks it."""

    url: str = "https://vc-east.example.net"
    user: str = "nobody"
    password: str = "none"
    ca_file: str = "none.pem"


@asynccontextmanager
async def playing_slack(channels: int) -> AsyncIterator[tuple[SlackPlayer, list[str]]]:
    """A Slack with its rate limits on, and the ids of so many new channels that everybody is in."""
    slack = SlackPlayer(manifest=MANIFEST)
    await slack.start()
    try:
        yield slack, [slack.switches.add_channel(f"wave-{number:02}") for number in range(channels)]
    finally:
        await slack.stop()


@asynccontextmanager
async def role(
    name: str, slack: SlackPlayer, redis_url: str, folder: Path, *, target: Target | None = None
) -> AsyncIterator[None]:
    """`coldmigrate bot` or `coldmigrate worker` as a child process, configured against the players."""
    vcenter = target or Target()
    config = folder / "coldmigrate.toml"
    config.write_text(CONFIG.format(api_url=slack.api_url, vcenter=vcenter), encoding="utf-8")
    environment = {
        "APP_TOKEN": slack.app_token,
        "BOT_TOKEN": slack.bot_token,
        "VCENTER_PASSWORD": vcenter.password,
        "REDIS_URL": redis_url,
    }
    async with child(name, "bot", name, "--config", str(config), folder=folder, environment=environment):
        if name == "bot":
            await connected(slack)
        yield


async def connected(slack: SlackPlayer) -> None:
    """Return once an app listens."""
    await slack.person.wait_for(lambda: slack.switches.connections, CONNECTING)
