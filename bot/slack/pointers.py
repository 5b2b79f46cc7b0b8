"""What a message says about itself as a message: that it moved, that its job is gone, that Slack was slow. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from slack_sdk.models.blocks import RichTextBlock, RichTextElementParts, RichTextSectionElement

from bot.migration.request import JobId
from bot.slack.blocks import BLOCKS, BlockDict, Layout
from bot.slack.plaintext import spoken

LONG: Final = timedelta(seconds=30)
"""How late news may be without a word about it."""

_MOVED: Final = "This card moved: {job} is shown in another message."
_LOST: Final = {
    "": (
        "Redis lost what it knew of this migration, and nothing of it is queued any more. If it had started, it is "
        "followed again on this very card within minutes; else please ask again."
    ),
    "table": (
        "Redis lost what it knew of this, and nothing of it is queued or held any more. A migration of it that had "
        "started is followed again within minutes, on a card of its own. Please ask again for the others; and what was "
        "held for a reason, hold again."
    ),
    "inquiry": "Redis lost what it knew of this diagnosis, and nobody works on it any more. Please ask again.",
    "alert": (
        "Redis lost what it knew of this incident: what stands here is from before, and nobody is woken for it any "
        "more. If hosts still tell of such failures, a new message says so."
    ),
}
"""By the kind of card, see `Record.what`."""
_GONE: Final = "This is no longer known here, so its buttons were taken away. What stands here is what was last known."


def moved(job: JobId, link: str) -> tuple[str, list[BlockDict]]:
    """What a second card of one job becomes."""
    words = RichTextElementParts.Text(text=_MOVED.format(job=job) + " ")
    there = RichTextElementParts.Link(url=link, text="Open it")
    return _MOVED.format(job=job), [RichTextBlock(elements=[RichTextSectionElement(elements=[words, there])]).to_dict()]


def retired(text: str, blocks: Sequence[Mapping[str, Any]]) -> tuple[str, list[BlockDict]]:
    """A message as it stands, without its buttons, and with a word on why."""
    layout = Layout()
    layout.small(_GONE)
    kept = [dict(block) for block in blocks if block.get("type") != "actions"][: BLOCKS - 1]
    return text or spoken(_GONE), [*kept, *layout.blocks]


def lost(what: str, blocks: Sequence[Mapping[str, Any]]) -> tuple[str, list[BlockDict]]:
    """A card whose job Redis lost: what it is about stays, its sentences and buttons make way for the news."""
    said = _LOST.get(what, _LOST[""])
    layout = Layout()
    layout.paragraph(f"⚠️ Lost\n{said}")
    head = [dict(block) for block in blocks if block.get("type") == "header"][:1]
    rest = [dict(block) for block in blocks if _is_fact(block)][: BLOCKS - 2]
    title = str((head[0].get("text") or {}).get("text", "")) + ": " if head else ""
    return spoken(f"{title}lost. {said}"), [*head, *layout.blocks, *rest]


def _is_fact(block: Mapping[str, Any]) -> bool:
    """A sentence about a state is a section without fields; the rest of a card says what it is about."""
    return block.get("type") not in ("header", "actions") and not (block.get("type") == "section" and "text" in block)


def slowly(held: timedelta, *, room: int) -> list[BlockDict]:
    """A line for a card that Slack's limits kept back for long; nothing if they did not, or if there is no room."""
    if held < LONG or room >= BLOCKS:
        return []
    layout = Layout()
    layout.small(f"Slack lets us edit slowly: this waited {held.total_seconds():.0f} s for it.")
    return layout.blocks
