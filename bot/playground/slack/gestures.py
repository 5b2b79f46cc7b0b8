"""What a person can touch: the buttons and menus of a message, the inputs of a modal, and what touching them means.

Pure: from the JSON that a client shows to the JSON that Slack sends. Misuse is the person's, so it is a UserError.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bot.errors import UserError
from bot.playground.slack.changes import Json

# What a person gives a control: words, a number, several choices, or nothing to clear it.
Value = str | int | list[str] | None
Offered = Mapping[str, Json]
NOTHING_OFFERED: Offered = MappingProxyType({})

CHOOSING = frozenset({"static_select", "external_select", "radio_buttons", "overflow"})
LISTING = frozenset({"checkboxes", "multi_static_select", "multi_external_select"})
PICKING = {
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}
GATHERING = {
    "multi_users_select": "selected_users",
    "multi_channels_select": "selected_channels",
    "multi_conversations_select": "selected_conversations",
    "file_input": "files",
}
WRITING = {
    "plain_text_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "number_input": "value",
    "rich_text_input": "rich_text_value",
}
FORMS = {
    "datepicker": (re.compile(r"\d{4}-\d\d-\d\d"), "2026-11-20"),
    "timepicker": (re.compile(r"([01]\d|2[0-3]):[0-5]\d"), "20:00"),
    "datetimepicker": (re.compile(r"\d{10}"), "1795200000"),
}
# These say something at the moment of the click and hold nothing afterwards.
STATELESS = frozenset({"button", "overflow", "workflow_button", "icon_button", "feedback_buttons"})
TOLD_WITH_THE_ACTION = ("placeholder", "confirm")


@dataclass(frozen=True, slots=True)
class Control:
    """One thing that can be touched, in the block where it stands. In an input block it may keep quiet when used."""

    block_id: str
    element: Json
    speaks: bool = True

    @property
    def kind(self) -> str:
        return str(self.element["type"])

    @property
    def action_id(self) -> str:
        return str(self.element["action_id"])

    @property
    def label(self) -> str:
        return str(self.element.get("text", {}).get("text", self.action_id))


def controls(blocks: Iterable[Json]) -> Iterator[Control]:
    """Everything in these blocks that has an action_id, in reading order, wherever it is nested."""
    for block in blocks:
        speaks = block["type"] != "input" or bool(block.get("dispatch_action"))
        parts = [block.get("accessory"), block.get("element"), *block.get("elements", ()), *block.get("actions", ())]
        for part in parts:
            if isinstance(part, dict) and "action_id" in part:
                yield Control(block["block_id"], part, speaks)
        yield from controls(_blocks_within(block))


def _blocks_within(block: Json) -> list[Json]:
    """A container's blocks, and a carousel's cards; what is not named yet belongs to the block around it."""
    within = [*block.get("child_blocks", ()), *(block["elements"] if block["type"] == "carousel" else ())]
    return [{"block_id": block["block_id"], **one} for one in within]


def find_control(blocks: list[Json], action_id: str, *, block_id: str | None = None, value: Value = None) -> Control:
    """The one control that fits. Refused if none does or several do, naming what is there."""
    there = list(controls(blocks))
    fitting = [c for c in there if c.action_id == action_id and block_id in {None, c.block_id}]
    if value is not None:
        fitting = [c for c in fitting if c.kind != "button" or c.element.get("value") == value]
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(f"{c.action_id} [{c.label}]" for c in there) or "nothing to click"
    how_many = "none" if not fitting else f"{len(fitting)}"
    raise UserError(f"Wanted one control {action_id!r} and found {how_many}; the message has: {listed}.")


def action_json(control: Control, value: Value, *, action_ts: str, offered: Offered = NOTHING_OFFERED) -> Json:
    """The entry of `actions` that says this control was used. `value` chooses; a button needs none."""
    element = control.element
    action: Json = {
        "type": control.kind,
        "action_id": control.action_id,
        "block_id": control.block_id,
        "action_ts": action_ts,
    }
    if control.kind in {"button", "workflow_button", "icon_button"}:
        kept = {name: element[name] for name in ("text", "value", "style", "url") if name in element}
        return action | kept
    if control.kind == "feedback_buttons":
        return action | {"value": _feedback(element, value)}
    told = {name: told for name, told in element.items() if name in TOLD_WITH_THE_ACTION or name.startswith("initial_")}
    return action | told | chosen(element, value, offered=offered)


def chosen(element: Json, value: Value, *, offered: Offered = NOTHING_OFFERED) -> Json:
    """How Slack writes down what a person chose or typed in `element`; None clears it."""
    kind = element["type"]
    if kind in CHOOSING:
        return {"selected_option": None if value is None else _option(element, str(value), offered)}
    if kind in LISTING:
        return {"selected_options": [_option(element, one, offered) for one in _several(element, value)]}
    if kind in PICKING:
        return {PICKING[kind]: _picked(kind, value)}
    if kind in WRITING:
        return {WRITING[kind]: _written(kind, value)}
    if kind in GATHERING:
        gathered = _several(element, value)
        return {GATHERING[kind]: [{"id": one} for one in gathered] if kind == "file_input" else gathered}
    raise UserError(f"A {kind} cannot be used here yet.")


def initial(element: Json) -> Json:
    """What a control holds before anybody touched it."""
    kind = element["type"]
    if kind in CHOOSING:
        return {"selected_option": element.get("initial_option")}
    if kind in LISTING:
        return {"selected_options": list(element.get("initial_options", ()))}
    if kind in WRITING:
        return {WRITING[kind]: element.get("initial_value")}
    held = PICKING.get(kind) or GATHERING[kind]
    begun = element.get("initial_" + held.removeprefix("selected_"))
    return {held: list(begun or ()) if kind in GATHERING else begun}


def _several(element: Json, value: Value) -> list[str]:
    """Several choices, as a list or as words with commas between them. Refused above the menu's own limit."""
    picked = [str(one) for one in value] if isinstance(value, list) else str(value).split(",") if value else []
    most = element.get("max_selected_items") or element.get("max_files") or len(picked)
    if len(picked) > most:
        raise UserError(f"At most {most} can be chosen here, not {len(picked)}.")
    return picked


