"""What speaks against a plan, as it is drawn on a card: the heaviest first, and what is not known apart from what is.

A few are a list in which each says what it is. Many are groups under headings, and as long as all have room for.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from bot.migration.plan import Concern, Severity, heaviest_first
from bot.slack.blocks import Layout

FEW: Final = 6

_LEADS: Final = {
    (Severity.BLOCK, False): "⛔ Blocks:",
    (Severity.BLOCK, True): "⛔ Blocks: not readable:",
    (Severity.WARN, False): "⚠️ Mind:",
    (Severity.WARN, True): "❔ Not readable:",
    (Severity.NOTE, False): "ℹ️ Note:",  # noqa: RUF001 - a sign
    (Severity.NOTE, True): "ℹ️ Not readable:",  # noqa: RUF001
}


def draw_concerns(layout: Layout, concerns: Sequence[Concern]) -> None:
    """Add them; nothing if there are none."""
    ordered = heaviest_first(concerns)
    if len(ordered) <= FEW:
        layout.bullets((_lead(concern), concern.said) for concern in ordered)
        return
    width = layout.share([len(concern.said) for concern in ordered])
    for lead, group in groupby(ordered, key=_lead):
        texts = [concern.said for concern in group]
        layout.bullets((("", text) for text in texts), heading=f"{lead} {len(texts)}", width=width)


def _lead(concern: Concern) -> str:
    return _LEADS[concern.severity, concern.unreadable]
