"""The form behind an alert's Mute button, as a Slack modal: drawn, read back, and its listener."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.models.blocks import (
    InputBlock,
    InputInteractiveElement,
    PlainTextInputElement,
    PlainTextObject,
    StaticSelectElement,
)
from slack_sdk.models.blocks import Option as Choice
from slack_sdk.models.views import View

from bot.errors import UserError
from bot.incidents.incident import IncidentId
from bot.operations.port import Answer, MuteOrder, Person, Verbs
from bot.slack.plaintext import clean_clip
from handlers.slack.boundary import answered
from handlers.slack.deliveries import Deliveries
from handlers.slack.form import said_view
from handlers.slack.parse_alerts import read_span

MUTE: Final = "cm.mute-form"
"""The callback_id of the form, and what its elements' action_ids begin with."""
TITLE: Final = "Mute"
_TEXT: Final = 75
_VALUE: Final = 150
_CHOICES: Final = 100
_WHY: Final = 200
_LONGEST_ERROR: Final = 500
_OTHER: Final = "other"
_SPANS: Final = {
    "1h": "1 hour",
    "4h": "4 hours",
    "morning": "Until the next morning, 08:00",
    "1d": "1 day",
    "7d": "7 days",
}


def mute_view(incident: IncidentId, choices: Sequence[tuple[str, str]], *, channel: str) -> dict[str, Any]:
    """The form for somebody who may mute these; the first is chosen unless they choose another."""
    scopes = [Choice(value=scope, text=_plain(words)) for words, scope in choices if len(scope) <= _VALUE][:_CHOICES]
    if not scopes:
        raise UserError("There is nothing of this incident that you may mute.", example="/nfcalerts list")
    spans = [Choice(value=value, text=_plain(words)) for value, words in _SPANS.items()]
    return View(
        type="modal",
        callback_id=MUTE,
        private_metadata=f"{incident} {channel}",
        title=_plain(TITLE),
        submit=_plain("Mute"),
        close=_plain("Close"),
        blocks=[
            _input("scope", "What", _select("scope", scopes, chosen=0), hint="It is watched all the same."),
            _input("span", "For how long", _select("span", spans, chosen=1)),
            _input(
                _OTHER,
                "Or for another time",
                _line(_OTHER, "36h", longest=_TEXT),
                hint="Such as 90m, 12h or 1d12h: from one hour to 30 days. It counts instead of the above.",
                optional=True,
            ),
            _input("why", "Why", _line("why", "the provider works on the line tonight", longest=_WHY), optional=True),
        ],
    ).to_dict()


def read_mute(view: Mapping[str, Any]) -> tuple[str, MuteOrder]:
    """The channel in which it was opened, and what was filled in. UserError for a time that cannot be read."""
    values: Mapping[str, Mapping[str, Mapping[str, Any]]] = view["state"]["values"]
    span = _typed(values, _OTHER) or _chosen(values, "span")
    _, _, channel = str(view.get("private_metadata") or "").partition(" ")
    return channel, MuteOrder(scope=_chosen(values, "scope"), span=read_span(span), why=_typed(values, "why"))


class MuteForm:
    """The listener of what was submitted. The form is opened by a click, see `actions`."""

    def __init__(self, verbs: Verbs, deliveries: Deliveries) -> None:
        self._verbs = verbs
        self._deliveries = deliveries

    async def submitted(self, ack: AsyncAck, body: Mapping[str, Any], view: Mapping[str, Any]) -> None:
        """Mute it, then ack; twice is one mute. What is wrong stands in the form, and what was filled in stays."""
        done: list[Answer] = []

        async def muted() -> Answer:
            channel, order = read_mute(view)
            done.append(await self._verbs.mute(Person(user_id=str(body["user"]["id"]), channel=channel), order))
            return done[0]

        answer = await answered(muted())
        if done:
            await ack(response_action="update", view=said_view(answer.text, title=TITLE))
        else:
            await ack(response_action="errors", errors={_OTHER: clean_clip(answer.text, _LONGEST_ERROR, lines=True)})


def _field(values: Mapping[str, Mapping[str, Mapping[str, Any]]], name: str) -> Mapping[str, Any]:
    return values.get(name, {}).get(f"{MUTE}.{name}", {})


def _typed(values: Mapping[str, Mapping[str, Mapping[str, Any]]], name: str) -> str:
    return str(_field(values, name).get("value") or "").strip()


def _chosen(values: Mapping[str, Mapping[str, Mapping[str, Any]]], name: str) -> str:
    return str((_field(values, name).get("selected_option") or {}).get("value") or "")


def _plain(text: str) -> PlainTextObject:
    return PlainTextObject(text=clean_clip(text, _TEXT).strip() or "-", emoji=False)


def _input(
    name: str, label: str, element: InputInteractiveElement, *, hint: str = "", optional: bool = False
) -> InputBlock:
    said = PlainTextObject(text=hint, emoji=False) if hint else None
    return InputBlock(block_id=name, label=_plain(label), element=element, hint=said, optional=optional)


def _select(name: str, options: Sequence[Choice], *, chosen: int) -> StaticSelectElement:
    return StaticSelectElement(action_id=f"{MUTE}.{name}", options=options, initial_option=options[chosen])


def _line(name: str, placeholder: str, *, longest: int) -> PlainTextInputElement:
    return PlainTextInputElement(action_id=f"{MUTE}.{name}", placeholder=_plain(placeholder), max_length=longest)
