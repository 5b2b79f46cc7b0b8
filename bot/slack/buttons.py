"""The buttons: what they are called, what they ask before they act, and the ids that a click carries back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.slack.blocks import ButtonSpec, Confirm
from bot.slack.port import Button, ButtonKind

PREFIX: Final = "cm."

_LABELS: Final = {ButtonKind.APPROVE: "Approve", ButtonKind.CANCEL: "Cancel", ButtonKind.RETRY: "Retry"}
_STYLES: Final = {ButtonKind.APPROVE: "primary", ButtonKind.CANCEL: "danger"}


def action_id(kind: ButtonKind) -> str:
    """What a click on this button is called, in every message."""
    return f"{PREFIX}{kind.value}"


def drawn(buttons: Sequence[Button], *, about: str) -> list[ButtonSpec]:
    """The buttons as drawn, each kind once; `about` says in a few words what they act on."""
    once = {button.kind: button for button in buttons}
    return [
        ButtonSpec(
            action_id=action_id(kind),
            label=_LABELS[kind],
            value=button.value,
            style=_STYLES.get(kind),
            confirm=_question(kind, about),
        )
        for kind, button in once.items()
    ]


def _question(kind: ButtonKind, about: str) -> Confirm | None:
    match kind:
        case ButtonKind.APPROVE:
            return Confirm(
                "Start this migration?", f"{about}: the copy starts as soon as its link is free.", "Start it"
            )
        case ButtonKind.CANCEL:
            return Confirm(
                "Cancel this migration?", f"{about}: what was copied so far is thrown away.", "Cancel it", "Keep it"
            )
        case ButtonKind.RETRY:
            return None  # a retry only makes a new plan, and that asks by itself
