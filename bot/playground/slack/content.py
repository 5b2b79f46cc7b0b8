"""From what an app sent to what a message says: the checks that every way of sending a message shares."""

from __future__ import annotations

import copy
import json
import re
import secrets
from collections.abc import Mapping
from typing import Any

from bot.playground.slack.block_kit import (
    MESSAGE_CHARACTERS,
    message_problems,
    only_one_table,
    total_characters,
    walk,
)
from bot.playground.slack.changes import Json
from bot.playground.slack.refusal import ApiRefusalError
from bot.playground.slack.workspace import Content

TEXT_IS_CUT_AT = 40_000
MARKDOWN_TEXT = 12_000
MOST_ATTACHMENTS = 100
METADATA_BYTES = 16_384
EVENT_TYPE = re.compile(r"[A-Za-z0-9_]{1,255}")
INTERACTIVE = re.compile(r"button|overflow|checkboxes|radio_buttons|\w+_select|\w*picker|\w+_input")


def read_content(sent: Mapping[str, Any]) -> Content:
    """The content that `sent` describes. Refused with Slack's error strings if there is none or it breaks a rule."""
    text = _text(sent)
    blocks = _blocks(sent)
    attachments = _json_list(sent, "attachments", otherwise="invalid_attachments")
    if len(attachments) > MOST_ATTACHMENTS:
        raise ApiRefusalError("too_many_attachments")
    if not text and not blocks and not attachments:
        raise ApiRefusalError("no_text")
    return Content(text=text, blocks=blocks, attachments=attachments, metadata=_metadata(sent))


def _text(sent: Mapping[str, Any]) -> str:
    markdown = sent.get("markdown_text")
    if markdown and (sent.get("text") or sent.get("blocks")):
        raise ApiRefusalError("markdown_text_conflict")
    if markdown and len(str(markdown)) > MARKDOWN_TEXT:
        raise ApiRefusalError("msg_too_long")
    text = markdown or sent.get("text") or ""
    if not isinstance(text, str):
        raise ApiRefusalError("invalid_arguments", messages=["must provide a string [json-pointer:/text]"])
    return text[:TEXT_IS_CUT_AT]


def _blocks(sent: Mapping[str, Any]) -> list[Json]:
    blocks = _json_list(sent, "blocks", otherwise="invalid_blocks_format")
    problems = message_problems(blocks) if blocks else []
    if problems:
        raise ApiRefusalError("invalid_blocks", messages=map(str, problems))
    if not only_one_table(blocks):
        raise ApiRefusalError("invalid_attachments", messages=["only_one_table_allowed"])
    if total_characters(blocks) > MESSAGE_CHARACTERS:
        raise ApiRefusalError("msg_blocks_too_long")
    return as_stored(blocks)


def _json_list(sent: Mapping[str, Any], name: str, *, otherwise: str) -> list[Json]:
    """A list of objects, given as JSON or, in a form, as a string of JSON."""
    value = decoded(sent.get(name), otherwise=otherwise)
    if value in (None, ""):
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ApiRefusalError(otherwise)
    return value


def decoded(value: Any, *, otherwise: str) -> Any:
    """`value` itself, or what it says if it is a string of JSON; refused as `otherwise` if that cannot be read."""
    if not isinstance(value, str) or not value:
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ApiRefusalError(otherwise) from None


def _metadata(sent: Mapping[str, Any]) -> Json | None:
    """None when metadata was not mentioned; an empty object when the sender asked to remove it."""
    if sent.get("metadata") is None:
        return None
    metadata = decoded(sent["metadata"], otherwise="invalid_metadata_format")
    if metadata == {}:
        return {}
    if not isinstance(metadata, dict) or set(metadata) - {"event_type", "event_payload", "entities"}:
        raise ApiRefusalError("invalid_metadata_format")
    payload = metadata.get("event_payload")
    if not EVENT_TYPE.fullmatch(str(metadata.get("event_type", ""))) or not isinstance(payload, dict):
        raise ApiRefusalError("invalid_metadata_format")
    if len(json.dumps(metadata).encode()) > METADATA_BYTES:
        raise ApiRefusalError("metadata_too_large")
    return metadata


def as_stored(blocks: list[Json]) -> list[Json]:
    """Blocks as Slack hands them back: ids filled in, and text objects saying what was left to their defaults."""
    stored = copy.deepcopy(blocks)
    contained = [child for block in stored for child in block.get("child_blocks", ())]
    for block in (*stored, *contained):
        block.setdefault("block_id", _short_id())
    for node in walk(stored):
        kind = node.get("type", "")
        if kind == "plain_text":
            node.setdefault("emoji", True)
        elif kind == "mrkdwn":
            node.setdefault("verbatim", False)
        elif INTERACTIVE.fullmatch(kind):
            node.setdefault("action_id", _short_id())
    return stored


def _short_id() -> str:
    return secrets.token_urlsafe(4)[:5]
