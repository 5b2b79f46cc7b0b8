"""chat.startStream, chat.appendStream, chat.stopStream: a message that grows while it is read.

How Slack stores such a message is not documented; here its Markdown is one markdown block, followed by one task card
for every task that was told of (invented).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.playground.slack.calls import Call, Method
from bot.playground.slack.changes import Json
from bot.playground.slack.content import as_stored, decoded, read_content
from bot.playground.slack.records import ChannelKind, Message
from bot.playground.slack.refusal import ApiRefusalError
from bot.playground.slack.workspace import Content

MARKDOWN = 12_000
CHUNK_TEXT = 256
CHUNKS = frozenset({"markdown_text", "task_update", "plan_update", "blocks"})
DISPLAY_MODES = frozenset({None, "timeline", "plan"})
WRITE = ("chat:write",)


class StreamMethods:
    """Knows which messages still grow, and what has been told in them."""

    def __init__(self) -> None:
        self._growing: dict[str, _Stream] = {}

    def methods(self) -> Mapping[str, Method]:
        return {
            "chat.startStream": Method(run=self.start, scopes=WRITE),
            "chat.appendStream": Method(run=self.append, scopes=WRITE),
            "chat.stopStream": Method(run=self.stop, scopes=WRITE),
        }

    def start(self, call: Call) -> Json:
        channel = call.channel()
        if call.bot.id not in channel.members:
            raise ApiRefusalError("not_in_channel")
        for name in () if channel.kind is ChannelKind.DIRECT else ("recipient_team_id", "recipient_user_id"):
            if call.optional(name) is None:
                raise ApiRefusalError(f"missing_{name}")
        if call.optional("task_display_mode") not in DISPLAY_MODES:
            raise ApiRefusalError("invalid_arguments", messages=["must be one of: timeline, plan"])
        thread_ts = call.optional("thread_ts")
        if thread_ts is not None and thread_ts not in channel.messages:
            raise ApiRefusalError("thread_not_found")
        stream = _Stream()
        stream.take(call)
        message = call.workspace.post(
            channel, call.bot, stream.content(), by_app=call.workspace.app, thread_ts=thread_ts
        )
        self._growing[message.ts] = stream
        return {"channel": channel.id, "ts": message.ts}

    def append(self, call: Call) -> Json:
        message, stream = self._found(call)
        if call.optional("markdown_text") is None and not call.arguments.get("chunks"):
            raise ApiRefusalError("no_text")
        stream.take(call)
        call.workspace.update(call.channel(), message, stream.content())
        return {"channel": message.channel, "ts": message.ts}

    def stop(self, call: Call) -> Json:
        """The last words, perhaps with blocks under them and metadata; then the message grows no more."""
        message, stream = self._found(call)
        stream.take(call)
        closing = Content()
        if call.optional("blocks") or call.optional("metadata"):
            named = {name: call.arguments.get(name) for name in ("blocks", "metadata")}
            closing = read_content(named | {"text": stream.markdown or " "})
        call.workspace.update(call.channel(), message, stream.content(closing))
        del self._growing[message.ts]
        shown = call.workspace.message_json(message, with_metadata=True)
        return {"channel": message.channel, "ts": message.ts, "message": shown}

    def _found(self, call: Call) -> tuple[Message, _Stream]:
        message = call.message(call.channel(), "ts")
        stream = self._growing.get(message.ts)
        if stream is None:
            raise ApiRefusalError("message_not_in_streaming_state")
        return message, stream


class _Stream:
    def __init__(self) -> None:
        self.markdown = ""
        self._tasks: dict[str, Json] = {}
        self._blocks: list[Json] = []

    def take(self, call: Call) -> None:
        """What this call adds."""
        self.markdown += call.optional("markdown_text") or ""
        chunks: Any = decoded(call.arguments.get("chunks"), otherwise="invalid_chunks") or []
        for chunk in chunks:
            self._take_chunk(chunk)
        if len(self.markdown) > MARKDOWN:
            raise ApiRefusalError("msg_too_long")

    def content(self, closing: Content | None = None) -> Content:
        blocks: list[Json] = [{"type": "markdown", "text": self.markdown}] if self.markdown else []
        blocks += [*self._tasks.values(), *self._blocks]
        stored = as_stored(blocks)
        if closing is None:
            return Content(text=self.markdown, blocks=stored)
        return Content(text=self.markdown, blocks=stored + closing.blocks, metadata=closing.metadata)

    def _take_chunk(self, chunk: Any) -> None:
        kind = chunk.get("type") if isinstance(chunk, dict) else None
        words = [value for name, value in chunk.items() if name in {"title", "details", "output"}] if kind else []
        if kind not in CHUNKS or any(len(str(word)) > CHUNK_TEXT for word in words):
            raise ApiRefusalError("invalid_chunks")
        if kind == "markdown_text":
            self.markdown += str(chunk["text"])
        elif kind == "task_update":
            self._tasks[str(chunk["id"])] = _task(chunk)
        elif kind == "blocks":
            self._blocks += read_content({"blocks": chunk["blocks"]}).blocks


def _task(chunk: Json) -> Json:
    card: Json = {"type": "task_card", "task_id": chunk["id"], "title": chunk["title"], "status": chunk["status"]}
    for name in ("details", "output"):
        if chunk.get(name):
            words = {"type": "rich_text_section", "elements": [{"type": "text", "text": chunk[name]}]}
            card[name] = {"type": "rich_text", "elements": [words]}
    return card
