"""The buttons: what they are called, what they ask before they act, and the ids that a click carries back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.slack.blocks import ButtonSpec, Confirm
from bot.slack.port import Button, ButtonKind

PREFIX: Final = "cm."

_LABELS: Final = {
    ButtonKind.APPROVE: "Approve",
    ButtonKind.CANCEL: "Cancel",
    ButtonKind.RETRY: "Retry",
    ButtonKind.APPROVE_STOP: "Approve, stop the rest on failure",
    ButtonKind.RELEASE: "Release",
    ButtonKind.OTHER_HOST: "Other host",
    ButtonKind.CANCEL_WAITING: "Cancel what waits",
}
_LABELS_OF_MANY: Final = _LABELS | {ButtonKind.APPROVE: "Approve all", ButtonKind.RETRY: "Retry the rest"}
_STYLES: Final = {
    ButtonKind.APPROVE: "primary",
    ButtonKind.RELEASE: "primary",
    ButtonKind.CANCEL: "danger",
    ButtonKind.CANCEL_WAITING: "danger",
}


def action_id(kind: ButtonKind) -> str:
    """What a click on this button is called, in every message."""
    return f"{PREFIX}{kind.value}"


def drawn(buttons: Sequence[Button], *, about: str, many: bool = False) -> list[ButtonSpec]:
    """The buttons as drawn, each kind once; `about` says in a few words what they act on, `many` that it is a table."""
    once = {button.kind: button for button in buttons}
    return [
        ButtonSpec(
            action_id=action_id(kind),
            label=(_LABELS_OF_MANY if many else _LABELS)[kind],
            value=button.value,
            style=_STYLES.get(kind),
            confirm=_question(kind, about, many=many),
        )
        for kind, button in once.items()
    ]


def _question(kind: ButtonKind, about: str, *, many: bool) -> Confirm | None:
    match kind:
        case ButtonKind.APPROVE | ButtonKind.APPROVE_STOP:
            return _start(kind, about, many=many)
        case ButtonKind.CANCEL:
            return _cancel(about, many=many)
        case ButtonKind.RELEASE:
            return Confirm("Release it?", f"{about}: what waits behind it starts as soon as it can.", "Release it")
        case ButtonKind.OTHER_HOST:
            return Confirm(
                "Plan with other hosts?", f"{about}: what waits gets a new plan, which must be approved.", "Plan anew"
            )
        case ButtonKind.CANCEL_WAITING:
            return Confirm(
                "Cancel what waits?",
                f"{about}: no VM that waits is touched; what runs goes on.",
                "Cancel them",
                "Keep them",
            )
        case ButtonKind.RETRY:
            return None  # a retry only makes a new plan, and that asks by itself


def _start(kind: ButtonKind, about: str, *, many: bool) -> Confirm:
    if not many:
        return Confirm("Start this migration?", f"{about}: the copy starts by itself, as soon as it may.", "Start it")
    rest = "the others go on" if kind is ButtonKind.APPROVE else "those that have not started are cancelled"
    return Confirm(
        "Start these migrations?",
        f"{about}: each starts by itself, as soon as it may. If one fails, {rest}.",
        "Start them",
    )


def _cancel(about: str, *, many: bool) -> Confirm:
    title, yes = ("Cancel all of these?", "Cancel all") if many else ("Cancel this migration?", "Cancel it")
    return Confirm(title, f"{about}: what was copied so far is thrown away.", yes, "Keep them" if many else "Keep it")
