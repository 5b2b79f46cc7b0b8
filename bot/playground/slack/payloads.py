"""The bodies of envelopes, in the shape in which Slack sends them. Pure: everything is passed in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from bot.playground.slack.changes import Json
from bot.playground.slack.records import App, Channel, ChannelKind, Team, User, View

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

    def block_actions(
        self, *, user: User, channel: Channel, message: Json, action: Json, trigger_id: str, response_url: str
    ) -> Json:
        container: Json = {
            "type": "message",
            "message_ts": message["ts"],
            "channel_id": channel.id,
            "is_ephemeral": bool(message.get("is_ephemeral")),
        }
        if message.get("thread_ts"):
            container["thread_ts"] = message["thread_ts"]
        return self._interaction("block_actions", user, trigger_id) | {
            "container": container,
            "channel": _channel_json(channel),
            "message": message,
            "state": {"values": _state(action)},
            "response_url": response_url,
            "actions": [action],
        }

    def view_submission(self, *, user: User, view: View, state: Json, trigger_id: str) -> Json:
        shown = view.to_json(team_id=self.team.id, app=self.app) | {"state": {"values": state}}
        return self._interaction("view_submission", user, trigger_id) | {"view": shown, "response_urls": []}

    def shortcut(self, *, user: User, callback_id: str, trigger_id: str, action_ts: str) -> Json:
        payload = self._interaction("shortcut", user, trigger_id)
        return payload | {"callback_id": callback_id, "action_ts": action_ts}

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
        return self._interaction("message_action", user, trigger_id) | {
            "callback_id": callback_id,
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

    def _interaction(self, kind: str, user: User, trigger_id: str) -> Json:
        return {
            "type": kind,
            "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": self.team.id},
            "api_app_id": self.app.id,
            "token": VERIFICATION_TOKEN,
            "trigger_id": trigger_id,
            "team": self.team.to_json(),
            "enterprise": None,
            "is_enterprise_install": False,
        }


def _shown_name(channel: Channel) -> str:
    return "privategroup" if channel.kind is ChannelKind.PRIVATE else channel.name


def _channel_json(channel: Channel) -> Json:
    return {"id": channel.id, "name": _shown_name(channel)}


def _state(action: Json) -> Json:
    """What stands in the message's own inputs; a button has no state, a menu shows what was just chosen."""
    if action["type"] == "button":
        return {}
    held = {name: value for name, value in action.items() if name.startswith("selected_")} | {"type": action["type"]}
    return {action["block_id"]: {action["action_id"]: held}}
