"""The form of /coldmigrate without arguments, as a Slack modal: drawn, and read back. Pure.

What may not live here: looking anything up. Names of VMs come as choices, their values are instance UUIDs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from slack_sdk.models.blocks import (
    CheckboxesElement,
    ConversationFilter,
    ConversationSelectElement,
    ExternalDataSelectElement,
    InputBlock,
    InputInteractiveElement,
    PlainTextInputElement,
    PlainTextObject,
    StaticSelectElement,
)
from slack_sdk.models.blocks import Option as Choice
from slack_sdk.models.views import View

from bot.errors import UserError
from bot.migration.start_time import read_start
from bot.operations.option import Option, disk_label, pair
from bot.operations.port import MigrateOrder, VmChoice
from bot.slack.blocks import BlockDict, Layout
from bot.slack.plaintext import clean_clip

FORM: Final = "cm.form"
"""The callback_id of the form, and what its elements' action_ids begin with."""
OPEN: Final = "cm.open-form"
"""The action_id of a button that opens it, and the callback_id of the shortcut that does."""
VM: Final = "cm.form.vm"
CHOICES: Final = 100
"""Options that Slack takes in one list."""
_TEXT: Final = 75
_DRY_RUN: Final = "dry-run"
_BOXES: Final = {
    Option.THIN: ("Thin disks", "All disks become thin"),
    Option.SHUTDOWN: ("Shut down before", "The guest is asked, once the move may start"),
    Option.POWER_ON: ("Power on after", "Once it is where it should be"),
    Option.DISCONNECT_ISO: ("Take images out", "Of its CD and floppy drives"),
    Option.CONSOLIDATE: ("Consolidate before", "Merges deltas that no snapshot owns"),
    Option.FORCE: ("Lift warnings", "What blocks it still does; the audit log keeps it"),
    Option.WHEN_CLEAN: ("When the link is clean", "Waits until its loss is within the bound"),
}
_LONGEST_NAME: Final = 255
_LONGEST_MAP: Final = 3000


@dataclass(frozen=True, slots=True)
class Filled:
    """What somebody submitted, where the card is to go, and where the form was opened: only Slack and we write that."""

    channel: str
    opened_in: str
    order: MigrateOrder


def form_view(sites: Sequence[str], *, options: Sequence[Option] = (), channel: str = "") -> dict[str, Any]:
    """The form for somebody who may migrate to these sites, and ask for these options.

    `channel`: where the card goes unless it is changed.
    """
    return View(
        type="modal",
        callback_id=FORM,
        private_metadata=channel,
        title=_plain("Migrate a VM"),
        submit=_plain("Plan it"),
        close=_plain("Close"),
        blocks=[
            _input("vm", "VM", _vm_select(), hint="Part of its name will do. Nothing moves before a plan is approved."),
            _input("site", "To which site", _site_select(sites)),
            _input("channel", "Show the plan in", _channel_select(channel)),
            _input(
                "at",
                "Start",
                _line("at", "as soon as there is room"),
                hint="Such as 22:00, Sat 20:00 or 2026-11-24 22:00 Europe/Berlin; or window, once both sites are open.",
                optional=True,
            ),
            _input("host", "Host there", _line("host", "chosen for you"), optional=True),
            _input("datastore", "Datastore there", _line("datastore", "the site's own"), optional=True),
            _input(
                "networks",
                "Networks",
                _line("networks", "VM Network = Production", multiline=True),
                hint="One per line, as from = to; else the site's own map counts.",
                optional=True,
            ),
            _input(
                "disks",
                "Datastores of single disks",
                _line("disks", "Hard disk 2 = ds-c2-02", multiline=True),
                hint="One per line, as disk = datastore; the others go to the datastore above.",
                optional=True,
            ),
            _input("options", "Options", _options(options), optional=True),
        ],
    ).to_dict()


def said_view(text: str, *, title: str = "Migrate a VM") -> dict[str, Any]:
    """A sentence in the form's place: it was taken, or is not for this person."""
    layout = Layout()
    layout.paragraph(text)
    return View(type="modal", title=_plain(title), close=_plain("Close"), blocks=layout.blocks).to_dict()


def vm_options(choices: Sequence[VmChoice]) -> list[BlockDict]:
    """Options for the type-ahead. Two VMs of one name are told apart by where they are."""
    return [
        Choice(value=choice.uuid, text=_plain(choice.name), description=_plain(choice.place)).to_dict()
        for choice in choices[:CHOICES]
    ]


