"""A job's card as a Slack message. Pure: the same card, the same message."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot.migration.eta import in_words
from bot.migration.machine import WORDS, Phase
from bot.migration.size import gib
from bot.slack.blocks import Composed, Layout, compose
from bot.slack.buttons import drawn
from bot.slack.concerns import draw_concerns
from bot.slack.figures import against, bar, eta
from bot.slack.plaintext import spoken
from bot.slack.port import JobCard, Progress

EMOJI: Final = {
    Phase.DRAFTED: "🔎",
    Phase.CHECKING: "🔎",
    Phase.PLANNED: "📋",
    Phase.QUEUED: "⏳",
    Phase.INTENT: "🚀",
    Phase.UNKNOWN: "❔",
    Phase.ATTACHED: "📦",
    Phase.VERIFYING: "🔬",
    Phase.DONE: "✅",
    Phase.FAILED: "❌",
    Phase.CANCELLED: "🚫",
    Phase.NEEDS_HUMAN: "🙋",
}

CANNOT: Final = "cannot start as it is"
"""Instead of `WORDS` for a plan that something blocks."""


def card_message(card: JobCard) -> tuple[str, Composed]:
    """The text for notifications and screen readers, and the blocks."""
    return _text(card), compose(
        lambda layout: _body(layout, card),
        ending=lambda layout: _ending(layout, card),
        whole=f"All of it is in a file in the thread, and in: coldmigrate jobs show {card.job} --format json.",
    )


def _text(card: JobCard) -> str:
    copied = f", {card.progress.percent} %" if card.progress and not card.phase.ended else ""
    note = f". {card.note}" if card.phase.ended and card.note else ""
    return spoken(f"{card.title}: {CANNOT if card.blocked else WORDS[card.phase]}{copied}{note}")


def _body(layout: Layout, card: JobCard) -> None:
    layout.header(card.title)
    emoji, state = ("⛔", CANNOT) if card.blocked else (EMOJI[card.phase], WORDS[card.phase])
    layout.paragraph(f"{emoji} {state.capitalize()}")
    if card.progress:
        layout.paragraph(_progress(card.progress))
    layout.fields(list(card.facts))
    if card.start is not None:
        layout.moment("In your own time:", card.start)
    draw_concerns(layout, card.concerns)


def _ending(layout: Layout, card: JobCard) -> None:
    layout.paragraph(card.note)
    layout.byline(f"Job {card.job}, asked for by", card.requester)
    layout.actions(drawn(card.buttons, about=card.title))


def _progress(progress: Progress) -> str:
    pace = [against(progress.rate, progress.usual_rate), f"{eta(progress.eta)} left" if eta(progress.eta) else ""]
    copied = f"{gib(progress.done)} of {gib(progress.total)}"
    lines = [bar(progress.percent), ", ".join(part for part in (copied, *pace) if part)]
    if progress.stalled is not None:
        lines.append(f"⚠️ No progress for {in_words(timedelta(seconds=progress.stalled))}")
    if progress.nfc_errors:
        lines.append(f"NFC errors in the hosts' logs so far: {progress.nfc_errors}")
    return "\n".join(lines)
