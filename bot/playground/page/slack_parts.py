"""The parts of Slack's side: what a client shows a person who looks at one place. Asks the player, changes nothing."""

from __future__ import annotations

import json
import statistics
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from bot.errors import UserError
from bot.playground.page.said import Look
from bot.playground.slack.player import SlackPlayer
from bot.playground.slack.records import Channel, ChannelKind, User
from bot.playground.slack.sockets import EnvelopeKind

Json = dict[str, Any]
NEWEST: Final = 300
"""So many messages of a channel or thread are put; a page that lives for days stays quick."""

TRAFFIC_BYTES: Final = 400_000
"""The newest exchanges that fit into this are put."""


@dataclass(slots=True)
class ModalState:
    """What a client knows of an open modal beside its view: what the app found wrong, and whether it is being asked."""

    errors: dict[str, str] = field(default_factory=dict)
    loading: bool = False


class SlackParts:
    """`modals` is kept by whoever carries gestures out."""

    def __init__(self, slack: SlackPlayer, manifest: Json, modals: Mapping[str, ModalState]) -> None:
        self._slack = slack
        self._workspace = slack.workspace
        self._features = manifest.get("features", {})
        self._modals = modals
        self._exchanges: dict[int, str] = {}

    # The same for everybody.

    def workspace(self) -> Json:
        app = self._workspace.app
        return {
            "name": self._workspace.team.name,
            "app": {"id": app.id, "name": app.name, "user_id": app.bot_user, "bot_id": app.bot_id},
            "commands": [
                {key: str(command.get(key, "")) for key in ("command", "description", "usage_hint")}
                for command in self._features.get("slash_commands", ())
            ],
            "shortcuts": [
                {key: str(shortcut.get(key, "")) for key in ("name", "type", "callback_id", "description")}
                for shortcut in self._features.get("shortcuts", ())
            ],
            "users": [self._user(user) for user in self._workspace.users.values()],
            "channels": [self._channel(channel) for channel in self._workspace.channels.values()],
            "groups": [
                {"id": group.id, "handle": group.handle, "name": group.name}
                for group in self._workspace.groups.values()
            ],
        }

    def tally(self) -> Json:
        tally = self._slack.tally
        acks = [seconds * 1000 for seconds in tally.latencies()]
        return {
            "posts": tally.calls["chat.postMessage"],
            "updates": tally.calls["chat.update"],
            "rate_limited": sum(tally.throttled.values()),
            "commands": sum(ack.kind == EnvelopeKind.COMMAND for ack in tally.acks),
            "ack_ms_p50": round(statistics.median(acks), 1) if acks else 0,
            "ack_ms_max": round(max(acks), 1) if acks else 0,
            "connections": [one["envelopes"] for one in self._slack.switches.loads()],
        }

    def traffic(self) -> str:
        """As JSON text: an exchange never changes, so each is written once."""
        known, self._exchanges = self._exchanges, {}
        newest: deque[str] = deque()
        room = TRAFFIC_BYTES
        for exchange in reversed(self._slack.traffic):
            text = known.get(exchange["n"]) or json.dumps(exchange)
            self._exchanges[exchange["n"]] = text
            room -= len(text)
            if room < 0:
                break
            newest.appendleft(text)
        return f"[{','.join(newest)}]"

    # What one person sees.

    def channel(self, look: Look) -> Json:
        own = [m for m in self._ephemerals(look) if not m.get("thread_ts")]
        return {"id": look.channel, "messages": _merged(self._slack.person.history(look.channel), own)}

    def thread(self, look: Look) -> Json | None:
        """None when nothing is looked at, or it is not there any more."""
        if look.thread is None:
            return None
        try:
            parent, *replies = self._slack.person.thread(look.channel, look.thread)
        except UserError:
            return None
        own = [m for m in self._ephemerals(look) if m.get("thread_ts") == look.thread]
        return {"channel": look.channel, "ts": look.thread, "messages": [parent, *_merged(replies, own)]}

    def views(self, look: Look) -> list[Json]:
        opened = [view for view in self._slack.person.views(look.user) if view["type"] == "modal"]
        return [self._view(view) for view in opened]

    def home(self, look: Look) -> Json | None:
        return next((view for view in self._slack.person.views(look.user) if view["type"] == "home"), None)

    def _ephemerals(self, look: Look) -> list[Json]:
        own = (m for m in self._slack.person.ephemerals(look.user) if m["channel"] == look.channel)
        return [self._signed(message) | {"ephemeral": True} for message in own]

    def _signed(self, message: Json) -> Json:
        """By whom it was said: an ephemeral message bears only the name of the one who sees it."""
        if message.get("source") == "slackbot":
            return message | {"user": "USLACKBOT", "username": "Slackbot"}
        app = self._workspace.app
        return message | {"user": app.bot_user, "bot_id": app.bot_id, "username": app.name}

    def _view(self, view: Json) -> Json:
        state = self._modals.get(view["id"], ModalState())
        return {"id": view["id"], "view": view, "errors": state.errors, "loading": state.loading}

    def _user(self, user: User) -> Json:
        groups = (group.handle for group in self._workspace.groups.values() if user.id in group.users)
        return {
            "id": user.id,
            "name": user.name,
            "real_name": user.real_name,
            "is_bot": user.is_bot,
            "groups": list(groups),
        }

    def _channel(self, channel: Channel) -> Json:
        direct = channel.kind is ChannelKind.DIRECT
        return {
            "id": channel.id,
            "name": self._workspace.app.name if direct else channel.name,
            "is_private": channel.kind is not ChannelKind.PUBLIC,
            "is_archived": channel.archived,
            "is_im": direct,
            "topic": "",
            "members": channel.members,
            "last_ts": next(reversed(channel.messages), None),
        }


def _merged(messages: list[Json], ephemerals: list[Json]) -> list[Json]:
    """The newest of both, by time."""
    stamp: Callable[[Json], tuple[int, ...]] = lambda m: tuple(map(int, m["ts"].split(".")))  # noqa: E731
    merged = sorted([*messages, *ephemerals], key=stamp, reverse=True)
    return list(islice(merged, NEWEST))[::-1]
