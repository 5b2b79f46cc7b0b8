"""Finding a message of ours again by its metadata, when nobody knows whether it was posted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import calling
from bot.slack.records import Record, Sent

EVENT_TYPE: Final = "coldmigrate_job"
_PAGE: Final = 200
_PAGES: Final = 10
_CLOCKS_DIFFER: Final = timedelta(minutes=10)
"""Slack's clock and Redis' clock, at most."""


def metadata(record: Record) -> dict[str, Any]:
    """Ids only: any app and any person in the workspace can read it."""
    payload: dict[str, Any] = {"job_id": record.job, "kind": record.kind}
    payload |= {"rev": record.revision} if record.kind == "card" else {"reply": record.name}
    return {"event_type": EVENT_TYPE, "event_payload": payload}


async def find(client: AsyncWebClient, record: Record, *, bot_id: str) -> Sent | None:
    """The message that an earlier attempt at `record` made, or None. Only messages of this bot count."""
    async for message in _messages(client, record):
        payload = _payload(message) if message.get("bot_id") == bot_id else {}
        if payload.get("job_id") != record.job or payload.get("kind") != record.kind:
            continue
        if record.kind == "card":
            return Sent(ts=str(message["ts"]), revision=_revision(payload))
        if payload.get("reply") == record.name:
            return Sent(ts=str(message["ts"]))
    return None


async def _messages(client: AsyncWebClient, record: Record) -> AsyncIterator[dict[str, Any]]:
    """Where the message would be: the channel for a card, the card's thread for a reply."""
    oldest = f"{record.created - _CLOCKS_DIFFER.total_seconds():.6f}"
    cursor = ""
    for _ in range(_PAGES):
        options: dict[str, Any] = {"oldest": oldest, "limit": _PAGE, "include_all_metadata": True}
        options |= {"cursor": cursor} if cursor else {}
        if record.kind == "card" or not record.ts:
            with calling("conversations.history", about=record.channel):
                page = await client.conversations_history(channel=record.channel, **options)
        else:
            with calling("conversations.replies", about=record.channel):
                page = await client.conversations_replies(channel=record.channel, ts=record.ts, **options)
        for message in page.get("messages") or ():
            yield message
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return


def _payload(message: dict[str, Any]) -> dict[str, Any]:
    found = message.get("metadata") or {}
    payload = found.get("event_payload") if found.get("event_type") == EVENT_TYPE else None
    return payload if isinstance(payload, dict) else {}


def _revision(payload: dict[str, Any]) -> int:
    revision = payload.get("rev")
    return revision if isinstance(revision, int) else 0
