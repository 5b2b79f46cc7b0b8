"""Every kind of block, field by field, with Slack's limits. Which surface takes it and what a whole message may not
do is in `block_kit`.

Limits are those of Slack's Block Kit reference (docs.slack.dev/reference/block-kit).
"""

from __future__ import annotations

from typing import Any

from bot.playground.slack.block_elements import (
    ACCESSORIES,
    ACTIONS,
    BUTTON,
    CONFIRM,
    IDENTIFIER,
    IMAGE,
    IMAGE_FIELDS,
    IN_INPUT,
    URL,
    any_text,
    plain,
)
from bot.playground.slack.block_tables import DATA_TABLE, DATA_VISUALIZATION, ID, TABLE
from bot.playground.slack.changes import Json
from bot.playground.slack.rich_text import RICH_TEXT
from bot.playground.slack.schema import (
    Check,
    Problem,
    array,
    boolean,
    both,
    one_of,
    open_shape,
    shape,
    tagged,
    text,
)

MARKDOWN_CHARACTERS = 12_000


def _needs(*names: str) -> Check:
    """At least one of these fields says something."""

    def check(value: Json, at: str) -> list[Problem]:
        if any(value.get(name) for name in names):
            return []
        return [Problem(at, f"missing required field: {' or '.join(names)}")]

    return check


def _picture_or_words(value: Any, at: str) -> list[Problem]:
    picture = isinstance(value, dict) and value.get("type") == "image"
    return IMAGE(value, at) if picture else any_text(2000)(value, at)


RICH = tagged({"rich_text": RICH_TEXT})
PICTURE = tagged({"image": IMAGE})
LABELLED = {"accessibility_label": text(at_most=75)}
FEEDBACK_BUTTON = shape({"text": plain(75), "value": text(at_most=2000)}, LABELLED)
FEEDBACK = tagged(
    {
        "feedback_buttons": shape(
            {"positive_button": FEEDBACK_BUTTON, "negative_button": FEEDBACK_BUTTON}, {"action_id": IDENTIFIER}
        ),
        "icon_button": shape(
            {"icon": one_of("trash"), "text": plain(75)},
            LABELLED
            | {
                "action_id": IDENTIFIER,
                "value": text(at_most=2000),
                "confirm": CONFIRM,
                "visible_to_user_ids": array(IDENTIFIER, at_most=10),
            },
        ),
    }
)
SOURCE = tagged({"url": shape({"url": URL, "text": text(at_most=256)})})
TASK = shape(
    {
        "task_id": IDENTIFIER,
        "title": text(at_most=256),
        "status": one_of("pending", "in_progress", "complete", "error"),
    },
    ID | {"details": RICH, "output": RICH, "sources": array(SOURCE, at_most=50)},
)
CARD = both(
    shape(
        {},
        ID
        | {
            "hero_image": PICTURE,
            "icon": PICTURE,
            "slack_icon": open_shape({"name": IDENTIFIER}),
            "title": any_text(150),
            "subtitle": any_text(150),
            "body": any_text(200),
            "subtext": any_text(200),
            "actions": array(tagged({"button": BUTTON}), at_most=3),
        },
    ),
    _needs("hero_image", "title", "actions", "body"),
)
VIDEO = shape(
    {"alt_text": text(at_most=2000), "title": plain(200), "video_url": URL, "thumbnail_url": URL},
    ID
    | {
        "title_url": text(at_most=2000),
        "description": plain(200),
        "provider_icon_url": text(at_most=2000),
        "provider_name": text(at_most=50),
        "author_name": text(at_most=50),
    },
)
CONTAINED: dict[str, Check] = {
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
        _needs("text", "fields"),
    ),
    "header": shape({"text": plain(150)}, ID),
    "divider": shape({}, ID),
    "image": shape({"alt_text": text(at_most=2000)}, ID | IMAGE_FIELDS | {"title": plain(2000)}),
    "context": shape({"elements": array(_picture_or_words, at_most=10)}, ID),
    "actions": shape({"elements": array(tagged(ACTIONS), at_most=25)}, ID),
    "input": shape(
        {"label": plain(2000), "element": tagged(IN_INPUT)},
        ID | {"hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": RICH_TEXT,
    "table": TABLE,
    "file": shape({"external_id": IDENTIFIER, "source": one_of("remote")}, ID),
    "video": VIDEO,
}
CONTAINER = both(
    shape(
        {"child_blocks": array(tagged(CONTAINED), at_most=10)},
        ID
        | {
            "title": plain(150),
            "rich_text_title": RICH,
            "subtitle": any_text(150),
            "width": one_of("narrow", "standard", "wide", "full"),
            "icon": PICTURE,
            "is_collapsible": boolean,
            "default_collapsed": boolean,
            "has_header_divider": boolean,
        },
    ),
    _needs("title", "rich_text_title"),
)
BLOCKS: dict[str, Check] = CONTAINED | {
    "alert": shape({"text": any_text(200)}, ID | {"level": one_of("default", "info", "warning", "error", "success")}),
    "card": CARD,
    "carousel": shape({"elements": array(tagged({"card": CARD}), at_most=10)}, ID),
    "container": CONTAINER,
    "context_actions": shape({"elements": array(FEEDBACK, at_most=5)}, ID),
    "data_table": DATA_TABLE,
    "data_visualization": DATA_VISUALIZATION,
    "markdown": shape({"text": text(at_most=MARKDOWN_CHARACTERS)}, ID),
    "plan": shape(
        {"title": text(at_most=256)}, ID | {"tasks": array(tagged({"task_card": TASK}), at_most=50, at_least=0)}
    ),
    "task_card": TASK,
}
