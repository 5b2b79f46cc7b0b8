"""The whole product in one process, against the players: real Bolt, real pyvmomi over TLS, a real Valkey.

Only the settings differ from production: addresses, and time-outs that make sense on loopback.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot import settings as config
from bot.cli.init import MANIFEST
from bot.compose import bot_role, queue_of, store_of, worker_role
from bot.compose_watch import WatchRole, watch_role
from bot.playground.slack.player import SlackPlayer
from tests.worlds import CONFIGURED_SITES

CHANNEL = "#migrations"
ALICE, BOB = "U0ALICE001", "U0BOB00001"
READ_ON = timedelta(seconds=0.4)
POLL_LOGS = timedelta(seconds=0.3)
SETTLES_IN = timedelta(seconds=0.2)
PATIENCE = timedelta(seconds=30)

Json = dict[str, Any]


@dataclass
class Target:
    """A vCenter to point the product at, whoever plays it."""

    url: str
    ca_file: Path | str
    user: str
    password: str
    sites: str  # the [sites...] tables, and those of further vCenters
    between: str = '"site1", "site2"'
    link: str = ""  # more of the link's table
    secrets: Mapping[str, str] = field(default_factory=dict)  # of those, by their variables


SITES = (
    CONFIGURED_SITES
    + """\
folder = "Migrated"
networks = {{ "VM Network" = "VM Network", "dvpg-app" = "dvpg-app-dr" }}
approval = "{approval}"
"""
)


def written(folder: Path, slack: SlackPlayer, target: Target, *, rights: str | None = None, besides: str = "") -> Path:
    """A config file for this stage; `besides` are further tables of it."""
    path = folder / "coldmigrate.toml"
    people = rights if rights is not None else f'who = ["user:{ALICE}", "user:{BOB}"]'
    path.write_text(
        f"""
[slack]
api_url = "{slack.api_url}"
app_token_env = "APP"
bot_token_env = "BOT"
[vcenters.east]
url = "{target.url}"
user = "{target.user}"
password_env = "PASSWORD"
ca_file = "{target.ca_file}"
{target.sites}
[[links]]
between = [{target.between}]
slots = 2
{target.link}
[[rights]]
{people}
may = ["migrate", "approve", "cancel", "retry", "see"]
[worker]
lease_seconds = 5
submit_timeout_seconds = 5
{besides}
""",
        encoding="utf-8",
    )
    return path


@dataclass
class Plant:
    """What runs, and the person's side of it."""

    slack: SlackPlayer
    settings: config.Settings
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start_bot(self) -> None:
        await self.stack.enter_async_context(bot_role(self.settings))

    async def start_worker(self, **options: Any) -> Callable[[], Awaitable[None]]:
        """A worker; call the answer to stop it as SIGTERM would."""
        own = AsyncExitStack()
        worker = await own.enter_async_context(
            worker_role(self.settings, read_on=READ_ON, poll_logs=POLL_LOGS, leftovers_settle_in=SETTLES_IN, **options)
        )
        running = asyncio.create_task(worker.run())

        async def stop() -> None:
            worker.stop()
            await running
            await own.aclose()

        self.stack.push_async_callback(stop)
        return stop

    async def start_watcher(self, **options: Any) -> WatchRole:
        """A watcher, until the end."""
        own = AsyncExitStack()
        watcher = await own.enter_async_context(watch_role(self.settings, poll_logs=POLL_LOGS, **options))
        running = asyncio.create_task(watcher.run())

        async def stop() -> None:
            assert not running.done(), running.exception()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await own.aclose()

        self.stack.push_async_callback(stop)
        return watcher

    async def clean_up(self) -> None:
        """What workers do once a minute."""
        async with store_of(self.settings) as store:
            await queue_of(self.settings, store).expire_drafts()

    # what a person does and sees

    async def type(self, line: str, *, user: str = "alice", channel: str = CHANNEL) -> str:
        """Type a command; the text that only the person sees."""
        outcome = await self.slack.person.command(user, channel, line)
        assert outcome.error is None, outcome.error
        assert "<!" not in formatted_text(outcome.ack or {})  # whatever is typed, nobody is pinged
        return text_of(outcome.ack or {})

    def cards(self, channel: str = CHANNEL) -> list[Json]:
        return [message for message in self.slack.person.history(channel) if message.get("blocks")]

    async def until(self, seen: Callable[[], Any], within: timedelta = PATIENCE) -> Any:
        try:
            return await self.slack.person.wait_for(seen, within)
        except TimeoutError:
            channel = "\n".join(text_of(m) for m in self.slack.person.history(CHANNEL))
            raise AssertionError(f"it did not come to that; the channel says:\n{channel}") from None

    async def until_true(self, holds: Callable[[], Awaitable[bool]], within: timedelta = PATIENCE) -> None:
        """For what only asking tells."""
        async with asyncio.timeout(within.total_seconds()):
            while not await holds():
                await asyncio.sleep(0.05)

    async def card(self, *, showing: str, number: int = 0) -> Json:
        """The n-th card of the channel, once it shows a text."""

        def seen() -> Json | None:
            cards = self.cards()
            return cards[number] if len(cards) > number and showing in text_of(cards[number]) else None

        card: Json = await self.until(seen)
        return card

    async def click(self, card: Json, action: str, *, user: str = "alice", channel: str = CHANNEL) -> None:
        await self.slack.person.click(user, channel, card["ts"], action)

    async def answer(self, card: Json, action: str, *, user: str = "alice") -> str:
        """Click, and what only this person sees of it."""
        before = len(self.slack.person.ephemerals(user))
        await self.click(card, action, user=user)
        await self.until(lambda: len(self.slack.person.ephemerals(user)) > before)
        return self.told(user)

    def told(self, user: str) -> str:
        """The last thing that only this person sees."""
        return text_of(self.slack.person.ephemerals(user)[-1])

    async def reply(self, card: Json, *, saying: str) -> Json:
        """A reply in the card's thread."""

        def seen() -> Json | None:
            thread = self.slack.person.thread(CHANNEL, card["ts"])[1:]
            return next((m for m in thread if saying in text_of(m)), None)

        found: Json = await self.until(seen)
        return found

    def thread_text(self, card: Json) -> str:
        return "\n".join(text_of(m) for m in self.slack.person.thread(CHANNEL, card["ts"]))

    async def inventory(self) -> None:
        """Until the worker has told the bot which VMs there are."""

        async def known() -> bool:
            return "No inventory" not in await self.type("/coldmigrate nothing-of-this-name site2")

        async with asyncio.timeout(PATIENCE.total_seconds()):
            while not await known():
                await asyncio.sleep(0.05)


