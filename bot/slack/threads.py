"""What was said in a thread, as far as a diagnosis needs it. Reads, and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import UserError
from bot.slack.client import SlackError, calling
from bot.slack.lookup import EVENT_TYPE
from bot.slack.port import Said, Threads
from bot.slack.records import Kind

MESSAGES: Final = 1000
"""Of a thread, at most; the first ones."""

_PAGE: Final = 200
_CLOSED: Final = frozenset({"thread_not_found", "message_not_found", "channel_not_found", "not_in_channel"})


@dataclass(frozen=True, slots=True)
class _Us:
    """The bot, by its two ids."""

    bot: str
    user: str


class WebThreads(Threads):
    """Slack's own. Who we are is asked at the first reading."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._us: _Us | None = None

    async def read(self, channel: str, ts: str) -> Sequence[Said]:
        us = await self._own_ids()
        said: list[Said] = []
        cursor = ""
        while len(said) < MESSAGES:
            page = await self._page(channel, ts, limit=_PAGE, cursor=cursor or None)
            known = {one.ts for one in said}  # each page begins with the thread's first message again
            said += [_said(message, us) for message in page.get("messages") or () if message["ts"] not in known]
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        return said[:MESSAGES]

    async def message(self, channel: str, ts: str, *, thread: str) -> Said | None:
        us = await self._own_ids()
        page = await self._page(channel, thread or ts, oldest=ts, latest=ts, inclusive=True, limit=2)
        found = (message for message in page.get("messages") or () if message["ts"] == ts)
        return next((_said(message, us) for message in found), None)

    async def _page(self, channel: str, ts: str, **which: Any) -> Mapping[str, Any]:
        try:
            with calling("conversations.replies", about=channel):
                answer = await self._client.conversations_replies(
                    channel=channel, ts=ts, include_all_metadata=True, **which
                )
        except SlackError as error:
            if error.code in _CLOSED:
                raise UserError("I cannot read this thread: it is gone, or I am not in the channel.") from error
            raise
        found: Mapping[str, Any] = answer.data  # type: ignore[assignment]  # bytes only for other kinds of answers
        return found

    async def _own_ids(self) -> _Us:
        if self._us is None:
            with calling("auth.test"):
                found = await self._client.auth_test()
            self._us = _Us(str(found["bot_id"]), str(found["user_id"]))
        return self._us


def _said(message: Mapping[str, Any], us: _Us) -> Said:
    ours = message.get("bot_id") == us.bot
    return Said(
        ts=str(message["ts"]),
        user=str(message.get("user") or ""),
        text=text_of(message),
        files=tuple(str(file["id"]) for file in message.get("files") or () if file.get("id")),
        ours=ours,
        by_app=bool(message.get("bot_id")),
        to_us=f"<@{us.user}" in str(message.get("text") or ""),
        job=_subject(message, "") if ours else "",
        incident=_subject(message, "alert") if ours else "",
    )


def text_of(message: Mapping[str, Any]) -> str:
    """All that it says; what apps post often stands in attachments alone."""
    attached = (str(one.get("text") or one.get("fallback") or "") for one in message.get("attachments") or ())
    return "\n".join(filter(None, [str(message.get("text") or ""), *attached]))


def _subject(message: Mapping[str, Any], of: str) -> str:
    """What this is the card of, if it is one of this kind: see `Record.what`."""
    found = message.get("metadata") or {}
    payload = found.get("event_payload") if found.get("event_type") == EVENT_TYPE else None
    if not isinstance(payload, dict) or payload.get("kind") != Kind.CARD or payload.get("of", "") != of:
        return ""
    return str(payload.get("job_id") or "")
