"""Finding a message of ours again by its metadata, when nobody knows whether it was posted. Changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import calling
from bot.slack.records import LEASE, Kind, Record, Sent

EVENT_TYPE: Final = "coldmigrate_job"
MOVED_TYPE: Final = "coldmigrate_moved"
"""What a message bears that was a card once: nobody takes it for one again."""
OVER: Final = "over"
"""The mark of a card that shows an end."""
_CHANGES: Final = frozenset({"rev", OVER})
"""What one and the same card bears now and not later."""
PAGE: Final = 200
_CLOCKS_DIFFER: Final = timedelta(minutes=10)
"""Slack's clock and Redis' clock, at most."""

Message = dict[str, Any]


def metadata(record: Record) -> Message:
    """Ids only: any app and any person in the workspace can read it."""
    if record.kind is Kind.AMEND:
        return {"event_type": MOVED_TYPE, "event_payload": {"job_id": record.job}}
    if record.kind is Kind.NOTE:
        return {"event_type": EVENT_TYPE, "event_payload": {"kind": "note", "note": record.name}}
    payload: dict[str, Any] = {"job_id": record.job, "kind": record.kind.value}
    payload |= {"rev": record.revision} if record.kind is Kind.CARD else {record.kind.value: record.name}
    payload |= {"of": record.what} if record.kind is Kind.CARD and record.what else {}
    payload |= {OVER: 1} if record.kind is Kind.CARD and record.over else {}
    return {"event_type": EVENT_TYPE, "event_payload": payload}


def filename(record: Record) -> str:
    """What the file of this record is called, by which it is known again: uploads bear no metadata."""
    return record.file or f"coldmigrate-{record.job}-{record.name}.txt"


async def find(client: AsyncWebClient, record: Record, *, bot_id: str) -> Sent | None:
    """The message that an earlier attempt at `record` made, or None. Only messages of this bot count."""
    async for message in _messages(client, record):
        if message.get("bot_id") == bot_id and _is(message, record):
            return Sent(ts=str(message["ts"]), revision=_revision(message) if record.kind is Kind.CARD else 0)
    return None


async def find_at(client: AsyncWebClient, record: Record, ts: str, *, bot_id: str) -> Sent | None:
    """The message at `ts` if this bot posted it, and as the card of the record's job; else None.

    Who asks so has lost track of the card, and of its revisions: what it shows counts as old.
    """
    only: dict[str, Any] = {"latest": ts, "oldest": ts, "inclusive": True, "limit": 2, "include_all_metadata": True}
    if record.thread:  # whose first message comes along, whatever was asked for
        with calling("conversations.replies", about=record.channel):
            page = await client.conversations_replies(channel=record.channel, ts=record.thread, **only)
    else:
        with calling("conversations.history", about=record.channel):
            page = await client.conversations_history(channel=record.channel, **only)
    for message in page.get("messages") or ():
        payload = payload_of(message)
        ours = message.get("bot_id") == bot_id and payload.get("kind") == Kind.CARD
        if message.get("ts") == ts and ours and payload.get("job_id") == record.job:
            return Sent(ts=ts)
    return None


def _is(message: Message, record: Record) -> bool:
    """It is what `record` would post; a card counts at whatever revision, and a file's excuse counts as the file."""
    if record.kind is Kind.FILE and any(file.get("name") == filename(record) for file in message.get("files") or ()):
        return True
    payload, wanted = payload_of(message), metadata(record)["event_payload"]
    return bool(payload) and all(payload.get(key) == value for key, value in wanted.items() if key not in _CHANGES)


async def _messages(client: AsyncWebClient, record: Record) -> AsyncIterator[Message]:
    """What was said when an attempt was under way: in the channel for most cards, in the thread for a reply.

    However much was said before and since: a bot that was away for a night finds its message in a busy channel, too.
    """
    options: dict[str, Any] = {
        "oldest": f"{record.tried - _CLOCKS_DIFFER.total_seconds():.6f}",
        "latest": f"{record.last_tried + (LEASE + _CLOCKS_DIFFER).total_seconds():.6f}",
        "limit": PAGE,
        "include_all_metadata": True,
    }
    channel = await _conversation(client, record)
    while True:
        if not record.under:
            with calling("conversations.history", about=channel):
                page = await client.conversations_history(channel=channel, **options)
        else:
            with calling("conversations.replies", about=channel):
                page = await client.conversations_replies(channel=channel, ts=record.under, **options)
        for message in page.get("messages") or ():
            yield message
        options["cursor"] = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not options["cursor"]:
            return


async def _conversation(client: AsyncWebClient, record: Record) -> str:
    """A note is posted to a person; what was said is read from the conversation."""
    if record.kind is not Kind.NOTE:
        return record.channel
    with calling("conversations.open", about=record.channel):
        answer = await client.conversations_open(users=record.channel)
    return str(answer["channel"]["id"])


def payload_of(message: Message) -> dict[str, Any]:
    found = message.get("metadata") or {}
    payload = found.get("event_payload") if found.get("event_type") == EVENT_TYPE else None
    return payload if isinstance(payload, dict) else {}


def _revision(message: Message) -> int:
    revision = payload_of(message).get("rev")
    return revision if isinstance(revision, int) else 0
