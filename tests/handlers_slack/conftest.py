"""A real bot on a played Slack and a real Valkey; its verbs have rights, a card and a memory of what was asked."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import UserError
from bot.migration.machine import Phase
from bot.migration.request import JobId, SiteName
from bot.operations.aftercare_record import Act
from bot.operations.counter import require_place
from bot.operations.option import Option
from bot.operations.port import Answer, BatchOrder, Home, JobGlance, MigrateOrder, Person, Question, Verbs, VmChoice
from bot.operations.rights import Grant, Rights, Verb
from bot.operations.shutdown_answer import ShutdownAnswer
from bot.playground.slack.default_workspace import GROUP
from bot.playground.slack.player import SlackPlayer
from bot.slack.channels import SlackChannels
from bot.slack.drain import OutboxDrainer
from bot.slack.errands import RedisErrands
from bot.slack.files import WebFiles
from bot.slack.groups import SlackGroupMembers
from bot.slack.inbox import RedisInbox
from bot.slack.outbox import RedisOutbox
from bot.slack.port import Button, ButtonKind, JobCard
from bot.slack.threads import WebThreads
from bot.slack.whispers import WebWhispers
from bot.store import keys
from bot.store.blobs import LARGEST
from bot.store.client import Store
from handlers.slack.errands import Errander
from handlers.slack.fetch import Fetcher
from handlers.slack.run import SlackBot

_PATH = Path(__file__).parents[1] / "fixtures_valkey.py"


def _fixtures():
    if "fixtures_valkey" not in sys.modules:
        spec = importlib.util.spec_from_file_location("fixtures_valkey", _PATH)
        module = importlib.util.module_from_spec(spec)
        sys.modules["fixtures_valkey"] = module
        spec.loader.exec_module(module)
    return sys.modules["fixtures_valkey"]


valkey_server = _fixtures().valkey_server
valkey_url = _fixtures().valkey_url

JOB = JobId("k3q7m2xa")
PLAN = "0123456789abcdef"
ALERTS = "C0NFCALERT"
"""Where a log that is dropped is a question."""


async def _nothing() -> None:
    """No trouble is wanted."""


@dataclass
class Desk:
    """Verbs that remember what they were asked. `trouble` is awaited first, and may raise or hang."""

    rights: Rights
    outbox: RedisOutbox
    channels: SlackChannels
    groups: SlackGroupMembers
    calls: list[tuple] = field(default_factory=list)
    trouble: Callable[[], Awaitable[None]] = _nothing

    async def migrate(self, who: Person, channel: str, order: MigrateOrder, *, dedupe: str) -> Answer:
        await self._may(who, Verb.MIGRATE, SiteName(order.site))
        await require_place(self.channels, who, channel)
        self.calls.append(("migrate", who.user_id, channel, order, dedupe))
        buttons = [Button(ButtonKind.APPROVE, f"{JOB} {PLAN}"), Button(ButtonKind.CANCEL, JOB)]
        title = f"{order.vm} to {order.site}"
        await self.outbox.show(JobCard(JOB, channel, Phase.PLANNED, title, who.user_id, [], buttons=buttons))
        return Answer(f"Job {JOB}: {title}.")

    async def may_migrate(self, who: Person, channel: str) -> None:
        await self._may(who, Verb.MIGRATE, None)
        await require_place(self.channels, who, channel)

    async def migrate_many(self, who: Person, channel: str, order: BatchOrder, *, dedupe: str) -> Answer:
        await self.may_migrate(who, channel)
        self.calls.append(("migrate_many", who.user_id, channel, order, dedupe))
        return Answer("Checking them.")

    async def approve(self, who: Person, job: JobId, fingerprint: str, *, stop: bool = False) -> Answer:
        await self._may(who, Verb.APPROVE, SiteName("site2"))
        if fingerprint != PLAN:
            raise UserError("The plan changed since this button was shown. Look at the card again.")
        self.calls.append(("approve", who.user_id, job, fingerprint) + (("stop",) if stop else ()))
        return Answer(f"Approved: job {job} is queued.")

    async def cancel(self, who: Person, job: JobId) -> Answer:
        await self._may(who, Verb.CANCEL, None)
        self.calls.append(("cancel", who.user_id, job))
        return Answer(f"{job} is cancelled.", public=True)

    async def retry(self, who: Person, channel: str, job: JobId, *, dedupe: str, when_clean: bool = False) -> Answer:
        await self._may(who, Verb.RETRY, None)
        self.calls.append(("retry", who.user_id, channel, job, dedupe) + (("clean",) if when_clean else ()))
        return Answer("")

    async def answer(self, who: Person, job: JobId, answer: ShutdownAnswer) -> Answer:
        await self._may(who, Verb.POWER, None)
        self.calls.append(("answer", who.user_id, job, answer))
        return Answer("It is told.")

    async def aftercare(self, who: Person, job: JobId, act: Act, *, fingerprint: str = "", dedupe: str) -> Answer:
        await self._may(who, Verb.DIAGNOSE, None)
        self.calls.append(("aftercare", who.user_id, job, act, fingerprint, dedupe))
        return Answer("It is on its way.")

    async def may_diagnose(self, who: Person, channel: str) -> None:
        await self._may(who, Verb.DIAGNOSE, None)
        await require_place(self.channels, who, channel)

    async def diagnose(self, who: Person, question: Question, *, dedupe: str) -> Answer:
        await self.may_diagnose(who, question.channel)
        self.calls.append(("diagnose", who.user_id, question, dedupe))
        return Answer(f"Looking into {question.typed or question.file_name or 'the pasted log'}.")

    async def jobs(self, who: Person) -> Answer:
        await self._may(who, Verb.SEE, None)
        return Answer("1 live:", [f"{JOB}  <!channel> to site2"])

    async def show(self, who: Person, job: JobId) -> Answer:
        await self._may(who, Verb.SEE, None)
        return Answer(f"Job {job}.")

    async def help(self, who: Person) -> Answer:
        return Answer(", ".join(sorted(await self.rights.allowed(who))) or "nothing")

    async def target_sites(self, who: Person) -> list[str]:
        await self._may(who, Verb.MIGRATE, None)
        return ["site2"]

    async def options(self, who: Person) -> list[Option]:
        may = await self.rights.allowed(who)
        return [option for option in Option if option is not Option.FORCE or Verb.FORCE in may]

    async def vms_like(self, who: Person, query: str, *, limit: int) -> list[VmChoice]:
        await self._may(who, Verb.MIGRATE, None)
        named = [VmChoice(f"uuid-{n}", f"web{n:02}", "site1, /DC1/vm/Web") for n in range(1, 200)]
        return [choice for choice in named if query in choice.name][:limit]

    async def home(self, who: Person) -> Home:
        await self.trouble()
        if not await self.rights.allowed(who):
            return Home([], [], 0, [], [])
        glance = JobGlance(JOB, "<!channel> to site2", Phase.ATTACHED, datetime(2026, 11, 23, 6, tzinfo=UTC), 63)
        return Home([glance], [glance], 7, ["site1", "site2"], ["site2"])

    async def _may(self, who: Person, verb: Verb, site: SiteName | None) -> None:
        await self.trouble()
        await self.rights.require(who, verb, site)


@pytest.fixture
async def desk(store: Store, client) -> Desk:
    """@vm-ops may do everything at site2; mallory, who is in no group, may do nothing. There is one job."""
    await store.hset(keys.job(JOB), "id", JOB)
    everything = Grant((f"group:{GROUP}",), frozenset(Verb) - {Verb.RETRY, Verb.SEE}, ("site2",))
    groups = SlackGroupMembers(client)
    return Desk(Rights([everything], groups), RedisOutbox(store), SlackChannels(client), groups)


def errander(store: Store, client: AsyncWebClient, verbs: Verbs, **options) -> Errander:
    """What a bot does errands with; logs that are dropped into #nfc-alerts are for it."""
    errands, whispers = RedisErrands(store), WebWhispers(client)
    fetcher = Fetcher(
        verbs,
        WebFiles(client),
        WebThreads(client),
        whispers,
        keep=errands.keep,
        at_most=LARGEST,
        watched=[ALERTS],
    )
    return Errander(errands, fetcher, RedisOutbox(store), whispers, **options)


