"""What the Events API tells the app: which changes become events, and their delivery with Slack's retries."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from bot.playground.slack.changes import Json
from bot.playground.slack.payloads import Installation
from bot.playground.slack.records import Channel, ChannelKind, Message, User
from bot.playground.slack.sockets import EnvelopeKind, Retry, SocketMode
from bot.playground.slack.tally import AckOutcome
from bot.playground.slack.workspace import Workspace

RETRY_AFTER = (timedelta(0), timedelta(minutes=1), timedelta(minutes=5))
REASONS = {AckOutcome.TIMED_OUT: "timeout", AckOutcome.NO_CONNECTION: "connection_failed"}
SUBSCRIPTION = {
    ChannelKind.PUBLIC: "message.channels",
    ChannelKind.PRIVATE: "message.groups",
    ChannelKind.DIRECT: "message.im",
}


class Events:
    """A witness of the workspace. Deliveries run beside whatever caused them, and end with `close`."""

    def __init__(self, workspace: Workspace, sockets: SocketMode) -> None:
        self.retry_after: tuple[timedelta, ...] = RETRY_AFTER
        self._workspace = workspace
        self._sockets = sockets
        self._installation = Installation(workspace.team, workspace.app)
        self._deliveries: set[asyncio.Task[None]] = set()

    def posted(self, channel: Channel, message: Message) -> None:
        shown = self._workspace.message_json(message)
        shown |= {"channel": channel.id, "event_ts": message.ts}
        if message.thread_ts:
            shown["parent_user_id"] = channel.messages[message.thread_ts].user
        self._message(channel, shown)
        mentioned = f"<@{self._workspace.app.bot_user}>" in message.text
        if mentioned and message.by_app is None and channel.kind is not ChannelKind.DIRECT:
            self._tell("app_mention", channel, shown | {"type": "app_mention"})
        for file in message.files:
            named = {"file_id": file.id, "user_id": message.user, "file": {"id": file.id}}
            self._tell("file_shared", channel, {"type": "file_shared", "channel_id": channel.id} | named)

    def updated(self, channel: Channel, message: Message, before: Json) -> None:
        after = self._workspace.message_json(message)
        self._message(channel, self._hidden(channel, "message_changed", before) | {"message": after})

    def deleted(self, channel: Channel, before: Json) -> None:
        self._message(channel, self._hidden(channel, "message_deleted", before) | {"deleted_ts": before["ts"]})

    def joined(self, channel: Channel, user: User) -> None:
        kind = {ChannelKind.PUBLIC: "C", ChannelKind.PRIVATE: "G"}.get(channel.kind, "D")
        event = {"type": "member_joined_channel", "user": user.id, "channel": channel.id, "channel_type": kind}
        self._tell("member_joined_channel", channel, event)

    def home_opened(self, user: User) -> None:
        """A person looks at the app's Home tab."""
        channel = self._workspace.direct_channel(user.id)
        event = {"type": "app_home_opened", "user": user.id, "channel": channel.id, "tab": "home"}
        self._tell("app_home_opened", channel, event)

    async def close(self) -> None:
        """Give up what is still under way: nobody is left to be told."""
        for delivery in self._deliveries:
            delivery.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)

    def _hidden(self, channel: Channel, subtype: str, before: Json) -> Json:
        return {
            "type": "message",
            "subtype": subtype,
            "channel": channel.id,
            "hidden": True,
            "ts": self._workspace.new_ts(),
            "previous_message": before,
        }

    def _message(self, channel: Channel, event: Json) -> None:
        self._tell(SUBSCRIPTION[channel.kind], channel, event | {"channel_type": channel.kind.value})

    def _tell(self, subscription: str, channel: Channel, event: Json) -> None:
        """Start a delivery, if the app subscribed to it and is where it happened."""
        app = self._workspace.app
        if subscription not in app.events or app.bot_user not in channel.members:
            return
        event.setdefault("event_ts", self._workspace.new_ts())
        payload = self._installation.event(event, at=int(self._workspace.clock.wall()), channel=channel.id)
        self._start(self._deliver(payload))

    def _start(self, delivery: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(delivery)
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    async def _deliver(self, payload: Json) -> None:
        """Once, and again after each wait until it is acked. Every attempt is a new envelope of the same event."""
        retry = Retry()
        for wait in (*self.retry_after, None):
            ack = await self._sockets.deliver(EnvelopeKind.EVENT, payload, accepts_response=False, retry=retry)
            if ack.outcome is AckOutcome.ACKED or wait is None:
                return
            retry = Retry(retry.attempt + 1, REASONS[ack.outcome])
            await self._workspace.clock.sleep(wait)