def _picked(kind: str, value: Value) -> Any:
    if value is None or kind not in FORMS:
        return value
    form, example = FORMS[kind]
    if not form.fullmatch(str(value)):
        raise UserError(f"A {kind} cannot hold {value!r}.", example=example)
    return int(str(value)) if kind == "datetimepicker" else str(value)


def _written(kind: str, value: Value) -> Any:
    if value is None or kind != "rich_text_input":
        return None if value is None else str(value)
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": str(value)}]}
    return {"type": "rich_text", "elements": [section]}


def _feedback(element: Json, value: Value) -> str:
    sides = [element["positive_button"], element["negative_button"]]
    values = [str(side.get("value", "")) for side in sides]
    if value not in values:
        raise UserError(f"There is no feedback {value!r}; there are: {', '.join(values)}.")
    return str(value)


def _option(element: Json, value: str, offered: Offered) -> Json:
    """The option with this value. A menu that asks the app for its options takes what it is given."""
    if "external" in element["type"]:
        made: Json = {"text": {"type": "plain_text", "text": value, "emoji": True}, "value": value}
        return offered.get(value, made)
    groups = element.get("option_groups", ())
    options: list[Json] = [*element.get("options", ()), *(option for group in groups for option in group["options"])]
    for option in options:
        if option["value"] == value:
            return option
    raise UserError(f"There is no option {value!r}; there are: {', '.join(o['value'] for o in options)}.")


Remembered = Callable[[Control], Json | None]


def state_values(blocks: Iterable[Json], remembered: Remembered) -> Json:
    """`state.values`: what every control that holds something holds, by block and action."""
    held: dict[str, Any] = {}
    for control in controls(blocks):
        if control.kind in STATELESS:
            continue
        now = remembered(control)
        value = {"type": control.kind, **(initial(control.element) if now is None else now)}
        held.setdefault(control.block_id, {})[control.action_id] = value
    return held


def filled_in(blocks: list[Json], values: Mapping[str, Any]) -> dict[tuple[str, str], Value]:
    """What a person typed, by (block_id, action_id).

    `values` names inputs by action_id, or by block_id and within it by action_id. Refused if it names one that is
    not there, or by action_id alone where there are several.
    """
    there = [control for control in controls(blocks) if control.kind not in STATELESS]
    found: dict[tuple[str, str], Value] = {}
    for name, value in values.items():
        inner = value.items() if isinstance(value, Mapping) else [(name, value)]
        block_id = name if isinstance(value, Mapping) else None
        for action_id, typed in inner:
            fitting = [c for c in there if c.action_id == action_id and block_id in {None, c.block_id}]
            if len(fitting) != 1:
                listed = ", ".join(c.action_id for c in there) or "none"
                raise UserError(f"The modal has no input {action_id}; it has: {listed}.")
            found[fitting[0].block_id, action_id] = typed
    return found