def read_form(view: Mapping[str, Any]) -> Filled:
    """What was filled in. UserError for networks, disks or a start in a form that cannot be read."""
    values: Mapping[str, Mapping[str, Mapping[str, Any]]] = view["state"]["values"]
    start = _value(values, "at", "value").strip()
    ticked = {str(one.get("value")) for one in _field(values, "options").get("selected_options") or ()}
    return Filled(
        channel=_value(values, "channel", "selected_conversation"),
        opened_in=opened_in(view),
        order=MigrateOrder(
            vm=str((_field(values, "vm").get("selected_option") or {}).get("value") or ""),
            site=str((_field(values, "site").get("selected_option") or {}).get("value") or ""),
            host=_value(values, "host", "value").strip() or None,
            datastore=_value(values, "datastore", "value").strip() or None,
            networks=_networks(_value(values, "networks", "value")),
            disk_datastores=_disks(_value(values, "disks", "value")),
            dry_run=_DRY_RUN in ticked,
            at=read_start(start) if start else None,
        ).with_options({option: True for option in Option if option in ticked}),
    )


def opened_in(view: Mapping[str, Any]) -> str:
    """The channel in which a form was asked for; empty for a shortcut. Rights go by this one."""
    return str(view.get("private_metadata") or "")


def _field(values: Mapping[str, Mapping[str, Mapping[str, Any]]], name: str) -> Mapping[str, Any]:
    return values.get(name, {}).get(f"{FORM}.{name}", {})


def _value(values: Mapping[str, Mapping[str, Mapping[str, Any]]], name: str, key: str) -> str:
    return str(_field(values, name).get(key) or "")


def _networks(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        source, _, target = (part.strip() for part in line.partition("="))
        if not source or not target:
            raise UserError(f"'{line}' is not in the form from = to.", example="VM Network = Production")
        if source in found:
            raise UserError(f"The network '{source}' is mapped twice.")
        found[source] = target
    return found


def _disks(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        label, sign, datastore = line.partition("=")
        pair(f"{disk_label(label)}{sign}{datastore}", found, option="A disk", example="Hard disk 2 = ds-c2-02")
    return found


def _plain(text: str) -> PlainTextObject:
    return PlainTextObject(text=clean_clip(text, _TEXT).strip() or "-", emoji=False)


def _input(
    name: str, label: str, element: InputInteractiveElement, *, hint: str = "", optional: bool = False
) -> InputBlock:
    return InputBlock(
        block_id=name,
        label=_plain(label),
        element=element,
        hint=PlainTextObject(text=hint, emoji=False) if hint else None,
        optional=optional,
    )


def _vm_select() -> ExternalDataSelectElement:
    return ExternalDataSelectElement(action_id=VM, placeholder=_plain("web01"), min_query_length=0)


def _site_select(sites: Sequence[str]) -> StaticSelectElement:
    options = [Choice(value=site, text=_plain(site)) for site in sites[:CHOICES]]
    chosen = options[0] if len(options) == 1 else None
    return StaticSelectElement(
        action_id=f"{FORM}.site", placeholder=_plain("site2"), options=options, initial_option=chosen
    )


def _channel_select(channel: str) -> ConversationSelectElement:
    return ConversationSelectElement(
        action_id=f"{FORM}.channel",
        placeholder=_plain("a channel that I am in"),
        initial_conversation=channel or None,
        default_to_current_conversation=not channel,
        filter=ConversationFilter(include=["public", "private", "im"]),
    )


def _line(name: str, placeholder: str, *, multiline: bool = False) -> PlainTextInputElement:
    return PlainTextInputElement(
        action_id=f"{FORM}.{name}",
        placeholder=_plain(placeholder),
        multiline=multiline,
        max_length=_LONGEST_MAP if multiline else _LONGEST_NAME,
    )


def _options(options: Sequence[Option]) -> CheckboxesElement:
    boxes = {_DRY_RUN: ("Dry run", "Plan only: nothing can be approved")} | {one.value: _BOXES[one] for one in options}
    return CheckboxesElement(
        action_id=f"{FORM}.options",
        options=[
            Choice(value=value, text=_plain(text), description=_plain(more)) for value, (text, more) in boxes.items()
        ],
    )