def text_of(message: Json) -> str:
    """Everything in a message that a person can read."""

    def texts(thing: Any) -> list[str]:
        if isinstance(thing, dict):
            own = [thing["text"]] if isinstance(thing.get("text"), str) else []
            return own + [t for key, value in thing.items() if key != "metadata" for t in texts(value)]
        if isinstance(thing, list):
            return [t for item in thing for t in texts(item)]
        return []

    return "\n".join(texts({"text": message.get("text", ""), "blocks": message.get("blocks", [])}))


def formatted_text(message: Json) -> str:
    """Everything in a message that Slack would parse for mentions and formatting, and every mention made of blocks."""

    def parsed(thing: Any) -> list[str]:
        if isinstance(thing, list):
            return [t for item in thing for t in parsed(item)]
        if not isinstance(thing, dict):
            return []
        if thing.get("type") in ("mrkdwn", "markdown"):
            return [str(thing["text"])]
        if thing.get("type") in ("user", "usergroup", "channel", "broadcast"):
            return [str(thing)]
        return [t for value in thing.values() for t in parsed(value)]

    return "\n".join([str(message.get("text", "")), *parsed(message.get("blocks", []))])


def buttons(message: Json) -> set[str]:
    elements = [e for block in message.get("blocks", ()) for e in block.get("elements", ()) if isinstance(e, dict)]
    return {e["action_id"] for e in elements if "action_id" in e}


@asynccontextmanager
async def plant(
    folder: Path, target: Target, redis_url: str, *, rights: str | None = None, besides: str = ""
) -> AsyncIterator[Plant]:
    """Slack and config stand; start bot and worker as the test wants."""
    slack = SlackPlayer(manifest=MANIFEST)
    await slack.start()
    environment = {
        "APP": slack.app_token,
        "BOT": slack.bot_token,
        "PASSWORD": target.password,
        "REDIS_URL": redis_url,
        **target.secrets,
    }
    running = Plant(slack, config.load(written(folder, slack, target, rights=rights, besides=besides), environment))
    try:
        async with running.stack:
            yield running
    finally:
        await slack.stop()
