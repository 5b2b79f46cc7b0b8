"""What a client makes of text that a person typed: rich text, in which mentions and links are things of their own."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from bot.playground.slack.changes import Json
from bot.playground.slack.content import as_stored

REFERENCE = re.compile(r"<([^<>\n]+)>")
BROADCASTS = frozenset({"here", "channel", "everyone"})


def typed_blocks(text: str) -> list[Json]:
    """`text` as it goes over the wire (escaped, with references in angle brackets), as the blocks sent along."""
    if not text:
        return []
    section = {"type": "rich_text_section", "elements": list(_elements(text))}
    return as_stored([{"type": "rich_text", "elements": [section]}])


def _elements(text: str) -> Iterator[Json]:
    end = 0
    for found in REFERENCE.finditer(text):
        reference = _reference(found[1])
        if reference is not None:
            yield from _words(text[end : found.start()])
            yield reference
            end = found.end()
    yield from _words(text[end:])


def _words(text: str) -> Iterator[Json]:
    if text:
        yield {"type": "text", "text": html.unescape(text)}


def _reference(inner: str) -> Json | None:
    """None for what only looks like a reference."""
    target, _, label = inner.partition("|")
    kind, name = target[0], target[1:]
    if kind == "@" and name:
        return {"type": "user", "user_id": name}
    if kind == "#" and name:
        return {"type": "channel", "channel_id": name}
    if target.startswith("!subteam^"):
        return {"type": "usergroup", "usergroup_id": target.removeprefix("!subteam^")}
    if kind == "!" and name in BROADCASTS:
        return {"type": "broadcast", "range": name}
    if target.startswith(("http://", "https://", "mailto:")):
        link = {"type": "link", "url": html.unescape(target)}
        return link | {"text": html.unescape(label)} if label else link
    return None
