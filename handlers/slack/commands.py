"""/coldmigrate: parse, call one operation, ack with its answer. Nothing else happens here.

Slack does not repeat a command, but networks do; and whoever does, one delivery is one command.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, assert_never

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.errors import UserError
from bot.operations.port import Answer, Person, Verbs
from handlers.slack.boundary import as_message
from handlers.slack.deliveries import Deliveries
from handlers.slack.parse import (
    EXAMPLE,
    CancelJob,
    Empty,
    HandOver,
    Help,
    HoldLink,
    ListJobs,
    Migrate,
    MigrateMany,
    ReleaseLink,
    RetryJob,
    SendCanary,
    ShowJob,
    parse,
)


class Commands:
    """The listener. `verbs` persist before they return, so the ack is a promise that is already kept."""

    def __init__(self, verbs: Verbs, deliveries: Deliveries) -> None:
        self._verbs = verbs
        self._deliveries = deliveries

    async def coldmigrate(self, ack: AsyncAck, command: Mapping[str, Any]) -> None:
        told = await self._deliveries.once("order", str(command["trigger_id"]), lambda: self._carried_out(command))
        # What is public was made so by the first ack; said again it would be a second message.
        await ack(**as_message(replace(told.answer, public=False) if told.again else told.answer))

    async def _carried_out(self, command: Mapping[str, Any]) -> Answer:
        channel = str(command["channel_id"])
        who = Person(user_id=str(command["user_id"]), channel=channel)
        delivery = str(command["trigger_id"])
        match parse(str(command.get("text") or "")):
            case Migrate() | MigrateMany() as asked:
                return await self._migrate(who, channel, asked, dedupe=delivery)
            case ListJobs():
                return await self._verbs.jobs(who)
            case ShowJob() | CancelJob() | RetryJob() as request:
                return await self._on_job(who, channel, request, dedupe=delivery)
            case HoldLink() | ReleaseLink() | SendCanary() as request:
                return await self._on_link(who, channel, request, dedupe=delivery)
            case HandOver(ends=ends):
                return await self._verbs.handover(who, ends)
            case Help():
                return await self._verbs.help(who)
            case Empty():
                raise UserError(
                    "Which VM, and to which site? '/coldmigrate help' says what you may do.", example=EXAMPLE
                )
            case other:
                assert_never(other)

    async def _migrate(self, who: Person, channel: str, asked: Migrate | MigrateMany, *, dedupe: str) -> Answer:
        match asked:
            case Migrate(order=order):
                return await self._verbs.migrate(who, channel, order, dedupe=dedupe)
            case MigrateMany(order=order):
                return await self._verbs.migrate_many(who, channel, order, dedupe=dedupe)
            case other:
                assert_never(other)

    async def _on_job(
        self, who: Person, channel: str, request: ShowJob | CancelJob | RetryJob, *, dedupe: str
    ) -> Answer:
        match request:
            case ShowJob(job=job):
                return await self._verbs.show(who, job)
            case CancelJob(job=job):
                return await self._verbs.cancel(who, job)
            case RetryJob(job=job):
                return await self._verbs.retry(who, channel, job, dedupe=dedupe)
            case other:
                assert_never(other)

    async def _on_link(
        self, who: Person, channel: str, request: HoldLink | ReleaseLink | SendCanary, *, dedupe: str
    ) -> Answer:
        match request:
            case HoldLink(ends=ends, why=why):
                return await self._verbs.hold_link(who, channel, ends, why=why)
            case ReleaseLink(ends=ends):
                return await self._verbs.release_link(who, ends)
            case SendCanary(ends=ends, host=host):
                return await self._verbs.send_canary(who, channel, ends, host=host, dedupe=dedupe)
            case other:
                assert_never(other)
