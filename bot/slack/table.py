"""A card with a table as a Slack message: a batch of migrations, or a hold and what waits behind it. Pure."""

from __future__ import annotations

from typing import Final

from bot.slack.blocks import Composed, Layout, compose
from bot.slack.buttons import drawn
from bot.slack.card import EMOJI
from bot.slack.plaintext import spoken
from bot.slack.port import TableCard

HELD: Final = "⏸️"
RELEASED: Final = "▶️"


def table_message(card: TableCard) -> tuple[str, Composed]:
    """The text for notifications and screen readers, and the blocks."""
    return _text(card), compose(
        lambda layout: _body(layout, card),
        ending=lambda layout: _ending(layout, card),
        whole="All of it, as it was then, is in a file in the thread.",
    )


def _text(card: TableCard) -> str:
    note = f". {card.note}" if card.note else ""
    return spoken(f"{card.title}: {card.state}{note}")


def _body(layout: Layout, card: TableCard) -> None:
    layout.header(card.title)
    layout.paragraph(f"{_sign(card)} {card.state[:1].upper()}{card.state[1:]}")
    layout.fields(list(card.facts))
    layout.table(card.columns, card.rows)


def _sign(card: TableCard) -> str:
    """What tells the state at a glance, as on every other card."""
    if card.phase is not None:
        return EMOJI[card.phase]
    return RELEASED if card.ended else HELD


def _ending(layout: Layout, card: TableCard) -> None:
    layout.paragraph(card.note)
    if card.byline is not None:
        layout.byline(*card.byline)
    elif card.requester:
        layout.byline(f"Batch {card.subject}, asked for by", card.requester)
    else:
        layout.small(card.subject)
    layout.actions(drawn(card.buttons, about=card.title, many=True))
