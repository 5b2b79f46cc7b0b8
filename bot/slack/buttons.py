"""The buttons: what they are called, what they ask before they act, and the ids that a click carries back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
    ButtonKind.FORCE: "Approve all the same",
    ButtonKind.WAIT_ON: "Wait on",
    ButtonKind.POWER_OFF: "Power off",
    ButtonKind.POWER_ON_SOURCE: "Power on at source",
    ButtonKind.DELETE_LEFTOVERS: "Show leftovers",
    ButtonKind.RETRY_WHEN_CLEAN: "Retry when the link is clean",
    ButtonKind.EVIDENCE: "Evidence pack",
    ButtonKind.MEASURE: "Measure the path",
    ButtonKind.ACKNOWLEDGE: "Acknowledge",
    ButtonKind.MUTE: "Mute …",
    ButtonKind.RESOLVE: "Resolve",
    ButtonKind.DIAGNOSE_INCIDENT: "Diagnose",
    ButtonKind.LINES: "Lines",
}
_QUESTIONS: Final = {
    ButtonKind.RELEASE: Confirm("Release it?", "what waits behind it starts as soon as it can.", "Release it"),
    ButtonKind.OTHER_HOST: Confirm(
        "Plan with other hosts?", "what waits gets a new plan, which must be approved.", "Plan anew"
    ),
    ButtonKind.CANCEL_WAITING: Confirm(
        "Cancel what waits?", "no VM that waits is touched; what runs goes on.", "Cancel them", "Keep them"
    ),
    ButtonKind.FORCE: Confirm(
        "Start it in spite of its warnings?",
        "the copy starts by itself, as soon as it may. The audit log keeps the warnings, and who lifted them.",
        "Start it",
    ),
    ButtonKind.POWER_OFF: Confirm(
        "Power it off, hard?", "the guest is not asked. What it has not written to its disks is lost.", "Power it off"
    ),
    ButtonKind.POWER_ON_SOURCE: Confirm(
        "Power it on at its source?", "it runs where it was, after a look that it is there, and whole.", "Power it on"
    ),
    ButtonKind.RESOLVE: Confirm(
        "Is it over?", "nobody is woken for it any more. Should it come back, this message says so.", "Resolve it"
    ),
}
_DELETE: Final = "Delete these files"
_SURE: Final = Confirm(
    "Delete these files?",
    "the files that are listed here are deleted at the destination, and nothing else. That cannot be undone.",
    "Delete them",
    "Keep them",
)
_LABELS_OF_MANY: Final = _LABELS | {ButtonKind.APPROVE: "Approve all", ButtonKind.RETRY: "Retry the rest"}
_STYLES: Final = {
    ButtonKind.APPROVE: "primary",
    ButtonKind.RELEASE: "primary",
    ButtonKind.CANCEL: "danger",
    ButtonKind.CANCEL_WAITING: "danger",
    ButtonKind.POWER_OFF: "danger",
    ButtonKind.POWER_ON_SOURCE: "primary",
    ButtonKind.ACKNOWLEDGE: "primary",
}


def action_id(kind: ButtonKind) -> str:
    """What a click on this button is called, in every message."""
    return f"{PREFIX}{kind.value}"


def drawn(buttons: Sequence[Button], *, about: str, many: bool = False) -> list[ButtonSpec]:
    """The buttons as drawn, each kind once; `about` says in a few words what they act on, `many` that it is a table."""
    once = {button.kind: button for button in buttons}
    return [
        _deletion(button, about)
        if kind is ButtonKind.DELETE_LEFTOVERS and _is_confirmed(button)
        else ButtonSpec(
            action_id=action_id(kind),
            label=(_LABELS_OF_MANY if many else _LABELS)[kind],
            value=button.value,
            style=_STYLES.get(kind),
            confirm=_question(kind, about, many=many),
        )
        for kind, button in once.items()
    ]


def _is_confirmed(button: Button) -> bool:
    """It carries the fingerprint of what was shown, and not the job alone."""
    return " " in button.value


def _deletion(button: Button, about: str) -> ButtonSpec:
    """The second click on leftovers: the first only shows them."""
    sure = replace(_SURE, text=f"{about}: {_SURE.text}")
    return ButtonSpec(action_id(button.kind), _DELETE, button.value, style="danger", confirm=sure)


def _question(kind: ButtonKind, about: str, *, many: bool) -> Confirm | None:
    """What is asked before the click counts; None: nothing is changed by it, or what it makes asks by itself."""
    if kind in (ButtonKind.APPROVE, ButtonKind.APPROVE_STOP):
        return _start(kind, about, many=many)
    if kind is ButtonKind.CANCEL:
        return _cancel(about, many=many)
    asked = _QUESTIONS.get(kind)
    return replace(asked, text=f"{about}: {asked.text}") if asked is not None else None


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
    said = f"{about}: what was copied so far, if anything, is thrown away."
    if many:
        return Confirm("Cancel all of these?", said, "Cancel all", "Keep them")
    return Confirm("Cancel this migration?", said, "Cancel it", "Keep it")
