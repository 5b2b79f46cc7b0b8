"""response_url: a secret address that lets the app answer one command or click, five times within half an hour."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import web

from bot.playground.slack.changes import ChangeKind, Json
from bot.playground.slack.content import read_content
from bot.playground.slack.records import Channel, Ephemeral, EphemeralSource, Message, User
from bot.playground.slack.refusal import ApiRefusalError
from bot.playground.slack.wiretap import Way, Wiretap
from bot.playground.slack.workspace import Content, Workspace

LIFETIME = timedelta(minutes=30)
USES = 5
PATH = "/response/{secret}"


@dataclass(slots=True, kw_only=True)
class _Issued:
    user: User
    channel: Channel
    original: Message | Ephemeral | None
    expires: float
    left: int = USES


class ResponseUrls:
    """Hands them out and serves them. `origin` is where the server can be reached; known once it listens."""

    def __init__(self, workspace: Workspace, wiretap: Wiretap) -> None:
        self.origin = ""
        self._wiretap = wiretap
        self._workspace = workspace
        self._issued: dict[str, _Issued] = {}

    def issue(self, user: User, channel: Channel, *, original: Message | Ephemeral | None = None) -> str:
        secret = secrets.token_urlsafe(18)
        self._issued[secret] = _Issued(
            user=user,
            channel=channel,
            original=original,
            expires=self._workspace.clock.steady() + LIFETIME.total_seconds(),
        )
        return self.origin + PATH.format(secret=secret)

    async def handle(self, request: web.Request) -> web.Response:
        sent: Json = {}
        try:
            issued = self._spend(request.match_info["secret"])
            sent = await _body(request)
            self._respond(issued, sent)
        except ApiRefusalError as refusal:
            self._wiretap.note(Way.TO_SLACK, "response_url", sent, refusal.to_json())
            spent = refusal.code in {"used_url", "expired_url", "invalid_url"}
            return web.json_response(refusal.to_json(), status=404 if spent else 400)
        self._wiretap.note(Way.TO_SLACK, "response_url", sent, {"ok": True})
        return web.Response(text="ok")

    def _spend(self, secret: str) -> _Issued:
        issued = self._issued.get(secret)
        if issued is None:
            raise ApiRefusalError("invalid_url")
        if self._workspace.clock.steady() > issued.expires:
            raise ApiRefusalError("expired_url")
        if not issued.left:
            raise ApiRefusalError("used_url")
        issued.left -= 1
        return issued

    def _respond(self, issued: _Issued, sent: Json) -> None:
        if sent.get("delete_original"):
            self._delete(issued)
            return
        content = read_content(sent)
        self._workspace.said("response_url", sent)
        if sent.get("replace_original") and issued.original is not None:
            self._replace(issued.channel, issued.original, content)
        elif sent.get("response_type") == "in_channel":
            self._post(issued, sent, content)
        else:
            self._workspace.whisper(issued.channel, issued.user, content, source=EphemeralSource.RESPONSE_URL)

    def _post(self, issued: _Issued, sent: Json, content: Content) -> None:
        thread_ts = sent.get("thread_ts")
        if thread_ts is not None and thread_ts not in issued.channel.messages:
            raise ApiRefusalError("thread_not_found")
        app = self._workspace.app
        bot = self._workspace.users[app.bot_user]
        self._workspace.post(issued.channel, bot, content, by_app=app, thread_ts=thread_ts)

    def _replace(self, channel: Channel, original: Message | Ephemeral, content: Content) -> None:
        if isinstance(original, Message):
            self._workspace.update(channel, original, content)
            return
        original.text, original.blocks = content.text, content.blocks
        self._workspace.changes.publish(ChangeKind.EPHEMERAL, channel=channel.id, subject=original.user)

    def _delete(self, issued: _Issued) -> None:
        original = issued.original
        if isinstance(original, Message) and original.ts in issued.channel.messages:
            self._workspace.delete(issued.channel, original)
        elif isinstance(original, Ephemeral) and original in self._workspace.ephemerals:
            self._workspace.ephemerals.remove(original)
            self._workspace.changes.publish(ChangeKind.EPHEMERAL, channel=original.channel, subject=original.user)


async def _body(request: web.Request) -> Json:
    try:
        sent: Any = await request.json()
    except ValueError:
        raise ApiRefusalError("invalid_payload") from None
    if not isinstance(sent, dict):
        raise ApiRefusalError("invalid_payload")
    return sent
