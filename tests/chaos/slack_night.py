"""A night at Slack's edge: a bot that is killed again and again, people who go on typing, and a Slack that is rude.

The bot and the worker are real processes, Valkey is real, Slack and vCenter are played in this process. Clocks of Redis
and of Slack move together.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot import settings as config
from bot.cli.init import MANIFEST
from bot.compose import queue_of
from bot.errors import UserError
from bot.jobs.port import JobQueue
from bot.migration.machine import Phase
from bot.playground.slack.player import SlackPlayer
from bot.playground.vcenter.player import VCenterPlayer
from bot.slack.outbox import RedisOutbox
from bot.slack.port import Reply, Section
from bot.store import keys
from bot.store.client import Store, connect
from tests.chaos.roles import PATIENCE, WORLD, Roles, secrets_of

PAST_LEASE = timedelta(seconds=61)  # of the outbox; and a connection a minute is what Slack gives for ever
JOB = re.compile(r"job ([a-z2-7]{8})\b")
EVIDENCE = [f"2026-11-23T01:43:{n % 60:02}.000Z warning vpxa[{n:07}] NfcNetTcpWrite: bWritten: -1" for n in range(400)]

CONFIG = """
[slack]
api_url = "{api_url}"
app_token_env = "APP"
bot_token_env = "BOT"
[[links]]
between = ["site1", "site2"]
slots = 10
[[rights]]
who = ["user:U0ALICE001", "user:U0BOB00001"]
may = ["migrate", "approve", "cancel", "see"]
[worker]
lease_seconds = 600
"""


@dataclass(kw_only=True)
class Night(Roles):
    """What runs, and what people saw."""

    slack: SlackPlayer
    queue: JobQueue
    store: Store
    jobs: list[str] = field(default_factory=list)
    wrongly_told: list[str] = field(default_factory=list)

    # The bot

    async def bot_dies_at(self, point: str, *options: str) -> None:
        """Run the bot until it has killed itself there, then let its leases pass."""
        await self.dies_at(point, "bot", *options)
        self._past_leases()

    async def bot_dies_after(self, calls: int) -> None:
        """Run the bot, and kill it when it has called Slack so often."""
        bot = await self.start("bot")
        seen = sum(self.slack.tally.calls.values())
        await self.slack.person.wait_for(lambda: sum(self.slack.tally.calls.values()) - seen >= calls, PATIENCE)
        bot.kill()
        await bot.wait()
        self.deaths["at random"] += 1
        self._past_leases()

    def _past_leases(self) -> None:
        self.pass_time(PAST_LEASE)
        self.slack.switches.advance(PAST_LEASE)

    # People

    async def inventory(self) -> None:
        """Until the worker has told the bot which VMs there are."""
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while "No inventory" in await self._typed("#migrations", "/coldmigrate nothing-of-this-name site2"):
                await asyncio.sleep(0.1)

    async def planned(self) -> None:
        """Until there is a plan that somebody could approve."""
        async with asyncio.timeout(PATIENCE.total_seconds()):
            async for _, fields in self.queue.events(since="0-0"):
                if fields["state"] == Phase.PLANNED:
                    return

    async def migrate(self, vm: str, site: str, channel: str) -> str:
        """Ask, approve, and see it through, as somebody who tries again when Slack says that the app is silent."""
        answer = await self._typed(channel, f"/coldmigrate {vm} {site}")
        found = JOB.search(answer)
        assert found, answer
        job = found[1]
        self.jobs.append(job)
        await self._approved(job, channel)
        outbox = RedisOutbox(self.store)
        long = Reply("evidence", f"What the logs say about {vm}.", [Section("Lines", "", EVIDENCE)])
        await outbox.reply(job, self._channel(channel), long)
        async with asyncio.timeout(PATIENCE.total_seconds()):
            async for _ in self.queue.events(since="0-0"):
                if (now := await self.queue.get(job)) is not None and now.state.ended:
                    return job
        raise AssertionError

    async def _typed(self, channel: str, line: str) -> str:
        tries = 0
        while True:
            await self.slack.person.wait_for(lambda: self.slack.switches.connections, PATIENCE)
            outcome = await self.slack.person.command("alice", channel, line)
            if outcome.error is None:
                if "already has job" in outcome.text and not tries:
                    self.wrongly_told.append(outcome.text)
                return outcome.text
            tries += 1

    async def _approved(self, job: str, channel: str) -> None:
        ts = ""

        def shown() -> bool:
            nonlocal ts
            cards = [card for card in self.cards(channel) if _about(card)["job_id"] == job]
            ts = cards[0]["ts"] if cards else ""
            return bool(cards) and "cm.approve" in str(cards[0]["blocks"])

        await self.slack.person.wait_for(shown, PATIENCE)
        while (now := await self.queue.get(job)) is not None and now.state is Phase.PLANNED:
            await self.slack.person.wait_for(lambda: self.slack.switches.connections, PATIENCE)
            with suppress(UserError):  # the button is gone: the click before was carried out after all
                await self.slack.person.click("bob", channel, ts, "cm.approve")

    # What stands in Slack

    def _channel(self, name: str) -> str:
        return self.slack.workspace.channel(name).id

    def messages(self, channel: str) -> list[dict[str, Any]]:
        """Everything the bot said there, replies too."""
        where = self.slack.workspace.channel(channel)
        shown = (self.slack.person.message(channel, ts) for ts in where.messages)
        return [message for message in shown if message.get("bot_id") or message.get("files")]

    def cards(self, channel: str) -> list[dict[str, Any]]:
        return [message for message in self.messages(channel) if _about(message).get("kind") == "card"]

    def said(self, channels: Sequence[str]) -> Counter[tuple[str, str]]:
        """How often each thing was said: (job, what)."""
        count: Counter[tuple[str, str]] = Counter()
        for channel in channels:
            for message in self.messages(channel):
                about = _about(message)
                if about.get("kind") in ("card", "reply"):
                    count[about["job_id"], about.get("reply", "card")] += 1
                for file in message.get("files") or ():
                    count[file["name"].split("-")[1], "file"] += 1
        return count

    def pointers(self, channels: Sequence[str]) -> int:
        """How many messages were a second card once, and say now where the first is."""
        everything = (message for channel in channels for message in self.messages(channel))
        return sum((message.get("metadata") or {}).get("event_type") == "coldmigrate_moved" for message in everything)

    async def outbox_is_empty(self) -> None:
        """Once nothing waits for Slack any more. News goes out as fast as Slack takes it: its clocks are moved on."""
        changes = self.store.pubsub()
        await self.store.config_set("notify-keyspace-events", "KA")
        await changes.psubscribe("__keyspace@0__:{cm}:outbox*")
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while await self.store.zcard(keys.OUTBOX) or await self.store.keys(keys.outbox("replies:*")):
                await changes.get_message(timeout=1)
        await changes.aclose()


@asynccontextmanager
async def slack_night(
    folder: Path, vcenter: VCenterPlayer, valkey_url: str, skew: Callable[[timedelta], None], channels: Sequence[str]
) -> AsyncIterator[Night]:
    slack = SlackPlayer(manifest=MANIFEST)
    await slack.start()
    try:
        for name in ("migrations", *channels):
            with suppress(UserError):
                slack.switches.invite_bot(f"#{name}")
                continue
            slack.switches.add_channel(name)
        secrets = {"APP": slack.app_token, "BOT": slack.bot_token, **secrets_of(vcenter, valkey_url)}
        path = folder / "coldmigrate.toml"
        path.write_text(CONFIG.format(api_url=slack.api_url) + WORLD.format(vcenter=vcenter), encoding="utf-8")
        settings = config.load(path, secrets)
        async with connect(valkey_url) as store:
            queue, log = queue_of(settings, store), folder / "roles.log"
            this = Night(settings=path, secrets=secrets, skew=skew, log=log, slack=slack, queue=queue, store=store)
            with this.explained():
                yield this
    finally:
        await slack.stop()


def rude(this: Night, dice: random.Random) -> None:
    """Let Slack refuse some of what comes next."""
    this.slack.switches.reject_next(dice.randint(1, 2), "chat.postMessage")
    this.slack.switches.reject_next(dice.randint(1, 2), "chat.update")


def _about(message: dict[str, Any]) -> dict[str, Any]:
    found = message.get("metadata") or {}
    return found.get("event_payload", {}) if found.get("event_type") == "coldmigrate_job" else {}
