"""One call of the Web API: its arguments, who makes it, and the checks that many methods share."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from bot.playground.slack.changes import Json
from bot.playground.slack.records import Channel, ChannelKind, Message, User
from bot.playground.slack.refusal import ApiRefusalError
from bot.playground.slack.workspace import Workspace

Item = TypeVar("Item")
TRUE = frozenset({"1", "true", "True"})


class TokenKind(StrEnum):
    BOT = "bot"
    APP = "app"


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of one call, whichever of query, form or JSON they came in."""

    workspace: Workspace
    arguments: Mapping[str, Any]
    token: TokenKind = TokenKind.BOT

    @property
    def bot(self) -> User:
        return self.workspace.users[self.workspace.app.bot_user]

    def text(self, name: str) -> str:
        """A required string."""
        value = self.arguments.get(name)
        if value in (None, ""):
            raise ApiRefusalError("invalid_arguments", messages=[f"missing required field: {name}"])
        return str(value)

    def optional(self, name: str) -> str | None:
        value = self.arguments.get(name)
        return None if value in (None, "") else str(value)

    def flag(self, name: str) -> bool:
        value = self.arguments.get(name)
        return value is True or str(value) in TRUE

    def number(self, name: str, *, default: int, at_most: int) -> int:
        value = self.arguments.get(name)
        if value in (None, ""):
            return default
        try:
            number = int(str(value))
        except ValueError:
            raise ApiRefusalError(
                "invalid_arguments", messages=[f"must be an integer [json-pointer:/{name}]"]
            ) from None
        if number < 0:
            raise ApiRefusalError("invalid_limit")
        return min(number or default, at_most)

    def need(self, *scopes: str) -> None:
        """Refused unless the app was granted one of `scopes`."""
        granted = self.workspace.app.scopes
        if not granted.intersection(scopes):
            raise ApiRefusalError("missing_scope", needed=",".join(scopes), provided=",".join(sorted(granted)))

    def need_for(self, channel: Channel, permission: str) -> None:
        """A scope that differs by kind of conversation, as in channels:history, groups:history, im:history."""
        family = {ChannelKind.PUBLIC: "channels", ChannelKind.PRIVATE: "groups", ChannelKind.DIRECT: "im"}
        self.need(f"{family[channel.kind]}:{permission}")

    def channel(self, name: str = "channel") -> Channel:
        """A conversation that the bot can see. Refused as not found when it is somebody else's secret."""
        return self.visible(self.workspace.channels.get(self.text(name)))

    def visible(self, channel: Channel | None) -> Channel:
        hidden = channel is not None and channel.kind is not ChannelKind.PUBLIC and self.bot.id not in channel.members
        if channel is None or hidden:
            raise ApiRefusalError("channel_not_found")
        return channel

    def message(self, channel: Channel, name: str, *, otherwise: str = "message_not_found") -> Message:
        found = channel.messages.get(self.text(name))
        if found is None or found.tombstone:
            raise ApiRefusalError(otherwise)
        return found

    def user(self, name: str = "user") -> User:
        found = self.workspace.users.get(self.text(name))
        if found is None:
            raise ApiRefusalError("user_not_found")
        return found

    def page(self, items: Sequence[Item], *, default: int = 100) -> tuple[list[Item], str]:
        """One page of `items`, and the cursor of the next one or an empty string."""
        start = _decode(self.optional("cursor"))
        size = self.number("limit", default=default, at_most=1000)
        following = start + size
        return list(items[start:following]), _encode(following) if following < len(items) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method of the Web API: what it does, and what it asks of the token."""

    run: Callable[[Call], Json]
    scopes: tuple[str, ...] = ()
    token: TokenKind | None = TokenKind.BOT


def paged(answer: Json, cursor: str) -> Json:
    return answer | {"response_metadata": {"next_cursor": cursor}}


def _encode(offset: int) -> str:
    return base64.b64encode(f"offset:{offset}".encode()).decode()


def _decode(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        kind, _, offset = base64.b64decode(cursor, validate=True).decode().partition(":")
        if kind == "offset":
            return int(offset)
    except (binascii.Error, ValueError):
        pass
    raise ApiRefusalError("invalid_cursor")
