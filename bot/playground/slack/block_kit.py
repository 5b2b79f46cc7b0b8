"""Whether Slack would take these blocks: every kind of block with its limits, and the rules over a whole message.

Blocks that only newer clients draw (`LOOSE`) are recognised and checked for their text alone; all others are checked
field by field.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.playground.slack.block_elements import (
    ACCESSORIES,
    ACTIONS,
    IDENTIFIER,
    IMAGE,
    IMAGE_FIELDS,
    IN_INPUT,
    URL,
    any_text,
    plain,
)
from bot.playground.slack.changes import Json
from bot.playground.slack.rich_text import RICH_TEXT
from bot.playground.slack.schema import (
    Check,
    Problem,
    array,
    boolean,
    both,
    number,
    one_of,
    open_shape,
    shape,
    tagged,
    text,
)

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MARKDOWN_CHARACTERS = 12_000
# Undocumented; a message of nothing but text is refused a little above this (slackapi/bolt-js#2509).
MESSAGE_CHARACTERS = 13_200
TABLE_ROWS = 100
TABLE_COLUMNS = 20

ID = {"block_id": IDENTIFIER}


def _needs_text_or_fields(value: Json, at: str) -> list[Problem]:
    return [] if value.get("text") or value.get("fields") else [Problem(at, "missing required field: text or fields")]


CELL = tagged(
    {
        "raw_text": shape({"text": text(at_most=3000)}),
        "raw_number": shape({"value": number(at_least=-1e15, at_most=1e15)}, {"text": text(at_most=64)}),
        "rich_text": RICH_TEXT,
    }
)
COLUMN = shape({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})
COLUMNS = array(lambda value, at: [] if value is None else COLUMN(value, at), at_most=TABLE_COLUMNS)
FEEDBACK = tagged(
    {
        "feedback_buttons": open_shape({"positive_button": open_shape({}), "negative_button": open_shape({})}),
        "icon_button": open_shape({"icon": IDENTIFIER, "text": plain(75)}),
    }
)
TASK = shape(
    {
        "task_id": IDENTIFIER,
        "title": text(at_most=256),
        "status": one_of("pending", "in_progress", "complete", "error"),
    },
    ID
    | {
        "details": tagged({"rich_text": RICH_TEXT}),
        "output": tagged({"rich_text": RICH_TEXT}),
        "sources": array(open_shape({"url": URL}), at_most=50),
    },
)

STRICT: dict[str, Check] = {
    "section": both(
        shape(
            {},
            ID
            | {
                "text": any_text(3000),
                "fields": array(any_text(2000), at_most=10),
                "accessory": tagged(ACCESSORIES),
                "expand": boolean,
            },
        ),
        _needs_text_or_fields,
    ),
    "header": shape({"text": plain(150)}, ID),
    "divider": shape({}, ID),
    "image": shape({"alt_text": text(at_most=2000)}, ID | IMAGE_FIELDS | {"title": plain(2000)}),
    "context": shape(
        {
            "elements": array(
                lambda value, at: (
                    IMAGE if isinstance(value, dict) and value.get("type") == "image" else any_text(2000)
                )(value, at),
                at_most=10,
            )
        },
        ID,
    ),
    "actions": shape({"elements": array(tagged(ACTIONS), at_most=25)}, ID),
    "context_actions": shape({"elements": array(FEEDBACK, at_most=5)}, ID),
    "input": shape(
        {"label": plain(2000), "element": tagged(IN_INPUT)},
        ID | {"hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": RICH_TEXT,
    "markdown": shape({"text": text(at_most=MARKDOWN_CHARACTERS)}, ID),
    "table": shape(
        {"rows": array(array(CELL, at_most=TABLE_COLUMNS), at_most=TABLE_ROWS)}, ID | {"column_settings": COLUMNS}
    ),
    "task_card": TASK,
    "plan": shape(
        {"title": text(at_most=256)},
        ID | {"tasks": array(tagged({"task_card": TASK}), at_most=50, at_least=0), "plan_id": IDENTIFIER},
    ),
    "file": shape({"external_id": IDENTIFIER, "source": one_of("remote")}, ID),
    "video": open_shape({"alt_text": text(at_most=2000), "title": plain(200), "video_url": URL, "thumbnail_url": URL}),
}
LOOSE: dict[str, Check] = dict.fromkeys(
    ("alert", "card", "carousel", "container", "data_table", "data_visualization"), open_shape({})
)
BLOCK = tagged(STRICT | LOOSE)
TABLES = frozenset({"table", "data_table"})


def message_problems(blocks: list[Any]) -> list[Problem]:
    """Everything wrong with a message's blocks; empty if Slack would take them. Total length is `total_characters`."""
    return array(BLOCK, at_most=MESSAGE_BLOCKS)(blocks, "/blocks") or _whole_problems(blocks)


def view_problems(view: Any) -> list[Problem]:
    """Everything wrong with a modal or a Home tab."""
    return tagged({"modal": MODAL, "home": HOME})(view, "/view") or _whole_problems(view["blocks"], under="/view")


def _submit_where_inputs_are(view: Json, at: str) -> list[Problem]:
    asks = any(block["type"] == "input" for block in view["blocks"])
    return [Problem(at, "missing required field: submit")] if asks and not view.get("submit") else []


_VIEW_FIELDS = {
    "callback_id": text(at_most=255, at_least=0),
    "private_metadata": text(at_most=3000, at_least=0),
    "external_id": text(at_most=255, at_least=0),
}
_VIEW_BLOCKS = {"blocks": array(BLOCK, at_most=VIEW_BLOCKS, at_least=0)}
MODAL = both(
    shape(
        {"title": plain(24)} | _VIEW_BLOCKS,
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
HOME = shape(_VIEW_BLOCKS, _VIEW_FIELDS)


def total_characters(blocks: list[Json]) -> int:
    """The characters that count towards `msg_blocks_too_long`: every text that a reader would see."""
    nodes = (node for block in blocks for node in walk(block))
    return sum(len(node[key]) for node in nodes for key in ("text", "title") if isinstance(node.get(key), str))


def only_one_table(blocks: list[Json]) -> bool:
    return sum(1 for node in walk(blocks) if node.get("type") in TABLES) <= 1


def walk(node: Any) -> Iterator[Json]:
    """Every object inside `node`, itself included, in reading order."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from walk(value)


def _whole_problems(blocks: list[Json], *, under: str = "") -> list[Problem]:
    """Rules that no single block can break alone: ids are unique, and markdown is limited in sum."""
    problems: list[Problem] = []
    seen_blocks: set[str] = set()
    for index, block in enumerate(blocks):
        at = f"{under}/blocks/{index}"
        block_id = block.get("block_id")
        if block_id in seen_blocks:
            problems.append(Problem(f"{at}/block_id", f"block_id already exists: {block_id}"))
        seen_blocks |= {block_id} if block_id else set()
        problems += _repeated_actions(block, at)
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > MARKDOWN_CHARACTERS:
        problems.append(
            Problem(f"{under}/blocks", f"markdown text must be less than {MARKDOWN_CHARACTERS + 1} characters")
        )
    return problems


def _repeated_actions(block: Json, at: str) -> list[Problem]:
    """Within one block an action_id may stand once. Across blocks block_id tells two of the same name apart."""
    seen: set[str] = set()
    problems = []
    for index, element in enumerate(block.get("elements", ()) if block["type"] == "actions" else ()):
        action_id = element.get("action_id")
        if action_id in seen:
            problems.append(Problem(f"{at}/elements/{index}/action_id", f"action_id already exists: {action_id}"))
        seen |= {action_id} if action_id else set()
    return problems
