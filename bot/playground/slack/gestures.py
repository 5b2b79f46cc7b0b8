"""What a person can touch: the buttons and menus of a message, the inputs of a modal, and what touching them means.

Pure: from the JSON that a client shows to the JSON that Slack sends. Misuse is the person's, so it is a UserError.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import UserError
from bot.playground.slack.changes import Json

CHOOSING = frozenset({"static_select", "external_select", "radio_buttons", "overflow"})
PICKING = {
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
}
LISTING = frozenset({"checkboxes", "multi_static_select", "multi_external_select"})


@dataclass(frozen=True, slots=True)
class Control:
    """One thing that can be touched, in the block where it stands."""

    block_id: str
    element: Json

    @property
    def action_id(self) -> str:
        return str(self.element["action_id"])

    @property
    def label(self) -> str:
        return str(self.element.get("text", {}).get("text", self.action_id))


def controls(blocks: list[Json]) -> Iterator[Control]:
    """Everything in these blocks that has an action_id, in reading order."""
    for block in blocks:
        parts = [*block.get("elements", ()), block.get("accessory"), block.get("element")]
        for part in parts:
            if isinstance(part, dict) and "action_id" in part:
                yield Control(block["block_id"], part)


def find_control(
    blocks: list[Json], action_id: str, *, block_id: str | None = None, value: str | None = None
) -> Control:
    """The one control that fits. Refused if none does or several do, naming what is there."""
    there = list(controls(blocks))
    fitting = [c for c in there if c.action_id == action_id and block_id in {None, c.block_id}]
    if value is not None:
        fitting = [c for c in fitting if c.element["type"] != "button" or c.element.get("value") == value]
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(f"{c.action_id} [{c.label}]" for c in there) or "nothing to click"
    how_many = "none" if not fitting else f"{len(fitting)}"
    raise UserError(f"Wanted one control {action_id!r} and found {how_many}; the message has: {listed}.")


def action_json(control: Control, value: str | None, *, action_ts: str) -> Json:
    """The entry of `actions` that says this control was used. `value` chooses; a button needs none."""
    element = control.element
    kind = element["type"]
    action: Json = {"type": kind, "action_id": control.action_id, "block_id": control.block_id, "action_ts": action_ts}
    if kind == "button":
        kept = {name: element[name] for name in ("text", "value", "style", "url") if name in element}
        return action | kept
    if "placeholder" in element:
        action["placeholder"] = element["placeholder"]
    return action | chosen(element, value)


def chosen(element: Json, value: str | None) -> Json:
    """How Slack writes down what a person chose or typed in `element`."""
    kind = element["type"]
    if kind in CHOOSING:
        return {"selected_option": None if value is None else _option(element, value)}
    if kind in LISTING:
        picked = value.split(",") if value else []
        return {"selected_options": [_option(element, one) for one in picked]}
    if kind in PICKING:
        return {PICKING[kind]: value}
    if kind.endswith("_input"):
        return {"value": value}
    raise UserError(f"A {kind} cannot be used here yet.")


def view_state(view: Json, values: Mapping[str, str]) -> Json:
    """The state of a modal after its inputs, named by action_id, were filled in; the others keep what they began with.

    Refused if `values` names an input that the modal does not have.
    """
    held: dict[str, Any] = {}
    inputs = {control.action_id: control for control in controls(view["blocks"]) if control.element["type"] != "button"}
    unknown = set(values) - set(inputs)
    if unknown:
        raise UserError(f"The modal has no input {', '.join(sorted(unknown))}; it has: {', '.join(inputs) or 'none'}.")
    for action_id, control in inputs.items():
        element = control.element
        state = {"type": element["type"], **chosen(element, values.get(action_id, _initial(element)))}
        held.setdefault(control.block_id, {})[action_id] = state
    return held


def _initial(element: Json) -> str | None:
    option = element.get("initial_option")
    if option:
        return str(option["value"])
    given = (value for name, value in element.items() if name.startswith("initial_") and isinstance(value, str))
    return next(given, None)


def _option(element: Json, value: str) -> Json:
    """The option with this value. A menu that asks the app for its options takes what it is given."""
    if "external" in element["type"]:
        return {"text": {"type": "plain_text", "text": value, "emoji": True}, "value": value}
    groups = element.get("option_groups", ())
    options: list[Json] = [*element.get("options", ()), *(option for group in groups for option in group["options"])]
    for option in options:
        if option["value"] == value:
            return option
    raise UserError(f"There is no option {value!r}; there are: {', '.join(o['value'] for o in options)}.")
