"""Whether Slack would take these blocks: which kinds a surface takes, and the rules over a whole message or view.

The words are Slack's own where they were seen on the wire (quoted in issues and bug reports), and ours elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from bot.playground.slack.block_elements import plain
from bot.playground.slack.block_shapes import BLOCKS, MARKDOWN_CHARACTERS
from bot.playground.slack.block_tables import texts_of
from bot.playground.slack.changes import Json
from bot.playground.slack.schema import Problem, array, boolean, both, shape, tagged, text

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
# Undocumented; a message of nothing but text is refused a little above this (slackapi/bolt-js#2509).
MESSAGE_CHARACTERS = 13_200
MESSAGE_CHARTS = 2
TABLES = frozenset({"table", "data_table"})
# The line under the head of a table in GitHub's Markdown; a markdown block draws it as a table of Slack's.
MARKDOWN_TABLE = re.compile(r"^\s*\|?\s*:?-{3,}:?\s*(\|\s*:?-{3,}:?\s*)+\|?\s*$", re.MULTILINE)


class Surface(StrEnum):
    """Where blocks can stand."""

    MESSAGE = "message"
    MODAL = "modal"
    HOME = "home"


EVERYWHERE = frozenset({"actions", "card", "context", "divider", "header", "image", "input", "rich_text", "section"})
# docs.slack.dev/blocks.json, "available-in-surfaces". Charts and data tables in Home were seen refused.
SURFACES: Mapping[Surface, frozenset[str]] = MappingProxyType(
    {
        Surface.MESSAGE: frozenset(BLOCKS) - {"alert"},
        Surface.MODAL: EVERYWHERE | {"alert", "video"},
        Surface.HOME: EVERYWHERE | {"carousel", "container", "table", "video"},
    }
)
CHECKS = {
    surface: tagged({kind: check for kind, check in BLOCKS.items() if kind in allowed})
    for surface, allowed in SURFACES.items()
}


def message_problems(blocks: list[Any]) -> list[Problem]:
    """Everything wrong with a message's blocks; empty if Slack would take them. Total length is `total_characters`."""
    problems = array(CHECKS[Surface.MESSAGE], at_most=MESSAGE_BLOCKS, at_least=0)(blocks, "/blocks")
    return problems or [*_whole_problems(blocks), *_message_rules(blocks)]


def view_problems(view: Any) -> list[Problem]:
    """Everything wrong with a modal or a Home tab."""
    return tagged({"modal": MODAL, "home": HOME})(view, "/view") or list(_whole_problems(view["blocks"], under="/view"))


def _submit_where_inputs_are(view: Json, at: str) -> list[Problem]:
    if view.get("submit"):
        return []
    return [
        Problem(f"{at}/blocks/{index}/input", "must define `submit` to use an `input` block in modals")
        for index, block in enumerate(view["blocks"])
        if block["type"] == "input"
    ]


_VIEW_FIELDS = {
    "callback_id": text(at_most=255, at_least=0),
    "private_metadata": text(at_most=3000, at_least=0),
    "external_id": text(at_most=255, at_least=0),
}
MODAL = both(
    shape(
        {"title": plain(24), "blocks": array(CHECKS[Surface.MODAL], at_most=VIEW_BLOCKS, at_least=0)},
        _VIEW_FIELDS
        | {
            "submit": plain(24),
            "close": plain(24),
            "clear_on_close": boolean,
            "notify_on_close": boolean,
            "submit_disabled": boolean,
        },
    ),
    _submit_where_inputs_are,
)
HOME = shape({"blocks": array(CHECKS[Surface.HOME], at_most=VIEW_BLOCKS, at_least=0)}, _VIEW_FIELDS)


def total_characters(blocks: list[Json]) -> int:
    """The characters that count towards `msg_blocks_too_long`: every text that a reader would see."""
    titles = (node["title"] for node in walk(blocks) if isinstance(node.get("title"), str))
    return sum(len(words) for words in (*texts_of(blocks), *titles))


def only_one_table(blocks: list[Json]) -> bool:
    """Tables of every kind count, also those in a container and those that a markdown block draws."""
    kinds = Counter(str(node.get("type")) for node in walk(blocks))
    drawn = (MARKDOWN_TABLE.findall(block["text"]) for block in blocks if block["type"] == "markdown")
    return sum(kinds[kind] for kind in TABLES) + sum(len(found) for found in drawn) <= 1


def walk(node: Any) -> Iterator[Json]:
    """Every object inside `node`, itself included, in reading order."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from walk(value)


def _message_rules(blocks: list[Json]) -> Iterator[Problem]:
    """What only a message may not do."""
    for index, block in enumerate(blocks):
        if block["type"] == "task_card" and block["status"] == "pending":
            yield Problem(f"/blocks/{index}/status", "must be one of: in_progress, complete, error")
    if sum(block["type"] == "data_visualization" for block in blocks) > MESSAGE_CHARTS:
        yield Problem("/blocks", "too many data_visualization blocks")


def _whole_problems(blocks: list[Json], *, under: str = "") -> Iterator[Problem]:
    """Rules that no single block can break alone: ids are unique, and markdown is limited in sum."""
    seen: set[str] = set()
    for block, at in _all_blocks(blocks, under):
        block_id = block.get("block_id")
        if block_id in seen:
            yield Problem(f"{at}/block_id", f'`block_id` "{block_id}" already exists')
        seen |= {block_id} if block_id else set()
        yield from _repeated_actions(block, at)
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > MARKDOWN_CHARACTERS:
        yield Problem(f"{under}/blocks", f"markdown text must be less than {MARKDOWN_CHARACTERS + 1} characters")


def _all_blocks(blocks: list[Json], under: str) -> Iterator[tuple[Json, str]]:
    """Each block and where it stands, those in containers and carousels too."""
    for index, block in enumerate(blocks):
        at = f"{under}/blocks/{index}"
        yield block, at
        within = "child_blocks" if block["type"] == "container" else "elements"
        if block["type"] in {"container", "carousel"}:
            yield from ((one, f"{at}/{within}/{number}") for number, one in enumerate(block[within]))


def _repeated_actions(block: Json, at: str) -> Iterator[Problem]:
    """Within one block an action_id may stand once. Across blocks block_id tells two of the same name apart."""
    seen: set[str] = set()
    for name in ("elements", "actions"):
        for index, element in enumerate(block.get(name, ())):
            action_id = element.get("action_id")
            if action_id in seen:
                yield Problem(f"{at}/{name}/{index}/action_id", f'`action_id` "{action_id}" already exists')
            seen |= {action_id} if action_id else set()
