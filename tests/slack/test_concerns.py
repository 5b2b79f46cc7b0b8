"""What speaks against a plan on its card: few or many, known or not, it reads from the heaviest on, and all fits."""

from __future__ import annotations

import json
import re

import pytest

from bot.migration.machine import Phase
from bot.migration.plan import Concern, Severity
from bot.slack.card import card_message
from bot.slack.concerns import _LEADS, FEW
from bot.slack.port import Button, ButtonKind
from bot.slack.whole import whole_card

BLOCK, WARN, NOTE = Severity


def concern(number: int, severity: Severity, *, unreadable: bool = False, long: int = 0) -> Concern:
    return Concern(f"c{number}", severity, f"Concern {number}{'.' * long}", "mending it", unreadable=unreadable)


def said(card, concerns) -> str:
    _, blocks = card_message(card(phase=Phase.PLANNED, concerns=concerns, buttons=[Button(ButtonKind.FORCE, "j f")]))
    return json.dumps(list(blocks), ensure_ascii=False)


def in_turn(text: str, *parts: str) -> bool:
    places = [text.index(part) for part in parts]
    return places == sorted(places)


def test_every_weight_has_a_lead_of_its_own():
    assert set(_LEADS) == {(severity, unreadable) for severity in Severity for unreadable in (True, False)}
    assert len(set(_LEADS.values())) == len(_LEADS)


def test_a_few_say_each_what_they_are_and_what_is_unknown_is_no_warning_like_others(card):
    text = said(card, [concern(1, NOTE), concern(2, WARN, unreadable=True), concern(3, WARN), concern(4, BLOCK)])
    assert in_turn(
        text, "⛔ Blocks:", "Concern 4", "⚠️ Mind:", "Concern 3", "❔ Not readable:", "Concern 2", "Concern 1"
    )
    assert text.count("Lifted by: mending it.") == 3  # a note has not to be lifted


def test_many_stand_in_groups_that_are_counted(card):
    weights = [NOTE, WARN, BLOCK, WARN] * 5
    text = said(card, [concern(n, severity, unreadable=n % 10 == 1) for n, severity in enumerate(weights)])
    assert len(weights) > FEW
    assert in_turn(text, "⛔ Blocks: 5", "⚠️ Mind: 8", "❔ Not readable: 2", "Note: 5")
    assert all(re.search(rf"Concern {n}\b", text) for n in range(20))
    assert "Not whole" not in text


@pytest.mark.parametrize("many", [15, 20, 40])
def test_of_many_long_ones_each_is_shortened_and_the_buttons_stay(card, many):
    concerns = [concern(n, WARN, long=900) for n in range(many)]
    _, blocks = card_message(card(phase=Phase.PLANNED, concerns=concerns, buttons=[Button(ButtonKind.FORCE, "j f")]))
    text = json.dumps(list(blocks), ensure_ascii=False)
    assert blocks.cut
    assert all(f"Concern {n}." in text for n in range(many))
    assert blocks[-1]["type"] == "actions"


def test_short_ones_leave_their_room_to_the_long(card):
    concerns = [concern(n, WARN) for n in range(19)] + [concern(19, WARN, long=500)]
    assert "." * 500 in said(card, concerns)


def test_the_file_says_what_was_not_readable(card):
    whole = whole_card(card(concerns=[concern(1, WARN), concern(2, BLOCK, unreadable=True)]))
    assert in_turn(whole, "block: not readable: Concern 2", "warn: Concern 1")
