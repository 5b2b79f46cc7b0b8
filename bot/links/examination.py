"""What there is to say of the links of the config: whether anything was ever measured on them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from bot.errors import OutsideError
from bot.finding import Finding, error, fine
from bot.links.port import LinkHistory

KEPT: Final = timedelta(days=30)


async def examine(history: LinkHistory, links: Iterable[str], *, now: datetime) -> list[Finding]:
    """One finding for each link; nothing of it is wrong, but plans across a link without a history are guesses."""
    return [await _link(history, link, now) for link in links]


async def _link(history: LinkHistory, link: str, now: datetime) -> Finding:
    about = f"link.{link}"
    try:
        samples, usual = await history.samples(link, since=now - KEPT), await history.usual_rate(link)
    except OutsideError as failure:
        return error(about, str(failure), do="See the lines on Redis.")
    if not samples:
        return fine(
            about, "Nothing was measured on it in 30 days: how long a copy takes is a guess until one went well."
        )
    rate = f", copies go at {usual * 8 / 1e6:.0f} Mbit/s" if usual else ", and no copy went well yet"
    return fine(about, f"It has {len(samples)} samples of 30 days{rate}.")
