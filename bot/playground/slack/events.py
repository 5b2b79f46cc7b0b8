"""What the Events API tells the app: which changes become events, and their delivery with Slack's retries."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from bot.playground.slack.changes import Json
from bot.playground.slack.deliveries import Deliveries
from bot.playground.slack.payloads import Installation
from bot.playground.slack.records import Channel, ChannelKind, Message, User, UserGroup
from bot.playground.slack.sockets import EnvelopeKind, Retry
from bot.playground.slack.tally import AckOutcome
from bot.playground.slack.workspace import Reaction, Workspace

# "Nearly immediately", after a minute, after five (docs.slack.dev, Events API, retries).
RETRY_AFTER = (timedelta(seconds=1), timedelta(minutes=1), timedelta(minutes=5))
REASONS = {
    AckOutcome.TIMED_OUT: "timeout",
    AckOutcome.NO_CONNECTION: "connection_failed",
    AckOutcome.REFUSED: "http_error",
}
SUBSCRIPTION = {
    ChannelKind.PUBLIC: "message.channels",
    ChannelKind.PRIVATE: "message.groups",
    ChannelKind.DIRECT: "message.im",
}
# An app is told of what it subscribed to and has the scope for; any one of the scopes will do.
SCOPES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "app_mention": frozenset({"app_mentions:read"}),
        "channel_archive": frozenset({"channels:read"}),
        "channel_unarchive": frozenset({"channels:read"}),
        "file_shared": frozenset({"files:read"}),
        "group_archive": frozenset({"groups:read"}),
        "group_unarchive": frozenset({"groups:read"}),
        "member_joined_channel": frozenset({"channels:read", "groups:read"}),
        "member_left_channel": frozenset({"channels:read", "groups:read"}),
        "message.channels": frozenset({"channels:history"}),
        "message.groups": frozenset({"groups:history"}),
        "message.im": frozenset({"im:history"}),
        "reaction_added": frozenset({"reactions:read"}),
        "reaction_removed": frozenset({"reactions:read"}),
        "subteam_members_changed": frozenset({"usergroups:read"}),
        "subteam_updated": frozenset({"usergroups:read"}),
    }
)


class Events:
    """A witness of the workspace. Deliveries run beside whatever caused them, and end with `close`."""

    def __init__(self, workspace: Workspace, deliveries: Deliveries) -> None:
        self.retry_after: tuple[timedelta, ...] = RETRY_AFTER
        self._workspace = workspace
        self._deliveries = deliveries
        self._installation = Installation(workspace.team, workspace.app)
        self._under_way: set[asyncio.Task[None]] = set()

    def posted(self, channel: Channel, message: Message) -> None:
        shown = self._workspace.message_json(message)
        shown |= {"channel": channel.id, "event_ts": message.ts}
        if message.thread_ts:
            shown["parent_user_id"] = channel.messages[message.thread_ts].user
        self._message(channel, shown)
        self._mention(channel, message, shown)
        for file in message.files:
            named = {"file_id": file.id, "user_id": message.user, "file": {"id": file.id}}
            self._tell("file_shared", {"channel_id": channel.id} | named, channel)

    def updated(self, channel: Channel, message: Message, before: Json) -> None:
        after = self._workspace.message_json(message)
        self._message(channel, self._hidden(channel, "message_changed", before) | {"message": after})
        # Told again, with `edited`, when the message names the app now, whether or not it did before
        # (slackapi/bolt-js#960; a whole payload in slack-go/slack#1256).
        self._mention(channel, message, after | {"channel": channel.id, "event_ts": self._workspace.new_ts()})

    def deleted(self, channel: Channel, before: Json) -> None:
        self._message(channel, self._hidden(channel, "message_deleted", before) | {"deleted_ts": before["ts"]})

    def joined(self, channel: Channel, user: User) -> None:
        self._tell("member_joined_channel", _membership(channel, user), channel)

    def left(self, channel: Channel, user: User) -> None:
        self._tell("member_left_channel", _membership(channel, user), channel)

    def archived(self, channel: Channel) -> None:
        """Archived or brought back."""
        family = "channel" if channel.kind is ChannelKind.PUBLIC else "group"
        happened = "archive" if channel.archived else "unarchive"
        self._tell(f"{family}_{happened}", {"channel": channel.id, "user": self._workspace.owner}, channel)

    def reacted(self, channel: Channel, message: Message, reaction: Reaction) -> None:
        item = {"type": "message", "channel": channel.id, "ts": message.ts}
        event = {"user": reaction.user, "reaction": reaction.name, "item_user": message.user, "item": item}
        self._tell("reaction_added" if reaction.added else "reaction_removed", event, channel)

    def group_changed(self, group: UserGroup, added: list[str], removed: list[str]) -> None:
        self._tell("subteam_updated", {"subteam": group.to_json(with_users=True)})
        now = int(self._workspace.clock.wall())
        event = {
            "subteam_id": group.id,
            "team_id": group.team_id,
            "date_previous_update": now,
            "date_update": now,
            "added_users": added,
            "added_users_count": str(len(added)),
            "removed_users": removed,
            "removed_users_count": str(len(removed)),
        }
        self._tell("subteam_members_changed", event)

    def home_opened(self, user: User, tab: str) -> None:
        """A person looks at the app's Home tab or at its messages; the event carries what the tab shows by then."""
        channel = self._workspace.direct_channel(user.id)
        event: Json = {"user": user.id, "channel": channel.id, "tab": tab}
        homes = (view for view in self._workspace.views.values() if view.user == user.id and view.kind == "home")
        for view in homes:
            event["view"] = view.to_json(team_id=self._workspace.team.id, app=self._workspace.app)
        self._tell("app_home_opened", event, channel)

    def uninstalled(self) -> None:
        self._tell("app_uninstalled", {})
        self.tokens_revoked()

    def tokens_revoked(self) -> None:
        self._tell("tokens_revoked", {"tokens": {"oauth": [], "bot": [self._workspace.app.bot_user]}})

    async def close(self) -> None:
        """Give up what is still under way: nobody is left to be told."""
        for delivery in self._under_way:
            delivery.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _hidden(self, channel: Channel, subtype: str, before: Json) -> Json:
        return {
            "type": "message",
            "subtype": subtype,
            "channel": channel.id,
            "hidden": True,
            "ts": self._workspace.new_ts(),
            "previous_message": before,
        }

    def _mention(self, channel: Channel, message: Message, shown: Json) -> None:
        mentioned = f"<@{self._workspace.app.bot_user}>" in message.text
        if mentioned and message.by_app is None and channel.kind is not ChannelKind.DIRECT:
            self._tell("app_mention", shown | {"type": "app_mention"}, channel)

    def _message(self, channel: Channel, event: Json) -> None:
        self._tell(SUBSCRIPTION[channel.kind], event | {"channel_type": channel.kind.value}, channel)

    def _tell(self, subscription: str, event: Json, channel: Channel | None = None) -> None:
        """Start a delivery, if the app subscribed to it, may know of it and is where it happened."""
        app = self._workspace.app
        needed = SCOPES.get(subscription)
        outside = channel is not None and app.bot_user not in channel.members
        if subscription not in app.events or outside or (needed and not needed & app.scopes):
            return
        told = {"type": subscription, "event_ts": self._workspace.new_ts()} | event
        where = channel.id if channel else ""
        payload = self._installation.event(told, at=int(self._workspace.clock.wall()), channel=where)
        self._start(self._deliver(payload))

    def _start(self, delivery: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(delivery)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, payload: Json) -> None:
        """Once, and again after each wait until it is acked. Every attempt is a new envelope of the same event."""
        retry = Retry()
        for wait in (*self.retry_after, None):
            ack = await self._deliveries.deliver(EnvelopeKind.EVENT, payload, accepts_response=False, retry=retry)
            if ack.outcome is AckOutcome.ACKED or ack.final or wait is None:
                return
            retry = Retry(retry.attempt + 1, REASONS[ack.outcome])
            await self._workspace.clock.sleep(wait)


def _membership(channel: Channel, user: User) -> Json:
    kind = {ChannelKind.PUBLIC: "C", ChannelKind.PRIVATE: "G"}.get(channel.kind, "D")
    return {"user": user.id, "channel": channel.id, "channel_type": kind, "team": user.team_id}
