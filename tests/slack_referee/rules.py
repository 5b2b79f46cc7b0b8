"""Our own rules for messages and views, where neither Slack's types nor its limits say anything.

Some are unwritten ones of Slack (ids used twice, one table, the sum of characters), the others promises of ours: that
no text from outside pings, formats, misleads or hides, and that metadata, which everybody can read, has ids alone.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from tests.slack_referee.limits import nodes

CHARACTERS = 12_000
METADATA_BYTES = 1_000
TABLES = {"table", "data_table"}
# What Slack turns into a ping, a mention or a link wherever it parses text.
PARSED = re.compile(r"<(?:[!@#][^<>\n]*|[a-z][a-z0-9+.-]*:[^<>\n]*)>", re.IGNORECASE)
DATE = re.compile(r"<!date\^")
MARKDOWN_LINK = re.compile(r"\[[^\]\n]*\]\([^)\n]*\)")
MARKDOWN_TABLE = re.compile(r"^\s*\|?\s*:?-{3,}:?\s*(?:\|\s*:?-{3,}:?\s*)+\|?\s*$", re.MULTILINE)
PINGS = {"broadcast", "usergroup"}
ID = re.compile(r"[\w.:/#-]{1,80}")
BARE_ADDRESS = re.compile(r"^\s*(?:https?://)?((?:[\w-]+\.)+[a-z]{2,})", re.IGNORECASE)
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]")

Json = dict[str, Any]
Rule = Callable[[Json], Iterator[str]]


def faults_by_rules(thing: Json, *, surface: str) -> list[str]:
    """Every rule of ours that a message or a view breaks."""
    rules = MESSAGE_RULES if surface == "message" else VIEW_RULES
    return [fault for rule in rules for fault in rule(thing)]


def ids_are_unique(thing: Json) -> Iterator[str]:
    for name in ("block_id", "action_id"):
        used = Counter(node[name] for _, node in nodes(thing.get("blocks", [])) if isinstance(node.get(name), str))
        yield from (f"{name} {value!r} is used {times} times" for value, times in used.items() if times > 1)


def one_table(thing: Json) -> Iterator[str]:
    tables = 0
    for _, node in nodes(thing.get("blocks", [])):
        tables += node.get("type") in TABLES
        tables += len(MARKDOWN_TABLE.findall(str(node.get("text", "")))) if node.get("type") == "markdown" else 0
    if tables > 1:
        yield f"{tables} tables, where Slack takes one"


def not_too_many_characters(thing: Json) -> Iterator[str]:
    """The sum of all texts: past some 13,000 Slack refuses the whole message."""
    characters = sum(len(text) for _, text in _texts(thing.get("blocks", []), "/blocks"))
    if characters > CHARACTERS:
        yield f"{characters} characters in blocks, where {CHARACTERS} are safe"


def has_a_text_for_those_who_see_no_blocks(message: Json) -> Iterator[str]:
    if message.get("blocks") and not str(message.get("text") or "").strip():
        yield "/text: blocks without a text for notifications and screen readers"


def headers_are_plain(thing: Json) -> Iterator[str]:
    for at, node in nodes(thing.get("blocks", []), "/blocks"):
        text = node.get("text")
        if node.get("type") == "header" and not (isinstance(text, dict) and text.get("type") == "plain_text"):
            yield f"{at}: a header that is not plain text"


def option_values_are_strings(thing: Json) -> Iterator[str]:
    """Slack drops a number without a word."""
    for at, node in nodes(thing.get("blocks", []), "/blocks"):
        for option in node.get("options", ()) if isinstance(node.get("options"), list) else ():
            if isinstance(option, dict) and "value" in option and not isinstance(option["value"], str):
                yield f"{at}: the option value {option['value']!r} is no string"


def nothing_pings_or_links_in_parsed_text(thing: Json) -> Iterator[str]:
    """Mentions and links belong into rich text and buttons, where no name from outside can make them."""
    for at, text in _parsed_texts(thing):
        found = [match[0] for match in PARSED.finditer(text) if not DATE.match(match[0])]
        found += MARKDOWN_LINK.findall(text) if at.endswith("(markdown)") else []
        yield from (f"{at}: {one[:80]!r} would be a mention or a link" for one in found)


def nobody_is_called_together(thing: Json) -> Iterator[str]:
    for at, node in nodes(thing.get("blocks", []), "/blocks"):
        if node.get("type") in PINGS:
            yield f"{at}: a {node['type']} pings many people"


def links_lead_where_they_say(thing: Json) -> Iterator[str]:
    for at, node in nodes(thing.get("blocks", []), "/blocks"):
        shown = BARE_ADDRESS.match(str(node.get("text", "")))
        if node.get("type") == "link" and shown and shown[1].casefold() != _host(str(node.get("url", ""))):
            yield f"{at}: a link that shows {shown[1]} and leads to {_host(str(node.get('url', ''))) or 'nowhere'}"


def nothing_hides(thing: Json) -> Iterator[str]:
    every = [("/text", thing["text"])] if isinstance(thing.get("text"), str) else []
    for at, text in [*every, *_texts(thing.get("blocks", []), "/blocks")]:
        if found := HIDDEN.search(text):
            name = unicodedata.name(found[0], f"U+{ord(found[0]):04X}")
            yield f"{at}: {name}, which steers or hides text"


def metadata_has_short_ids_alone(message: Json) -> Iterator[str]:
    """Every app and person in the workspace can read it."""
    metadata = message.get("metadata")
    if not isinstance(metadata, dict):
        return
    size = len(json.dumps(metadata).encode())
    if size > METADATA_BYTES:
        yield f"/metadata: {size} bytes, where {METADATA_BYTES} are kept"
    for name, value in (metadata.get("event_payload") or {}).items():
        if not isinstance(value, int) and not (isinstance(value, str) and ID.fullmatch(value)):
            yield f"/metadata/event_payload/{name}: {value!r:.80} is no id"


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").casefold()


def _texts(thing: object, at: str) -> Iterator[tuple[str, str]]:
    """What a person reads in blocks, and where it stands."""
    for place, node in nodes(thing, at):
        if isinstance(node.get("text"), str):
            yield f"{place}/text", node["text"]


def _parsed_texts(thing: Json) -> Iterator[tuple[str, str]]:
    """Every text in which Slack looks for mentions and links."""
    if isinstance(thing.get("text"), str):
        yield "/text", thing["text"]
    for at, node in nodes(thing.get("blocks", []), "/blocks"):
        if node.get("type") in {"mrkdwn", "markdown"}:
            yield f"{at} ({node['type']})", str(node.get("text", ""))


VIEW_RULES: tuple[Rule, ...] = (
    ids_are_unique,
    one_table,
    headers_are_plain,
    option_values_are_strings,
    nothing_pings_or_links_in_parsed_text,
    nobody_is_called_together,
    links_lead_where_they_say,
    nothing_hides,
)
MESSAGE_RULES: tuple[Rule, ...] = (
    *VIEW_RULES,
    not_too_many_characters,
    has_a_text_for_those_who_see_no_blocks,
    metadata_has_short_ids_alone,
)
