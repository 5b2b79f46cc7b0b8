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

_MOVED: Final = "This card moved: job {job} is shown in another message."
_GONE: Final = "This job is no longer known, so its buttons were taken away. What stands here is what was last known."


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


def slowly(held: timedelta, *, room: int) -> list[BlockDict]:
    """A line for a card that Slack's limits kept back for long; nothing if they did not, or if there is no room."""
    if held < LONG or room >= BLOCKS:
        return []
    layout = Layout()
    layout.small(f"Slack lets us edit slowly: this waited {held.total_seconds():.0f} s for it.")
    return layout.blocks
