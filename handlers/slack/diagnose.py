"""How a diagnosis is asked for: /diagnose, a message's menu, a mention, a direct message, a dropped file, a button.

The command is carried out before it is acked. The others may need files and threads first, which takes longer than
Slack waits: they are kept as errands before they are acked, and `errands` does them. Events of bots, of edits and of
ourselves are acked and left alone.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.response import BoltResponse

from bot.operations.port import Answer, Person, Question, Verbs
from bot.slack.port import Errand, ErrandKind, Whispers
from bot.slack.threads import text_of
from handlers.slack.boundary import answered, as_message
from handlers.slack.deliveries import Deliveries
from handlers.slack.errands import Errander
from handlers.slack.parse_diagnose import parse_command

LOG_SHORTCUT: Final = "cm.diagnose-log"
"""The callback_id of "Diagnose this log" in a message's menu."""

_SAYING: Final = frozenset({"", "file_share", "thread_broadcast"})
"""Subtypes of messages in which a person says something anew."""


class DiagnoseCommand:
    """/diagnose, as typed."""

    def __init__(self, verbs: Verbs, deliveries: Deliveries) -> None:
        self._verbs = verbs
        self._deliveries = deliveries

    async def typed(self, ack: AsyncAck, command: Mapping[str, Any]) -> None:
        told = await self._deliveries.once("order", str(command["trigger_id"]), lambda: self._carried_out(command))
        await ack(**as_message(told.answer))

    async def _carried_out(self, command: Mapping[str, Any]) -> Answer:
        asked = parse_command(str(command.get("text") or ""))
        channel = str(command["channel_id"])
        who = Person(user_id=str(command["user_id"]), channel=channel)
        question = Question(channel, typed=asked.name, since=asked.since)
        return await self._verbs.diagnose(who, question, dedupe=str(command["trigger_id"]))


class Heard:
    """Listeners that keep an errand. For events they are middleware: what cannot be kept is not acked, and comes again.

    `bot_user` is who we are, by Slack's id.
    """

    def __init__(self, errander: Errander, whispers: Whispers, *, bot_user: str) -> None:
        self._errander = errander
        self._whispers = whispers
        self._bot_user = bot_user
        self._addressed = re.compile(rf"<@{re.escape(bot_user)}(?:\|[^>]*)?>")

    async def shortcut(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """A message's menu: "Diagnose this log"."""
        message = body["message"]
        errand = Errand(
            id=f"shortcut-{body['trigger_id']}",
            kind=ErrandKind.SHORTCUT,
            user=str(body["user"]["id"]),
            channel=str(body["channel"]["id"]),
            ts=str(message["ts"]),
            thread=str(message.get("thread_ts") or ""),
            text=text_of(message),
            files=_files(message),
            response_url=str(body.get("response_url") or ""),
        )
        await self._keep(errand, ack)

    async def button(self, ack: AsyncAck, body: Mapping[str, Any], action: Mapping[str, Any]) -> None:
        """The button of an offer. It carries the message whose files it means; whose they are is looked up again."""
        ts, _, thread = str(action.get("value") or "").partition(" ")
        channel = str(body["channel"]["id"])
        errand = Errand(
            id=f"offer-{channel}-{ts}",
            kind=ErrandKind.DROP,
            user=str(body["user"]["id"]),
            channel=channel,
            ts=ts,
            thread=thread,
            response_url=str(body.get("response_url") or ""),
        )
        await self._keep(errand, ack)

    async def mention(self, event: Mapping[str, Any], next: Callable[[], Awaitable[None]]) -> BoltResponse:  # noqa: A002, ARG002 - Bolt passes arguments by name
        """Somebody named us in a channel. In a direct message nobody needs to, and `message` tells of it."""
        if self._is_said(event) and not str(event["channel"]).startswith("D"):
            await self._errander.keep(self._told(event, str(event.get("text") or "")))
        return BoltResponse(status=200)

    async def message(self, event: Mapping[str, Any], next: Callable[[], Awaitable[None]]) -> BoltResponse:  # noqa: A002, ARG002
        """Somebody wrote to us directly."""
        if self._is_said(event) and event.get("channel_type") == "im":
            await self._errander.keep(self._told(event, str(event.get("text") or "")))
        return BoltResponse(status=200)

    async def file(self, event: Mapping[str, Any], next: Callable[[], Awaitable[None]]) -> BoltResponse:  # noqa: A002, ARG002
        """A file was put into a channel. Those in direct messages come with their message."""
        channel, user = str(event.get("channel_id") or ""), str(event.get("user_id") or "")
        if channel and not channel.startswith("D") and user != self._bot_user:
            file = str(event["file_id"])
            dropped = Errand(f"file-{channel}-{file}", ErrandKind.DROP, user, channel, files=(file,), asked=False)
            await self._errander.keep(dropped)
        return BoltResponse(status=200)

    def _is_said(self, event: Mapping[str, Any]) -> bool:
        """A person said it, and said it just now."""
        by_app = event.get("bot_id") or event.get("app_id") or event.get("user") in (None, self._bot_user)
        return not by_app and not event.get("edited") and str(event.get("subtype") or "") in _SAYING

    def _told(self, event: Mapping[str, Any], text: str) -> Errand:
        found = self._addressed.search(text)
        channel, ts = str(event["channel"]), str(event["ts"])
        return Errand(
            id=f"said-{channel}-{ts}",  # not the event's id: an edit or a second subscription is the same message
            kind=ErrandKind.MENTION,
            user=str(event["user"]),
            channel=channel,
            ts=ts,
            thread=str(event.get("thread_ts") or ""),
            text=text[found.end() :] if found else text,
            files=_files(event),
        )

    async def _keep(self, errand: Errand, ack: AsyncAck) -> None:
        """Keep it, then ack. An errand that was not kept is said at once: Slack sends no click again."""

        async def kept() -> Answer:
            await self._errander.keep(errand)
            return Answer("")

        answer = await answered(kept())
        await ack()
        if answer.text and errand.response_url:
            await self._whispers.respond(errand.response_url, {**as_message(answer), "replace_original": False})


def _files(message: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(file["id"]) for file in message.get("files") or () if file.get("id"))
