"""Rate limits as Slack publishes them, kept in token buckets. Knows methods and keys, not what a method does."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.playground.slack.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """`burst` calls at once, then `per_minute`. `per_channel` keeps one bucket for every channel."""

    per_minute: float
    burst: int
    per_channel: bool = False


# Tiers as documented ("50+ per minute"): the whole minute's share may come at once.
TIER_1 = Rate(per_minute=1, burst=20)  # a rolling restart of ten connections must pass
TIER_2 = Rate(per_minute=20, burst=20)
TIER_3 = Rate(per_minute=50, burst=50)
TIER_4 = Rate(per_minute=100, burst=100)
POSTING = Rate(per_minute=60, burst=5, per_channel=True)
UPDATING = Rate(per_minute=50, burst=15)
UNLIMITED = Rate(per_minute=60_000, burst=1000)
# "Several hundred" a minute over all channels together (docs.slack.dev, rate limits); the number is invented.
WHOLE_WORKSPACE = Rate(per_minute=300, burst=150)
POSTS = frozenset({"chat.postMessage"})

RATES: Mapping[str, Rate] = MappingProxyType(
    {
        "apps.connections.open": TIER_1,
        "auth.test": UNLIMITED,
        "blocks.validate": TIER_4,
        "bots.info": TIER_3,
        "chat.appendStream": TIER_4,
        "chat.delete": TIER_3,
        "chat.getPermalink": UNLIMITED,
        "chat.postEphemeral": TIER_4,
        "chat.postMessage": POSTING,
        "chat.startStream": TIER_2,
        "chat.stopStream": TIER_2,
        "chat.update": UPDATING,
        "conversations.history": TIER_3,
        "conversations.info": TIER_3,
        "conversations.join": TIER_3,
        "conversations.list": TIER_2,
        "conversations.members": TIER_4,
        "conversations.open": TIER_3,
        "conversations.replies": TIER_3,
        "files.completeUploadExternal": TIER_4,
        "files.delete": TIER_3,
        "files.getUploadURLExternal": TIER_4,
        "files.info": TIER_4,
        "files.list": TIER_3,
        "reactions.add": TIER_3,
        "reactions.get": TIER_3,
        "reactions.remove": TIER_2,
        "team.info": TIER_3,
        "usergroups.list": TIER_2,
        "usergroups.users.list": TIER_2,
        "users.conversations": TIER_3,
        "users.info": TIER_4,
        "users.list": TIER_2,
        "users.lookupByEmail": TIER_3,
        "views.open": TIER_4,
        "views.publish": TIER_4,
        "views.push": TIER_4,
        "views.update": TIER_4,
    }
)


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class RateLimits:
    """Counts calls of one app in one workspace."""

    def __init__(self, clock: Clock) -> None:
        self.enforced = True
        self._clock = clock
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def take(self, method: str, *, channel: str = "") -> int:
        """0 if the call may pass; otherwise the whole seconds of Retry-After. A refused call costs nothing."""
        if not self.enforced:
            return 0
        now = self._clock.steady()
        rate = RATES[method]
        due = [(rate, self._bucket(method, rate, channel if rate.per_channel else "", now))]
        if method in POSTS:
            due.append((WHOLE_WORKSPACE, self._bucket("posts", WHOLE_WORKSPACE, "", now)))
        empty = [(1 - bucket.tokens) * 60 / rate.per_minute for rate, bucket in due if bucket.tokens < 1]
        if empty:
            return max(1, math.ceil(max(empty)))
        for _, bucket in due:
            bucket.tokens -= 1
        return 0

    def _bucket(self, name: str, rate: Rate, channel: str, now: float) -> _Bucket:
        """The bucket, filled up to this moment."""
        bucket = self._buckets.setdefault((name, channel), _Bucket(rate.burst, now))
        bucket.tokens = min(rate.burst, bucket.tokens + (now - bucket.filled_at) * rate.per_minute / 60)
        bucket.filled_at = now
        return bucket
