"""The fleet's stream of candidate lines: how an entry is written down, and `WatchedLines`, which reads them.

An entry has few fields whatever it holds; its lines are one JSON list, in which `[number, text]` is a line and
`[reason]` a gap.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bot.hostlog.cursor import Line
from bot.hostlog.line import Gap, HostKey, LogLine
from bot.hostlog.roll import SourceKind
from bot.logs.port import Watched
from bot.store import keys
from bot.store.client import LONGEST_BLOCK, Store

LINES_OF_AN_ENTRY: Final = 500
LONGEST_TEXT: Final = 16 * 1024
TEXT_OF_AN_ENTRY: Final = 256 * 1024
"""Characters; beyond that the lines go into the next entry."""

_PAGE: Final = 1000

logger = logging.getLogger(__name__)


def written(lines: Sequence[Line], gap: str) -> Iterator[str]:
    """What one look gave, as the lists of one entry or a few."""
    items: list[list[Any]] = [[gap[:LONGEST_TEXT]]] if gap else []
    size = 0
    for line in lines:
        text = line.text[:LONGEST_TEXT]
        if len(items) >= LINES_OF_AN_ENTRY or size + len(text) > TEXT_OF_AN_ENTRY:
            yield _json(items)
            items, size = [], 0
        items.append([line.number, text])
        size += len(text)
    if items:
        yield _json(items)


class RedisWatchedLines:
    """`WatchedLines` as `bot.logs.port` promises it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, after: str, *, within: timedelta, limit: int = 200) -> Sequence[Watched]:
        found = await self._store.tail(keys.WATCHED, after or "0-0", block=min(within, LONGEST_BLOCK), count=limit)
        return [_watched(entry, fields) for entry, fields in found]

    async def since(self, moment: datetime, *, until: str = "+", limit: int = 20_000) -> Sequence[Watched]:
        # Ids are by the server's own clock, moments by the one that tests move.
        skew = timedelta(milliseconds=int(await self._store.text(keys.CLOCK_SKEW) or 0))
        oldest = f"{max(0, round((moment - skew).timestamp() * 1000))}-0"
        newest_first: list[Watched] = []
        last = until
        while len(newest_first) < limit:
            count = min(_PAGE, limit - len(newest_first))
            page = await self._store.execute_command("XREVRANGE", keys.WATCHED, last, oldest, "COUNT", count)
            newest_first += [_watched(entry, fields) for entry, fields in page]
            if len(page) < count:
                break
            last = f"({page[-1][0]}"
        return newest_first[::-1]

    async def last_id(self) -> str:
        found = await self._store.execute_command("XREVRANGE", keys.WATCHED, "+", "-", "COUNT", 1)
        return str(found[0][0]) if found else "0-0"

    async def keeps(self, entry: str) -> bool:
        return bool(await self._store.execute_command("XRANGE", keys.WATCHED, entry, entry))


def _watched(entry: str, fields: Mapping[str, str]) -> Watched:
    """One that this version cannot read has no lines: whoever reads the stream has to get past it."""
    try:
        host, log = HostKey(fields["host"]), fields["log"]
        at = datetime.fromtimestamp(int(fields["at"]) / 1000, UTC)
        items = tuple(_item(item, host, log, at) for item in json.loads(fields["items"]))
        return Watched(entry, host, log, SourceKind(fields["kind"]), at, items)
    except (LookupError, ValueError, TypeError) as error:
        logger.warning("Entry %s of the hosts' lines cannot be read by this version: %r", entry, error)
        at = datetime.fromtimestamp(int(entry.partition("-")[0]) / 1000, UTC)
        return Watched(entry, HostKey(""), "", SourceKind.NONE, at, ())


def _item(item: list[Any], host: HostKey, log: str, at: datetime) -> LogLine | Gap:
    if len(item) == 1:
        return Gap(host, log, item[0], at)
    return LogLine(host, log, item[0], item[1], at)


def _json(items: Sequence[Sequence[Any]]) -> str:
    # Escaped: half a surrogate of a hostile line would not be UTF-8.
    return json.dumps(items, separators=(",", ":"))
