"""What a workspace is made of, and each thing's JSON as the Web API shows it. No rules and no I/O live here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.playground.slack.changes import Json
from bot.playground.slack.file_record import File


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    id: str
    name: str
    domain: str

    def to_json(self) -> Json:
        return {"id": self.id, "domain": self.domain}


@dataclass(slots=True, kw_only=True)
class User:
    id: str
    name: str
    real_name: str
    team_id: str
    is_bot: bool = False
    deleted: bool = False
    email: str = ""
    tz: str = "Etc/UTC"
    locale: str = "en-GB"

    def to_json(self) -> Json:
        return {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "real_name": self.real_name,
            "deleted": self.deleted,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "tz": self.tz,
            "tz_label": self.tz,
            "tz_offset": 0,
            "profile": {
                "real_name": self.real_name,
                "display_name": self.name,
                "real_name_normalized": self.real_name,
                "display_name_normalized": self.name,
                "team": self.team_id,
                **({"email": self.email} if self.email else {}),
            },
        }


@dataclass(slots=True, kw_only=True)
class UserGroup:
    id: str
    handle: str
    name: str
    users: list[str]
    team_id: str

    def to_json(self, *, with_users: bool) -> Json:
        shown: Json = {
            "id": self.id,
            "team_id": self.team_id,
            "is_usergroup": True,
            "name": self.name,
            "handle": self.handle,
            "description": "",
            "is_external": False,
            "date_delete": 0,
            "user_count": len(self.users),
        }
        return shown | {"users": list(self.users)} if with_users else shown


@dataclass(slots=True, kw_only=True)
class App:
    """The installed app. `events` and `scopes` are what its manifest asked for; `commands` None accepts any."""

    id: str
    name: str
    bot_id: str
    bot_user: str
    scopes: frozenset[str]
    events: frozenset[str]
    commands: frozenset[str] | None = None


@dataclass(slots=True, kw_only=True)
class Message:
    """One message. Blocks are kept as the API normalised them; text is kept exactly as it was sent."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    thread_ts: str | None = None
    broadcast: bool = False
    by_app: App | None = None
    metadata: Json | None = None
    edited: Json | None = None
    tombstone: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)
    replies: list[str] = field(default_factory=list)
    reply_users: list[str] = field(default_factory=list)

    @property
    def in_channel_view(self) -> bool:
        """Whether the message stands in the channel itself and not only in a thread."""
        return self.thread_ts is None or self.broadcast

    def to_json(self, *, team_id: str, with_metadata: bool = False) -> Json:
        shown: Json = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text, "team": team_id}
        if self.by_app:
            shown |= {
                "bot_id": self.by_app.bot_id,
                "app_id": self.by_app.id,
                "bot_profile": {"id": self.by_app.bot_id, "app_id": self.by_app.id, "name": self.by_app.name},
            }
        if self.tombstone:
            shown |= {"subtype": "tombstone", "hidden": True}
        optional = {"blocks": self.blocks, "attachments": self.attachments, "edited": self.edited}
        shown |= {name: value for name, value in optional.items() if value}
        shown |= self._files_json() | self._thread_json() | self._reactions_json()
        if with_metadata and self.metadata:
            shown["metadata"] = self.metadata
        return shown

    def _files_json(self) -> Json:
        if not self.files:
            return {}
        return {"subtype": "file_share", "upload": True, "files": [file.in_message() for file in self.files]}

    def _thread_json(self) -> Json:
        if self.thread_ts is not None:
            reply: Json = {"thread_ts": self.thread_ts}
            return reply | {"subtype": "thread_broadcast"} if self.broadcast else reply
        if not self.replies:
            return {}
        return {
            "thread_ts": self.ts,
            "reply_count": len(self.replies),
            "reply_users": list(self.reply_users),
            "reply_users_count": len(self.reply_users),
            "latest_reply": self.replies[-1],
            "subscribed": False,
            "is_locked": False,
        }

    def _reactions_json(self) -> Json:
        if not self.reactions:
            return {}
        listed = [{"name": name, "users": list(who), "count": len(who)} for name, who in self.reactions.items()]
        return {"reactions": listed}


class ChannelKind(StrEnum):
    PUBLIC = "channel"
    PRIVATE = "group"
    DIRECT = "im"


@dataclass(slots=True, kw_only=True)
class Channel:
    id: str
    name: str
    kind: ChannelKind
    created: int
    members: list[str] = field(default_factory=list)
    archived: bool = False
    restricted: bool = False
    messages: dict[str, Message] = field(default_factory=dict)

    def to_json(self, *, seen_by: str) -> Json:
        if self.kind is ChannelKind.DIRECT:
            other = next((member for member in self.members if member != seen_by), seen_by)
            return {"id": self.id, "created": self.created, "is_im": True, "is_archived": False, "user": other}
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "created": self.created,
            "is_channel": self.kind is ChannelKind.PUBLIC,
            "is_group": self.kind is ChannelKind.PRIVATE,
            "is_im": False,
            "is_mpim": False,
            "is_private": self.kind is ChannelKind.PRIVATE,
            "is_archived": self.archived,
            "is_general": False,
            "is_shared": False,
            "is_ext_shared": False,
            "is_member": seen_by in self.members,
            "num_members": len(self.members),
            "topic": {"value": "", "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
        }


class EphemeralSource(StrEnum):
    """Who made a message that only one person sees."""

    ACK = "ack"
    API = "chat.postEphemeral"
    RESPONSE_URL = "response_url"
    SLACKBOT = "slackbot"


@dataclass(slots=True, kw_only=True)
class Ephemeral:
    channel: str
    ts: str
    user: str
    text: str
    source: EphemeralSource
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str | None = None

    def to_json(self) -> Json:
        shown: Json = {
            "type": "message",
            "subtype": "bot_message",
            "is_ephemeral": True,
            "channel": self.channel,
            "ts": self.ts,
            "user": self.user,
            "text": self.text,
            "source": self.source.value,
        }
        optional: dict[str, Any] = {"blocks": self.blocks, "thread_ts": self.thread_ts}
        return shown | {name: value for name, value in optional.items() if value}


@dataclass(slots=True, kw_only=True)
class View:
    """A modal or a Home tab that one person has in front of them."""

    id: str
    user: str
    content: Json
    hash: str
    previous: str | None = None
    root: str = ""
    open: bool = True

    @property
    def kind(self) -> str:
        """Which it is: "modal" or "home"."""
        return str(self.content["type"])

    def to_json(self, *, team_id: str, app: App) -> Json:
        return self.content | {
            "id": self.id,
            "team_id": team_id,
            "hash": self.hash,
            "state": {"values": self.content.get("state", {}).get("values", {})},
            "previous_view_id": self.previous,
            "root_view_id": self.root or self.id,
            "app_id": app.id,
            "app_installed_team_id": team_id,
            "bot_id": app.bot_id,
            "external_id": self.content.get("external_id", ""),
            "private_metadata": self.content.get("private_metadata", ""),
            "callback_id": self.content.get("callback_id", ""),
            "clear_on_close": bool(self.content.get("clear_on_close")),
            "notify_on_close": bool(self.content.get("notify_on_close")),
        }
