"""An inquiry's card as a Slack message: the steps as they are taken, then what came of them. Pure."""

from __future__ import annotations

from typing import Final

from bot.slack.blocks import Composed, Layout, compose
from bot.slack.plaintext import spoken
from bot.slack.port import InquiryCard, StepState

_MARKS: Final = {
    StepState.WAITING: "▫️",
    StepState.RUNNING: "⏳",
    StepState.DONE: "✅",
    StepState.FAILED: "⚠️",
}


def inquiry_message(card: InquiryCard) -> tuple[str, Composed]:
    """The text for notifications and screen readers, and the blocks."""
    return _text(card), compose(lambda layout: _body(layout, card), ending=lambda layout: _ending(layout, card))


def _text(card: InquiryCard) -> str:
    if card.outcome:
        return spoken(f"{card.title}: {card.outcome}")
    return spoken(f"{card.title}: {'ended' if card.ended else 'under way'}")


def _body(layout: Layout, card: InquiryCard) -> None:
    layout.header(card.title)
    layout.paragraph("\n".join(f"{_MARKS[step.state]} {step.text}" for step in card.steps))


def _ending(layout: Layout, card: InquiryCard) -> None:
    layout.paragraph(card.outcome or "")
    layout.byline(f"Diagnosis {card.job}, asked for by", card.asked_by)
