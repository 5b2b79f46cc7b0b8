"""The parts that blocks are made of: text objects, options, buttons, menus and inputs, with Slack's limits.

Limits are those of Slack's Block Kit reference. Nothing here knows which block a part stands in.
"""

from __future__ import annotations

from typing import Any

from bot.playground.slack.schema import (
    Check,
    Problem,
    anything,
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

IDENTIFIER = text(at_most=255)
URL = text(at_most=3000)


def plain(at_most: int) -> Check:
    """A plain_text object; anything else is refused, as headers and buttons do."""
    body = shape({"text": text(at_most=at_most)}, {"emoji": boolean})
    return tagged({"plain_text": body})


def any_text(at_most: int) -> Check:
    """A plain_text or mrkdwn object."""
    mrkdwn = shape({"text": text(at_most=at_most)}, {"verbatim": boolean})
    body = shape({"text": text(at_most=at_most)}, {"emoji": boolean})
    return tagged({"plain_text": body, "mrkdwn": mrkdwn})


STYLE = one_of("primary", "danger")
CONFIRM = shape({"title": plain(100), "text": any_text(300), "confirm": plain(30), "deny": plain(30)}, {"style": STYLE})
OPTION = shape({"text": any_text(75), "value": text(at_most=150)}, {"description": any_text(75), "url": URL})
# Menus take plain words only; radio buttons and checkboxes may mark theirs up.
MENU_OPTION = shape({"text": plain(75), "value": text(at_most=150)}, {"description": plain(75), "url": URL})
OPTIONS = array(MENU_OPTION, at_most=100)
OPTION_GROUPS = array(shape({"label": plain(75), "options": OPTIONS}), at_most=100)
# What an app answers while a person types: the same, or nothing at all.
OFFERED_OPTIONS = array(MENU_OPTION, at_most=100, at_least=0)
OFFERED_GROUPS = array(shape({"label": plain(75), "options": OPTIONS}), at_most=100, at_least=0)
FEW_OPTIONS = array(OPTION, at_most=10)
FILTER = open_shape({})
DISPATCH = shape({}, {"trigger_actions_on": array(one_of("on_enter_pressed", "on_character_entered"), at_most=2)})

COMMON = {"action_id": IDENTIFIER, "confirm": CONFIRM, "focus_on_load": boolean}
MENU = COMMON | {"placeholder": plain(150)}
INPUT = {
    "action_id": IDENTIFIER,
    "placeholder": plain(150),
    "focus_on_load": boolean,
    "dispatch_action_config": DISPATCH,
}
MANY = {"max_selected_items": number(at_least=1, at_most=100)}
FOR_MODALS = {"response_url_enabled": boolean}

BUTTON = shape(
    {"text": plain(75)},
    {
        "action_id": IDENTIFIER,
        "url": URL,
        "value": text(at_most=2000),
        "style": STYLE,
        "confirm": CONFIRM,
        "accessibility_label": text(at_most=75),
    },
)
SLACK_FILE = open_shape({})


def _one_source(names: tuple[str, ...]) -> Check:
    """Exactly one of these fields must be there."""

    def check(value: Any, at: str) -> list[Problem]:
        given = [name for name in names if name in value]
        if len(given) == 1:
            return []
        return [Problem(at, f"must define exactly one of: {', '.join(names)}")]

    return check


IMAGE_FIELDS = {"image_url": URL, "slack_file": SLACK_FILE}
IMAGE = both(shape({"alt_text": text(at_most=2000)}, IMAGE_FIELDS), _one_source(("image_url", "slack_file")))


def _static(fields: dict[str, Check]) -> Check:
    return both(
        shape({}, fields | {"options": OPTIONS, "option_groups": OPTION_GROUPS}),
        _one_source(("options", "option_groups")),
    )


SELECTS: dict[str, Check] = {
    "static_select": _static(MENU | {"initial_option": MENU_OPTION}),
    "multi_static_select": _static(MENU | MANY | {"initial_options": OPTIONS}),
    "external_select": shape(
        {}, MENU | {"initial_option": MENU_OPTION, "min_query_length": number(at_least=0, at_most=100)}
    ),
    "multi_external_select": shape(
        {}, MENU | MANY | {"initial_options": OPTIONS, "min_query_length": number(at_least=0, at_most=100)}
    ),
    "users_select": shape({}, MENU | {"initial_user": IDENTIFIER}),
    "multi_users_select": shape({}, MENU | MANY | {"initial_users": array(IDENTIFIER, at_most=100)}),
    "channels_select": shape({}, MENU | FOR_MODALS | {"initial_channel": IDENTIFIER}),
    "multi_channels_select": shape({}, MENU | MANY | {"initial_channels": array(IDENTIFIER, at_most=100)}),
    "conversations_select": shape(
        {},
        MENU
        | FOR_MODALS
        | {"initial_conversation": IDENTIFIER, "default_to_current_conversation": boolean, "filter": FILTER},
    ),
    "multi_conversations_select": shape(
        {},
        MENU
        | MANY
        | {
            "initial_conversations": array(IDENTIFIER, at_most=100),
            "default_to_current_conversation": boolean,
            "filter": FILTER,
        },
    ),
}
PICKERS: dict[str, Check] = {
    "overflow": shape({"options": array(MENU_OPTION, at_most=5)}, {"action_id": IDENTIFIER, "confirm": CONFIRM}),
    "checkboxes": shape({"options": FEW_OPTIONS}, COMMON | {"initial_options": FEW_OPTIONS}),
    "radio_buttons": shape({"options": FEW_OPTIONS}, COMMON | {"initial_option": OPTION}),
    "datepicker": shape({}, MENU | {"initial_date": text(at_most=10)}),
    "timepicker": shape({}, MENU | {"initial_time": text(at_most=5), "timezone": text(at_most=64)}),
    "datetimepicker": shape({}, COMMON | {"initial_date_time": number(at_least=0, at_most=9_999_999_999)}),
    "workflow_button": open_shape({"text": plain(75), "workflow": open_shape({})}),
}
INPUTS: dict[str, Check] = {
    "plain_text_input": shape(
        {},
        INPUT
        | {
            "initial_value": text(at_most=3000, at_least=0),
            "multiline": boolean,
            "min_length": number(at_least=0, at_most=3000),
            "max_length": number(at_least=1, at_most=3000),
        },
    ),
    "email_text_input": shape({}, INPUT | {"initial_value": text(at_most=3000)}),
    "url_text_input": shape({}, INPUT | {"initial_value": URL}),
    "number_input": shape(
        {"is_decimal_allowed": boolean},
        INPUT | dict.fromkeys(("initial_value", "min_value", "max_value"), text(at_most=32)),
    ),
    "rich_text_input": shape({}, INPUT | dict.fromkeys(("initial_value", "min_lines", "max_lines"), anything)),
    "file_input": shape(
        {}, {"action_id": IDENTIFIER, "filetypes": anything, "max_files": number(at_least=1, at_most=10)}
    ),
}

ACTIONS: dict[str, Check] = {"button": BUTTON} | SELECTS | PICKERS | {"rich_text_input": INPUTS["rich_text_input"]}
ACCESSORIES: dict[str, Check] = {"button": BUTTON, "image": IMAGE} | SELECTS | PICKERS
IN_INPUT: dict[str, Check] = (
    INPUTS
    | SELECTS
    | {name: PICKERS[name] for name in ("checkboxes", "radio_buttons", "datepicker", "timepicker", "datetimepicker")}
)
