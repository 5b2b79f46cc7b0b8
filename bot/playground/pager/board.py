"""What PagerDuty makes of events: one incident for each deduplication key, opened, acknowledged and resolved by it.

After PagerDuty's published description: a trigger whose key is open is added to that incident and wakes nobody; after
a resolution the same key opens another one; what is said of a key that is not open is taken and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Event = Mapping[str, Any]


class Standing(StrEnum):
    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(slots=True)
class PagerIncident:
    """One incident as the person on call sees it. `events` are all that were added to it, in the order they came."""

    id: str
    key: str
    standing: Standing
    summary: str
    severity: str
    events: list[Event] = field(default_factory=list)


class Board:
    """All incidents of one account, and everything that was ever taken."""

    def __init__(self) -> None:
        self.taken: list[Event] = []
        self.incidents: list[PagerIncident] = []
        self.woken = 0
        """How often somebody's telephone rang."""

    def take(self, event: Event) -> str:
        """Take a valid event; its key."""
        self.taken.append(event)
        key = str(event.get("dedup_key") or f"made-up-{len(self.taken)}")
        live = self.live(key)
        match event["event_action"], live:
            case "trigger", None:
                self._open(key, event)
            case _, None:
                pass
            case "trigger", found:
                found.events.append(event)
            case "acknowledge", found:
                found.standing = Standing.ACKNOWLEDGED
                found.events.append(event)
            case _, found:
                found.standing = Standing.RESOLVED
                found.events.append(event)
        return key

    def live(self, key: str) -> PagerIncident | None:
        """The incident of this key that is not resolved."""
        return next((i for i in self.incidents if i.key == key and i.standing is not Standing.RESOLVED), None)

    def of(self, key: str) -> list[PagerIncident]:
        return [incident for incident in self.incidents if incident.key == key]

    def _open(self, key: str, event: Event) -> None:
        payload = event["payload"]
        number = f"PGR{len(self.incidents) + 1:04}"
        opened = PagerIncident(number, key, Standing.TRIGGERED, payload["summary"], payload["severity"], [event])
        self.incidents.append(opened)
        self.woken += 1
