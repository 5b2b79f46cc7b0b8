"""Compares what is in a Redis with what docs/redis-keys.md says may be there when nothing is going on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot.store import keys
from bot.store.client import Store

PAGE: Final = Path(__file__).parents[2] / "docs" / "redis-keys.md"
_ROW: Final = re.compile(r"^\| `([^`]+)` \| (\w+) \|.*\| ([^|]+) \|$", re.MULTILINE)
_AFTER: Final = re.compile(r"after (\d+) (minute|hour|day)s?")
_LATE: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Family:
    """One row of the page."""

    name: str
    kind: str
    goes: str

    @property
    def pattern(self) -> str:
        """A name in brackets may hold anything, colons too."""
        parts = re.split(r"<[^>]+>", self.name)
        return re.escape(keys.PREFIX) + ".+".join(map(re.escape, parts))

    @property
    def lives(self) -> timedelta | None:
        """How long a key of it lives at most; None if time does not end it."""
        found = _AFTER.fullmatch(self.goes)
        return timedelta(**{f"{found[2]}s": int(found[1])}) if found else None


def families() -> list[Family]:
    """All rows of the page, those with the fewest variable parts first: `outbox:pace` is no record of the outbox."""
    rows = [Family(*found) for found in _ROW.findall(PAGE.read_text(encoding="utf-8"))]
    return sorted(rows, key=lambda row: (row.name.count("<"), -len(row.name)))


def family_of(key: str) -> Family:
    """AssertionError for a key that the page does not know."""
    found = next((family for family in families() if re.fullmatch(family.pattern, key)), None)
    assert found, f"{key} is not in docs/redis-keys.md"
    return found


async def breaches(store: Store) -> list[str]:
    """What is there although nothing is going on, or lives longer than the page says."""
    found = []
    for key in sorted(await store.keys("*")):
        family, left = family_of(key), await store.pttl(key)
        if family.goes == "empties":
            found.append(f"{key} is still there")
        elif family.lives is None and left >= 0:
            found.append(f"{key} has a time to live, and the page says that it {family.goes}")
        elif family.lives is not None and left < 0:
            found.append(f"{key} stays for ever, and the page says that it goes {family.goes}")
        elif family.lives is not None and timedelta(milliseconds=left) > family.lives + _LATE:
            found.append(
                f"{key} lives for {timedelta(milliseconds=left)}, and the page says that it goes {family.goes}"
            )
    return found


async def let_time_pass(store: Store) -> None:
    """What has a time to live is gone, as it would be one day."""
    for key in await store.keys("*"):
        if await store.pttl(key) >= 0:
            await store.delete(key)
