"""Lengths and counts of Block Kit, by slackblocks: its generated table of limits and of which block may stand where.

Of slackblocks 3.0.0 itself only that is usable: its `Block.from_dict` parses no actions, inputs, tables, rich text or
accessories, and it reads no views. So the walk over the JSON is ours, and the numbers are theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from slackblocks import _limits as limit
from slackblocks._surfaces import validate_surface_blocks
from slackblocks.errors import InvalidUsageError

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bound:
    """How much of something may be there: characters of a text, entries of a list, or a number itself."""

    path: str
    most: float
    least: float = 0


_CONFIRM = (
    Bound("confirm.title", limit.CONFIRMATION_TITLE_MAX_LENGTH, 1),
    Bound("confirm.text", limit.CONFIRMATION_TEXT_MAX_LENGTH, 1),
    Bound("confirm.confirm", limit.CONFIRMATION_CONFIRM_MAX_LENGTH, 1),
    Bound("confirm.deny", limit.CONFIRMATION_DENY_MAX_LENGTH, 1),
)
_MENU = (*_CONFIRM, Bound("placeholder", limit.SELECT_PLACEHOLDER_MAX_LENGTH, 1))
_STATIC = (
    *_MENU,
    Bound("options", limit.SELECT_OPTIONS_MAX_ITEMS, limit.SELECT_OPTIONS_MIN_ITEMS),
    Bound("option_groups", limit.SELECT_OPTION_GROUPS_MAX_ITEMS, limit.SELECT_OPTION_GROUPS_MIN_ITEMS),
)
_TYPED = (Bound("placeholder", limit.PLAIN_TEXT_INPUT_PLACEHOLDER_MAX_LENGTH, 1),)

EVERYWHERE = (
    Bound("block_id", limit.BLOCK_ID_MAX_LENGTH, 1),
    Bound("action_id", limit.ACTION_ID_MAX_LENGTH, 1),
)
OPTION = (
    Bound("text", limit.OPTION_TEXT_MAX_LENGTH, 1),
    Bound("value", limit.OPTION_VALUE_MAX_LENGTH),
    Bound("description", limit.OPTION_DESCRIPTION_MAX_LENGTH, 1),
    Bound("url", limit.OPTION_URL_MAX_LENGTH),
)
OPTION_GROUP = (
    Bound("label", limit.OPTION_GROUP_LABEL_MAX_LENGTH, 1),
    Bound("options", limit.OPTION_GROUP_OPTIONS_MAX_ITEMS, limit.OPTION_GROUP_OPTIONS_MIN_ITEMS),
)
MESSAGE = (Bound("attachments", limit.MESSAGE_ATTACHMENTS_MAX_ITEMS), Bound("blocks", limit.MESSAGE_BLOCKS_MAX_ITEMS))
VIEW = (
    Bound("blocks", limit.VIEW_BLOCKS_MAX_ITEMS),
    Bound("private_metadata", limit.VIEW_PRIVATE_METADATA_MAX_LENGTH),
    Bound("callback_id", limit.VIEW_CALLBACK_ID_MAX_LENGTH),
    Bound("external_id", limit.VIEW_EXTERNAL_ID_MAX_LENGTH),
    Bound("title", limit.VIEW_TITLE_MAX_LENGTH, 1),
    Bound("close", limit.VIEW_CLOSE_MAX_LENGTH, 1),
    Bound("submit", limit.VIEW_SUBMIT_MAX_LENGTH, 1),
)
BY_TYPE: dict[str, tuple[Bound, ...]] = {
    "actions": (Bound("elements", limit.ACTIONS_ELEMENTS_MAX_ITEMS, 1),),
    "alert": (Bound("text", limit.ALERT_TEXT_MAX_LENGTH, 1),),
    "button": (
        *_CONFIRM,
        Bound("text", limit.BUTTON_TEXT_MAX_LENGTH, 1),
        Bound("url", limit.BUTTON_URL_MAX_LENGTH),
        Bound("value", limit.BUTTON_VALUE_MAX_LENGTH),
        Bound("accessibility_label", limit.BUTTON_ACCESSIBILITY_LABEL_MAX_LENGTH),
    ),
    "card": (
        Bound("title", limit.CARD_TITLE_MAX_LENGTH),
        Bound("subtitle", limit.CARD_SUBTITLE_MAX_LENGTH),
        Bound("body", limit.CARD_BODY_MAX_LENGTH),
        Bound("actions", limit.CARD_ACTIONS_MAX_ITEMS),
    ),
    "carousel": (Bound("elements", limit.CAROUSEL_ELEMENTS_MAX_ITEMS, limit.CAROUSEL_ELEMENTS_MIN_ITEMS),),
    "checkboxes": (Bound("options", limit.CHECKBOXES_OPTIONS_MAX_ITEMS, limit.CHECKBOXES_OPTIONS_MIN_ITEMS),),
    "container": (
        Bound("title", limit.CONTAINER_TITLE_MAX_LENGTH, 1),
        Bound("subtitle", limit.CONTAINER_SUBTITLE_MAX_LENGTH),
        Bound("child_blocks", limit.CONTAINER_CHILD_BLOCKS_MAX_ITEMS, limit.CONTAINER_CHILD_BLOCKS_MIN_ITEMS),
    ),
    "context": (Bound("elements", limit.CONTEXT_ELEMENTS_MAX_ITEMS, 1),),
    "context_actions": (Bound("elements", limit.CONTEXT_ACTIONS_ELEMENTS_MAX_ITEMS, 1),),
    "data_table": (
        Bound("rows", limit.DATA_TABLE_ROWS_MAX_ITEMS, limit.DATA_TABLE_ROWS_MIN_ITEMS),
        Bound("page_size", limit.DATA_TABLE_PAGE_SIZE_MAX, limit.DATA_TABLE_PAGE_SIZE_MIN),
    ),
    "external_select": _MENU,
    "file_input": (Bound("max_files", limit.FILE_INPUT_MAX_FILES_MAX, limit.FILE_INPUT_MAX_FILES_MIN),),
    "header": (Bound("text", limit.HEADER_TEXT_MAX_LENGTH, 1),),
    "image": (
        Bound("image_url", limit.IMAGE_IMAGE_URL_MAX_LENGTH, 1),
        Bound("alt_text", limit.IMAGE_ALT_TEXT_MAX_LENGTH, 1),
        Bound("title", limit.IMAGE_TITLE_MAX_LENGTH),
    ),
    "input": (Bound("label", limit.INPUT_LABEL_MAX_LENGTH, 1), Bound("hint", limit.INPUT_HINT_MAX_LENGTH)),
    "markdown": (Bound("text", limit.MARKDOWN_TEXT_MAX_LENGTH, 1),),
    "mrkdwn": (Bound("text", limit.TEXT_MAX_LENGTH, limit.TEXT_MIN_LENGTH),),
    "multi_external_select": _MENU,
    "multi_static_select": _STATIC,
    "overflow": (*_CONFIRM, Bound("options", limit.OVERFLOW_OPTIONS_MAX_ITEMS, limit.OVERFLOW_OPTIONS_MIN_ITEMS)),
    "plain_text": (Bound("text", limit.TEXT_MAX_LENGTH, limit.TEXT_MIN_LENGTH),),
    "plain_text_input": (
        *_TYPED,
        Bound("min_length", limit.PLAIN_TEXT_INPUT_MIN_LENGTH_MAX, limit.PLAIN_TEXT_INPUT_MIN_LENGTH_MIN),
        Bound("max_length", limit.PLAIN_TEXT_INPUT_MAX_LENGTH_MAX, limit.PLAIN_TEXT_INPUT_MAX_LENGTH_MIN),
        Bound("initial_value", limit.PLAIN_TEXT_INPUT_MAX_LENGTH_MAX),
    ),
    "plan": (Bound("tasks", limit.PLAN_TASKS_MAX_ITEMS),),
    "radio_buttons": (Bound("options", limit.RADIO_BUTTONS_OPTIONS_MAX_ITEMS, limit.RADIO_BUTTONS_OPTIONS_MIN_ITEMS),),
    "rich_text_list": (Bound("indent", limit.RICH_TEXT_LIST_INDENT_MAX, limit.RICH_TEXT_LIST_INDENT_MIN),),
    "section": (
        Bound("text", limit.SECTION_TEXT_MAX_LENGTH, 1),
        Bound("fields", limit.SECTION_FIELDS_MAX_ITEMS, 1),
        Bound("fields.*", limit.SECTION_FIELDS_ITEM_MAX_LENGTH, 1),
    ),
    "static_select": _STATIC,
    "table": (
        Bound("rows", limit.TABLE_ROWS_MAX_ITEMS, 1),
        Bound("rows.*", limit.TABLE_COLUMNS_MAX_ITEMS, 1),
        Bound("column_settings", limit.TABLE_COLUMN_SETTINGS_MAX_ITEMS),
    ),
    "text": (Bound("text", float("inf"), 1),),  # a run of rich text: Slack refuses an empty one
    **dict.fromkeys(("email_input", "url_text_input", "number_input", "datepicker", "timepicker"), _TYPED),
    **dict.fromkeys(("users_select", "channels_select", "conversations_select"), _MENU),
}


def faults_of_limits(thing: Json, *, surface: str) -> list[str]:
    """What is too long, too short, too many or out of place in a message or a view. `surface` as slackblocks has it."""
    bounds = MESSAGE if surface == "message" else VIEW
    found = [fault for bound in bounds for fault in _broken(thing, bound, "")]
    found += [fault for at, node in nodes(thing.get("blocks", []), "/blocks") for fault in _faults_of_node(node, at)]
    blocks = thing.get("blocks", [])
    try:
        validate_surface_blocks(blocks if isinstance(blocks, list) else [], surface)  # type: ignore[arg-type]
    except InvalidUsageError as misplaced:
        found.append(f"/blocks: {misplaced}")
    return found


def nodes(thing: object, at: str = "") -> Iterator[tuple[str, Json]]:
    """Every object below `thing`, with its place."""
    if isinstance(thing, dict):
        yield at, thing
    pairs = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for key, value in pairs:
        yield from nodes(value, f"{at}/{key}")


def _faults_of_node(node: Json, at: str) -> list[str]:
    bounds = [*EVERYWHERE, *BY_TYPE.get(str(node.get("type")), ())]
    for name, own in (("options", OPTION), ("option_groups", OPTION_GROUP)):
        bounds += [Bound(f"{name}.*.{bound.path}", bound.most, bound.least) for bound in own if name in node]
    if "option_groups" in node:
        bounds += [Bound(f"option_groups.*.options.*.{bound.path}", bound.most, bound.least) for bound in OPTION]
    return [fault for bound in bounds for fault in _broken(node, bound, at)]


def _broken(node: Json, bound: Bound, at: str) -> Iterator[str]:
    for place, value in _reached(node, bound.path.split("."), at):
        size = _size(value)
        if size is not None and not bound.least <= size <= bound.most:
            yield f"{place}: {size:g}, where {bound.least:g} to {bound.most:g} may be"


def _reached(thing: Any, path: list[str], at: str) -> Iterator[tuple[str, Any]]:
    if not path:
        yield at, thing
    elif path[0] == "*":
        for number, item in enumerate(thing if isinstance(thing, list) else ()):
            yield from _reached(item, path[1:], f"{at}/{number}")
    elif isinstance(thing, dict) and path[0] in thing:
        yield from _reached(thing[path[0]], path[1:], f"{at}/{path[0]}")


def _size(value: Any) -> float | None:
    """How much `value` is: a text object counts by its text."""
    match value:
        case {"text": str(text)}:
            return len(text)
        case str() | list():
            return len(value)
        case bool():
            return None
        case int() | float():
            return value
    return None
