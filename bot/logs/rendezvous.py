"""Which share of the hosts a host belongs to, and which watcher should have it. Pure; the same in every process.

Rendezvous hashing: whoever comes takes a little from everybody, and who goes leaves a little to everybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from bot.hostlog.line import HostKey

SHARDS: Final = 256


def shard_of(host: HostKey) -> int:
    """The share that this host belongs to, for ever."""
    return _weight(host) % SHARDS


def due_to(watcher: str, among: Iterable[str]) -> frozenset[int]:
    """The shards that this watcher should have while these live."""
    watchers = sorted(among)
    return frozenset(
        shard
        for shard in range(SHARDS)
        if watchers and max(watchers, key=lambda name: (_weight(f"{shard} {name}"), name)) == watcher
    )


def _weight(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
