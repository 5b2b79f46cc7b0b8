"""The door to the history of links: what was measured on them, and how fast copies were. Kept for 30 days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.migration.measured import LinkSample


class LinkHistory(Protocol):
    """Samples by link (`site1~site2`). All raise UnreachableError when Redis does not answer."""

    async def note(self, sample: LinkSample) -> None:
        """Keep a sample. The same one twice is kept once."""
        ...

    async def samples(self, link: str, *, since: datetime) -> Sequence[LinkSample]:
        """What is known of a link since then, oldest first; bounded, the newest stay."""
        ...

    async def usual_rate(self, link: str) -> float | None:
        """The median bytes per second of the last copies across it that went well; None: there was none."""
        ...
