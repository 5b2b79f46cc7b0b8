"""How the watch of each host stands: counted in memory, written down now and then, read for the whole fleet.

What is written may be some seconds old, and of a watcher that died it is all that is left.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bot.hostlog.line import HostKey
from bot.hostlog.roll import SourceKind
from bot.logs.port import HostTally
from bot.store import keys
from bot.store.client import Store
from bot.store.scripts import load, milliseconds

KEPT: Final = timedelta(days=1)
"""How long the tallies of a watcher that died wait for somebody to tell what may be missing."""

LIVES: Final = timedelta(seconds=30)
"""A watcher that gave no sign for so long is not asked any more."""

_LONGEST_TROUBLE: Final = 300
_HOSTS_AT_ONCE: Final = 500


class Tallies:
    """The counts of this process. Telling costs no call to Redis; `write` does."""

    def __init__(self) -> None:
        self._hosts: dict[HostKey, HostTally] = {}
        self._changed: set[HostKey] = set()

    def __contains__(self, host: HostKey) -> bool:
        return host in self._hosts

    def all(self) -> Sequence[HostTally]:
        """As they are now."""
        return list(self._hosts.values())

    def count(
        self,
        host: HostKey,
        kind: SourceKind,
        *,
        lines: int = 0,
        candidates: int = 0,
        gap: str = "",
        throttled: int = 0,
        behind: timedelta | None = None,
    ) -> None:
        """Something came of this host. A gap without any line is a trouble until lines come again."""
        before = self._hosts.get(host) or HostTally(host, kind)
        heard = bool(lines) or not gap
        self._tell(
            replace(
                before,
                kind=kind,
                lines=before.lines + lines,
                candidates=before.candidates + candidates,
                gaps=before.gaps + bool(gap),
                throttled=before.throttled + throttled,
                heard_at=datetime.now(UTC) if heard else before.heard_at,
                behind=before.behind if behind is None else behind,
                trouble="" if heard else gap[:_LONGEST_TROUBLE],
            )
        )

    def trouble(self, host: HostKey, kind: SourceKind, trouble: str) -> None:
        """Why it cannot be read now; empty once it can."""
        before = self._hosts.get(host) or HostTally(host, kind)
        if before.trouble != trouble:
            self._tell(replace(before, kind=kind, trouble=trouble[:_LONGEST_TROUBLE]))

    def polled(self, host: HostKey, every: timedelta) -> None:
        """How long it takes until this host is looked at again."""
        if (before := self._hosts.get(host)) is not None and before.every != every:
            self._tell(replace(before, every=every))

    def leave(self, host: HostKey) -> None:
        """Somebody else has it now, who alone knows how it stands: here it is forgotten."""
        if self._hosts.pop(host, None) is not None:
            self._changed.add(host)

    async def write(self, store: Store, watcher: str) -> None:
        """Write down what has changed. UnreachableError when Redis does not answer; then it is written next time."""
        changed, self._changed = self._changed, set()
        key = keys.watch_tally(watcher)
        try:
            for some in _portions(sorted(changed), _HOSTS_AT_ONCE):
                pipeline = store.pipeline(transaction=False)
                if known := {host: _packed(self._hosts[host]) for host in some if host in self._hosts}:
                    pipeline.hset(key, mapping=known)
                if left := [host for host in some if host not in self._hosts]:
                    pipeline.hdel(key, *left)
                pipeline.pexpire(key, milliseconds(KEPT))
                await pipeline.execute()
        except BaseException:
            self._changed |= changed
            raise

    def _tell(self, tally: HostTally) -> None:
        self._hosts[tally.host] = tally
        self._changed.add(tally.host)


async def read_tallies(store: Store, *, lives: timedelta = LIVES) -> Sequence[HostTally]:
    """Those of all watchers that live, one for each host. UnreachableError when Redis does not answer."""
    watchers: list[str] = await _LIVING(store, lives)
    merged: dict[HostKey, HostTally] = {}
    for watcher in watchers:
        for host, packed in (await store.hash(keys.watch_tally(watcher))).items():
            tally = _unpacked(HostKey(host), packed)
            merged[tally.host] = _together(merged[tally.host], tally) if tally.host in merged else tally
    return [merged[host] for host in sorted(merged)]


def _together(one: HostTally, other: HostTally) -> HostTally:
    """What two watchers know of a host: who heard it last knows how it stands."""
    older, newer = sorted((one, other), key=_heard)
    return replace(
        newer,
        lines=older.lines + newer.lines,
        candidates=older.candidates + newer.candidates,
        gaps=older.gaps + newer.gaps,
        throttled=older.throttled + newer.throttled,
    )


def _heard(tally: HostTally) -> datetime:
    return tally.heard_at or datetime.min.replace(tzinfo=UTC)


def _packed(tally: HostTally) -> str:
    """As a list: field names a thousand times over would be most of it. The script `mourn` reads the kind."""
    return json.dumps(
        [
            tally.kind,
            *(tally.lines, tally.candidates, tally.gaps, tally.throttled),
            round(tally.heard_at.timestamp() * 1000) if tally.heard_at else None,
            *(_span(tally.behind), tally.trouble, _span(tally.every)),
        ],
        separators=(",", ":"),
    )


def _unpacked(host: HostKey, packed: str) -> HostTally:
    kind, lines, candidates, gaps, throttled, heard, behind, trouble, every = json.loads(packed)
    return HostTally(
        *(host, SourceKind(kind), lines, candidates, gaps, throttled),
        heard_at=None if heard is None else datetime.fromtimestamp(heard / 1000, UTC),
        behind=_from(behind),
        trouble=trouble,
        every=_from(every),
    )


def _span(value: timedelta | None) -> int | None:
    return None if value is None else milliseconds(value)


def _from(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(milliseconds=value)


def _portions(items: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    return (items[at : at + size] for at in range(0, len(items), size))


_LIVING: Final = load("bot.logs", "scripts/living")
