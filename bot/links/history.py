"""The history of links in Redis: a sorted set by time for what was probed, and one for copies. Writes no other key.

Copies have a set of their own: what is probed every few seconds must not push out the few copies that a rate rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Final

from pydantic import TypeAdapter, ValidationError

from bot.links.port import LinkHistory
from bot.migration.measured import LinkSample, SampleKind
from bot.store import keys
from bot.store.client import Store
from bot.store.scripts import Script, load

KEPT: Final = timedelta(days=30)
PROBES_KEPT: Final = 18_000
"""Of one link: one every ten seconds for two days, one every few minutes for all of the thirty."""

COPIES_KEPT: Final = 2_000
"""Of one link, canaries included."""

AHEAD: Final = timedelta(hours=1)
"""A sample that is so much later than Redis' clock was dated by a clock that is wrong, and is not kept."""

USUAL_OF: Final = 9
"""Copies whose median is the usual rate: enough that one odd copy does not move it, few enough to follow the link."""

_LOOKED_AT: Final = 200  # of the newest copies and canaries, among which those are sought

_SAMPLE: Final = TypeAdapter(LinkSample)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOTE: Final[Script] = load("bot.links", "scripts/note")
_READ: Final[Script] = load("bot.links", "scripts/read")


class RedisLinkHistory(LinkHistory):
    """At most 20,000 samples of a link, none older than 30 days by Redis' clock. See the door for what is promised."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def note(self, sample: LinkSample) -> None:
        if sample.kind is SampleKind.PROBE:
            kept_in, most = keys.link(sample.link), PROBES_KEPT
        else:
            kept_in, most = keys.link_copies(sample.link), COPIES_KEPT
        text = _SAMPLE.dump_json(sample, exclude_defaults=True).decode()
        await _NOTE(self._store, kept_in, _ms(sample.at), text, KEPT, most, AHEAD, repeatable=True)

    async def samples(self, link: str, *, since: datetime) -> Sequence[LinkSample]:
        sets = keys.link(link), keys.link_copies(link)
        probes, copies = await _READ(self._store, *sets, _ms(since), repeatable=True)
        return sorted(_readable((*probes, *copies)), key=lambda sample: sample.at)

    async def usual_rate(self, link: str) -> float | None:
        newest_first = await self._store.execute_command("ZREVRANGE", keys.link_copies(link), 0, _LOOKED_AT - 1)
        copies = (sample for sample in _readable(newest_first) if sample.kind is SampleKind.COPY)
        rates = [sample.rate for sample in copies if sample.rate][:USUAL_OF]
        return median(rates) if rates else None


def _readable(texts: Iterable[str]) -> Iterable[LinkSample]:
    """Those that this version can read; what another one wrote in another form is no reason to know nothing."""
    for text in texts:
        try:
            yield _SAMPLE.validate_json(text)
        except ValidationError:
            continue


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
