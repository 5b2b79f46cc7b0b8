"""The workspace itself: who and what is there, and the changes that can happen to it.

Permissions, limits and wire formats belong to the Web API; people's gestures belong to `person`.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.errors import UserError
from bot.playground.slack.changes import ChangeFeed, ChangeKind, Json
from bot.playground.slack.clock import Clock, Stamps
from bot.playground.slack.file_record import File, Share
from bot.playground.slack.records import (
    App,
    Channel,
    ChannelKind,
    Ephemeral,
    EphemeralSource,
    Message,
    Team,
    User,
    UserGroup,
    View,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a message says. `metadata` None means "not mentioned", which keeps the old one on an update."""

    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    metadata: Json | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """One message posted or edited: what rate tests look at. `at` is steady time in seconds."""

    kind: ChangeKind
    channel: str
    ts: str
    at: float
    by_app: bool


# What the app sent to be seen: "message", "ephemeral", "response_url" or "view", and the payload as it was sent.
Listener = Callable[[str, Json], None]
EMOJI = re.compile(r"[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?")
JSON_FIELDS = frozenset({"attachments", "blocks", "files", "metadata", "view"})
SHARE_FAMILY = {ChannelKind.PUBLIC: "public", ChannelKind.PRIVATE: "private", ChannelKind.DIRECT: "private"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """One person's reaction to a message, made or taken back."""

    user: str
    name: str
    added: bool


class Witness(Protocol):
    """Told of what the Events API would tell an app; told after the change is made."""

    def posted(self, channel: Channel, message: Message) -> None: ...
    def updated(self, channel: Channel, message: Message, before: Json) -> None: ...
    def deleted(self, channel: Channel, before: Json) -> None: ...
    def joined(self, channel: Channel, user: User) -> None: ...
    def left(self, channel: Channel, user: User) -> None: ...
    def archived(self, channel: Channel) -> None: ...
    def reacted(self, channel: Channel, message: Message, reaction: Reaction) -> None: ...
    def group_changed(self, group: UserGroup, added: list[str], removed: list[str]) -> None: ...


class Workspace:
    """One team with one app installed in it. Belongs to one event loop; every change is published at once."""

    def __init__(self, *, team: Team, app: App, clock: Clock) -> None:
        self.team = team
        self.app = app
        self.clock = clock
        self.changes = ChangeFeed()
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, UserGroup] = {}
        self.ephemerals: list[Ephemeral] = []
        self.views: dict[str, View] = {}
        self.traffic: list[Traffic] = []
        self.witnesses: list[Witness] = []
        self.on_said: list[Listener] = []
        self._stamps = Stamps(clock)

    @property
    def owner(self) -> str:
        """Who administers the workspace: the first person in it."""
        return next(user.id for user in self.users.values() if not user.is_bot)

    # People and places

    def add_user(self, user_id: str, name: str, *, real_name: str = "", is_bot: bool = False) -> User:
        email = "" if is_bot else f"{name}@{self.team.domain}.example.net"
        shown = real_name or name.title()
        user = User(id=user_id, name=name, real_name=shown, team_id=self.team.id, is_bot=is_bot, email=email)
        self.users[user.id] = user
        return user

    def add_channel(
        self,
        name: str,
        *,
        channel_id: str = "",
        kind: ChannelKind = ChannelKind.PUBLIC,
        members: list[str] | None = None,
    ) -> Channel:
        """A new channel. Without `members` everybody is in it, the bot too."""
        channel = Channel(
            id=channel_id or make_id("C"),
            name=name.removeprefix("#"),
            kind=kind,
            created=int(self.clock.wall()),
            members=list(self.users) if members is None else list(members),
        )
        self.channels[channel.id] = channel
        self.changes.publish(ChangeKind.CHANNEL, channel=channel.id)
        return channel

    def direct_channel(self, user_id: str) -> Channel:
        """The conversation between `user_id` and the bot, opened when it is first needed."""
        for channel in self.channels.values():
            if channel.kind is ChannelKind.DIRECT and user_id in channel.members:
                return channel
        members = [user_id, self.app.bot_user]
        return self.add_channel("directmessage", channel_id=make_id("D"), kind=ChannelKind.DIRECT, members=members)

    def user(self, ref: str) -> User:
        """A user by id or by name. Refused with the names there are."""
        name = ref.removeprefix("@")
        for user in self.users.values():
            if name in {user.id, user.name}:
                return user
        raise UserError(
            f"There is no user {ref!r} in this workspace: {', '.join(u.name for u in self.users.values())}."
        )

    def channel(self, ref: str) -> Channel:
        """A channel by id, by #name or by name. Refused with the names there are."""
        name = ref.removeprefix("#")
        for channel in self.channels.values():
            if name == channel.id or (name == channel.name and channel.kind is not ChannelKind.DIRECT):
                return channel
        names = (f"#{c.name}" for c in self.channels.values() if c.kind is not ChannelKind.DIRECT)
        raise UserError(f"There is no channel {ref!r} in this workspace: {', '.join(names)}.")

    def join(self, channel: Channel, user: User) -> None:
        if user.id in channel.members:
            return
        channel.members.append(user.id)
        self.changes.publish(ChangeKind.MEMBERS, channel=channel.id, subject=user.id)
        for witness in self.witnesses:
            witness.joined(channel, user)

    def leave(self, channel: Channel, user: User) -> None:
        if user.id in channel.members:
            for witness in self.witnesses:
                witness.left(channel, user)
            channel.members.remove(user.id)
            self.changes.publish(ChangeKind.MEMBERS, channel=channel.id, subject=user.id)

    def archive(self, channel: Channel, *, archived: bool) -> None:
        channel.archived = archived
        self.changes.publish(ChangeKind.CHANNEL, channel=channel.id)
        for witness in self.witnesses:
            witness.archived(channel)

    def restrict(self, channel: Channel, *, restricted: bool) -> None:
        """Let an administrator's preference keep apps from posting here."""
        channel.restricted = restricted
        self.changes.publish(ChangeKind.CHANNEL, channel=channel.id)

    def set_group(self, group: UserGroup, users: list[str]) -> None:
        """From now on these are in the user group, and no others."""
        added = [user for user in users if user not in group.users]
        removed = [user for user in group.users if user not in users]
        group.users = list(users)
        for witness in self.witnesses:
            witness.group_changed(group, added, removed)

    # Messages

    def new_ts(self) -> str:
        return self._stamps.next()

    def post(
        self,
        channel: Channel,
        user: User,
        content: Content,
        *,
        by_app: App | None = None,
        thread_ts: str | None = None,
        broadcast: bool = False,
        files: Sequence[File] = (),
    ) -> Message:
        """Add a message. A `thread_ts` that names a reply is led to the thread's root, as Slack does."""
        parent = channel.messages[thread_ts] if thread_ts else None
        if parent and parent.thread_ts:
            parent = channel.messages[parent.thread_ts]
        message = Message(
            channel=channel.id,
            ts=self.new_ts(),
            user=user.id,
            text=content.text,
            blocks=content.blocks,
            attachments=content.attachments,
            files=list(files),
            metadata=content.metadata or None,
            by_app=by_app,
            thread_ts=parent.ts if parent else None,
            broadcast=broadcast and parent is not None,
        )
        channel.messages[message.ts] = message
        self._hang(message, channel)
        if parent:
            parent.replies.append(message.ts)
            if user.id not in parent.reply_users:
                parent.reply_users.append(user.id)
        self._note(ChangeKind.POSTED, message)
        for witness in self.witnesses:
            witness.posted(channel, message)
        return message

    def update(self, channel: Channel, message: Message, content: Content) -> None:
        """Replace what a message says. Metadata stays unless `content` mentions it; an empty one removes it."""
        before = self.message_json(message)
        message.text, message.blocks, message.attachments = content.text, content.blocks, content.attachments
        if content.metadata is not None:
            message.metadata = content.metadata or None
        message.edited = {"user": message.user, "ts": self.new_ts()}
        self._note(ChangeKind.UPDATED, message)
        for witness in self.witnesses:
            witness.updated(channel, message, before)

    def delete(self, channel: Channel, message: Message) -> None:
        """Remove a message; the root of a thread that has replies leaves a tombstone behind."""
        before = self.message_json(message)
        if message.replies:
            message.text, message.blocks, message.attachments = "This message was deleted.", [], []
            message.tombstone, message.metadata = True, None
        else:
            del channel.messages[message.ts]
            parent = channel.messages.get(message.thread_ts or "")
            if parent:
                parent.replies.remove(message.ts)
        self._note(ChangeKind.DELETED, message)
        for witness in self.witnesses:
            witness.deleted(channel, before)

    def whisper(
        self,
        channel: Channel,
        user: User,
        content: Content,
        *,
        source: EphemeralSource,
        thread_ts: str | None = None,
    ) -> Ephemeral:
        """A message that only `user` sees."""
        ephemeral = Ephemeral(
            channel=channel.id,
            ts=self.new_ts(),
            user=user.id,
            text=content.text,
            blocks=content.blocks,
            source=source,
            thread_ts=thread_ts,
        )
        self.ephemerals.append(ephemeral)
        self.changes.publish(ChangeKind.EPHEMERAL, channel=channel.id, subject=user.id)
        return ephemeral

    def react(self, message: Message, user: User, name: str) -> bool:
        """Add a reaction; False if this user had already made it."""
        who = message.reactions.setdefault(name, [])
        if user.id in who:
            return False
        who.append(user.id)
        self._reacted(message, Reaction(user=user.id, name=name, added=True))
        return True

    def unreact(self, message: Message, user: User, name: str) -> bool:
        """Take a reaction back; False if there was none."""
        who = message.reactions.get(name, [])
        if user.id not in who:
            return False
        who.remove(user.id)
        if not who:
            del message.reactions[name]
        self._reacted(message, Reaction(user=user.id, name=name, added=False))
        return True

    def said(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Tell those who check what the app sends; called when it was found sound, with what was sent."""
        if self.on_said:
            shown = {name: _read(value) if name in JSON_FIELDS else value for name, value in payload.items()}
            for listener in self.on_said:
                listener(kind, shown)

    def message_json(self, message: Message, *, with_metadata: bool = False) -> Json:
        return message.to_json(team_id=self.team.id, with_metadata=with_metadata)

    def _reacted(self, message: Message, reaction: Reaction) -> None:
        self.changes.publish(ChangeKind.REACTION, channel=message.channel, subject=message.ts)
        for witness in self.witnesses:
            witness.reacted(self.channels[message.channel], message, reaction)

    def _hang(self, message: Message, channel: Channel) -> None:
        """Note at each file where it can now be seen."""
        for file in message.files:
            file.shares.append(
                Share(
                    family=SHARE_FAMILY[channel.kind],
                    channel=channel.id,
                    channel_name=channel.name,
                    ts=message.ts,
                    user=message.user,
                    thread_ts=message.thread_ts,
                )
            )

    def _note(self, kind: ChangeKind, message: Message) -> None:
        self.traffic.append(
            Traffic(
                kind=kind,
                channel=message.channel,
                ts=message.ts,
                at=self.clock.steady(),
                by_app=message.by_app is not None,
            )
        )
        self.changes.publish(kind, channel=message.channel, subject=message.ts)


def _read(value: Any) -> Any:
    """What a form carries as a string of JSON, as the JSON that it says."""
    return json.loads(value) if isinstance(value, str) and value else value


def emoji_name(written: str) -> str | None:
    """The name of an emoji, written with or without its colons; None if it cannot be one."""
    name = written.strip().strip(":")
    return name if EMOJI.fullmatch(name) else None


def make_id(prefix: str) -> str:
    """An id in Slack's shape: a letter for the kind, then capitals and digits."""
    return prefix + "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(10))
