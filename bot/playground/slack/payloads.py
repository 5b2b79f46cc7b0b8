"""The bodies of envelopes, in the shape in which Slack sends them. Pure: everything is passed in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from bot.playground.slack.changes import Json
from bot.playground.slack.gestures import Control
from bot.playground.slack.records import App, Channel, ChannelKind, Team, User

VERIFICATION_TOKEN = "socket-mode-does-not-use-it"  # noqa: S105  # a field of the payload, not a secret


@dataclass(frozen=True, slots=True)
class Installation:
    """Who speaks: the part that is the same in every payload."""

    team: Team
    app: App

    def command(
        self, *, user: User, channel: Channel, command: str, text: str, trigger_id: str, response_url: str
    ) -> Json:
        return {
            "token": VERIFICATION_TOKEN,
            "team_id": self.team.id,
            "team_domain": self.team.domain,
            "channel_id": channel.id,
            "channel_name": _shown_name(channel),
            "user_id": user.id,
            "user_name": user.name,
            "command": command,
            "text": text,
            "api_app_id": self.app.id,
            "is_enterprise_install": "false",
            "response_url": response_url,
            "trigger_id": trigger_id,
        }

    def in_message(self, channel: Channel, message: Json) -> Json:
        """What an interaction with a message says of the place where it happened."""
        container: Json = {
            "type": "message",
            "message_ts": message["ts"],
            "channel_id": channel.id,
            "is_ephemeral": bool(message.get("is_ephemeral")),
        }
        if message.get("thread_ts"):
            container["thread_ts"] = message["thread_ts"]
        return {"container": container, "channel": _channel_json(channel), "message": message}

    def in_view(self, view: Json) -> Json:
        """The same of a modal or a Home tab."""
        return {"container": {"type": "view", "view_id": view["id"]}, "view": view}

    def message_actions(
        self, *, user: User, surface: Json, state: Json, action: Json, trigger_id: str, response_url: str
    ) -> Json:
        told = {"state": {"values": state}, "response_url": response_url, "actions": [action]}
        return self._interaction("block_actions", user) | surface | told | {"trigger_id": trigger_id}

    def view_actions(self, *, user: User, view: Json, action: Json, trigger_id: str) -> Json:
        told = {"actions": [action], "trigger_id": trigger_id}
        return self._interaction("block_actions", user) | self.in_view(view) | told

    def block_suggestion(self, *, user: User, control: Control, query: str, surface: Json) -> Json:
        asked = {"action_id": control.action_id, "block_id": control.block_id, "value": query}
        return self._interaction("block_suggestion", user) | surface | asked

    def view_submission(self, *, user: User, view: Json, trigger_id: str, response_urls: list[Json]) -> Json:
        told = {"view": view, "trigger_id": trigger_id, "response_urls": response_urls}
        return self._interaction("view_submission", user) | told

    def view_closed(self, *, user: User, view: Json, is_cleared: bool) -> Json:
        return self._interaction("view_closed", user) | {"view": view, "is_cleared": is_cleared}

    def shortcut(self, *, user: User, callback_id: str, trigger_id: str, action_ts: str) -> Json:
        told = {"callback_id": callback_id, "action_ts": action_ts, "trigger_id": trigger_id}
        return self._interaction("shortcut", user) | told

    def message_shortcut(
        self,
        *,
        user: User,
        channel: Channel,
        message: Json,
        callback_id: str,
        trigger_id: str,
        action_ts: str,
        response_url: str,
    ) -> Json:
        return self._interaction("message_action", user) | {
            "callback_id": callback_id,
            "trigger_id": trigger_id,
            "action_ts": action_ts,
            "channel": _channel_json(channel),
            "message_ts": message["ts"],
            "message": message,
            "response_url": response_url,
        }

    def event(self, event: Json, *, at: int, channel: str = "") -> Json:
        """An Events API callback; `event_id` is what tells a retry from a new event."""
        return {
            "token": VERIFICATION_TOKEN,
            "team_id": self.team.id,
            "api_app_id": self.app.id,
            "event": event,
            "type": "event_callback",
            "event_id": f"Ev{uuid.uuid4().hex[:10].upper()}",
            "event_time": at,
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": self.team.id,
                    "user_id": self.app.bot_user,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
            "event_context": f"4-{event['type']}-{self.team.id}-{self.app.id}-{channel}",
        }

    def _interaction(self, kind: str, user: User) -> Json:
        return {
            "type": kind,
            "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": self.team.id},
            "api_app_id": self.app.id,
            "token": VERIFICATION_TOKEN,
            "team": self.team.to_json(),
            "enterprise": None,
            "is_enterprise_install": False,
        }


def _shown_name(channel: Channel) -> str:
    return "privategroup" if channel.kind is ChannelKind.PRIVATE else channel.name


def _channel_json(channel: Channel) -> Json:
    return {"id": channel.id, "name": _shown_name(channel)}
