"""People on call, as tests need them: the real verbs over a real queue, and what was asked of workers in the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from slack_sdk.web.async_client import AsyncWebClient

from bot.jobs.port import Job
from bot.jobs.queue import RedisQueue
from bot.migration.facts import SiteSpec
from bot.migration.request import SiteName, VCenterName, VmRef
from bot.operations.counter import Approval, Counter
from bot.operations.desk import Desk
from bot.operations.inquiry import DIAGNOSE, Inquiry
from bot.operations.rights import Grant, Rights, Verb
from bot.playground.slack.default_workspace import GROUP
from bot.playground.slack.player import SlackPlayer
from bot.slack.channels import SlackChannels
from bot.slack.drain import OutboxDrainer
from bot.slack.groups import SlackGroupMembers
from bot.slack.inbox import RedisInbox
from bot.slack.outbox import RedisOutbox
from bot.store import blobs
from bot.store.client import Store
from bot.vsphere.inventory_store import RedisInventory, publish
from bot.vsphere.port import InventoryVm
from handlers.slack.run import SlackBot
from tests.handlers_slack.conftest import errander

EAST = VCenterName("east")
GRANTS = (
    Grant((f"group:{GROUP}",), frozenset({Verb.DIAGNOSE})),
    Grant(("user:U0BOB00001",), frozenset({Verb.MIGRATE}), ("site2",)),
)


@dataclass
class OnCall:
    """Bots on one Redis. `asked` is what workers will find, oldest first."""

    store: Store
    client: AsyncWebClient
    player: SlackPlayer
    grants: tuple[Grant, ...] = GRANTS

    def desk(self) -> Desk:
        groups = SlackGroupMembers(self.client)
        return Desk(
            Counter(
                queue=RedisQueue(self.store),
                outbox=RedisOutbox(self.store),
                inventory=RedisInventory(self.store, [EAST]),
                rights=Rights(self.grants, groups),
                channels=SlackChannels(self.client),
                sites={SiteName(name): site(name, dc) for name, dc in (("site1", "DC1"), ("site2", "DC2"))},
                approvals={SiteName(name): Approval.REQUESTER for name in ("site1", "site2")},
                shelve=partial(blobs.put, self.store),
            )
        )

    async def stock(self) -> None:
        """web01 is at site1 and db01 at site2."""
        rows = [
            InventoryVm(VmRef(EAST, f"uuid-{name}", name), f"/{dc}/vm/{name}", f"esx-{dc}", dc, "off")
            for name, dc in (("web01", "DC1"), ("db01", "DC2"))
        ]
        await publish(self.store, EAST, rows)

    @asynccontextmanager
    async def bot(self, *, reached: Callable[[str], None] = lambda _: None, **options) -> AsyncIterator[SlackBot]:
        desk = self.desk()
        bot = SlackBot(
            self.player.app_token,
            self.client,
            desk,
            OutboxDrainer(self.store, self.client),
            RedisInbox(self.store),
            errander=errander(self.store, self.client, desk, reached=reached, **options),
            reached=reached,
        )
        await bot.start()
        try:
            yield bot
        finally:
            await bot.stop()

    async def jobs(self) -> list[Job]:
        return [job for job in await RedisQueue(self.store).recent(limit=50) if job.kind == DIAGNOSE][::-1]

    async def asked(self) -> list[Inquiry]:
        return [Inquiry.from_data(job.data) for job in await self.jobs()]

    async def one(self) -> Inquiry:
        """The only question, once its card is in Slack."""
        await self.player.person.wait_for(self.cards)
        (inquiry,) = await self.asked()
        return inquiry

    async def material(self, inquiry: Inquiry) -> bytes:
        data = await blobs.get(self.store, inquiry.blob)
        assert data is not None
        return data

    def cards(self) -> list[dict]:
        """Cards of diagnoses, in whatever conversation and thread."""
        every = [
            message for channel in self.player.workspace.channels.values() for message in channel.messages.values()
        ]
        payloads = [((m.metadata or {}).get("event_payload") or {}, m) for m in every]
        return [
            {"channel": m.channel, "thread": m.thread_ts, "text": m.text}
            for payload, m in payloads
            if payload.get("of") == "inquiry"
        ]


def site(name: str, datacenter: str) -> SiteSpec:
    return SiteSpec(
        name=SiteName(name),
        vcenter=EAST,
        datacenter=datacenter,
        cluster="C1",
        host=None,
        datastore="ds",
        folder=None,
        networks={},
    )