@pytest.fixture
async def start(player: SlackPlayer, client, store: Store, desk: Desk):
    """Start a bot; it is stopped at the end of the test."""
    async with AsyncExitStack() as stack:

        async def started(*, app_token: str = "", with_client=client) -> SlackBot:
            drainer = OutboxDrainer(store, with_client)
            bot = SlackBot(
                app_token or player.app_token,
                with_client,
                desk,
                drainer,
                RedisInbox(store),
                errander=errander(store, with_client, desk),
            )
            stack.push_async_callback(bot.stop)
            await bot.start()
            return bot

        yield started


@pytest.fixture
async def bot(start) -> SlackBot:
    return await start()


@pytest.fixture
def say(player: SlackPlayer):
    """Type a command; what its ack showed, all texts of it, and whether Slack was content."""

    async def typed(line: str, *, user: str = "alice", channel: str = "#migrations") -> str:
        outcome = await player.person.command(user, channel, f"/coldmigrate {line}")
        assert outcome.error is None, outcome.error
        assert outcome.latency < 1
        return words(outcome.ack)

    return typed


def words(node) -> str:
    """All texts below `node`."""
    match node:
        case dict():
            own = [node["text"]] if isinstance(node.get("text"), str) else []
            return "\n".join(
                [*own, *(words(value) for key, value in node.items() if not isinstance(value, str))]
            ).strip()
        case list():
            return "\n".join(words(one) for one in node)
        case _:
            return ""


@pytest.fixture
def told(player: SlackPlayer):
    """What the app told this person alone outside of acks, once it has."""

    async def wait(user: str) -> str:
        return words(await player.person.wait_for(lambda: player.person.ephemerals(user)))

    return wait


@pytest.fixture
def card(player: SlackPlayer):
    """The bot's card in #migrations, once it is there."""

    async def wait() -> dict:
        look = lambda: [m for m in player.person.history("#migrations") if m.get("bot_id")]  # noqa: E731
        return (await player.person.wait_for(look))[0]

    return wait


@pytest.fixture
def hold(desk: Desk):
    """Make every verb wait: tells when one does, and lets it go on."""
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        arrived.set()
        await go_on.wait()

    desk.trouble = wait
    yield arrived, go_on
    go_on.set()
