"""What crossed the wire lately, for whoever wants to look at it. No secret gets out of here."""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from bot.playground.slack.changes import Json
from bot.playground.slack.clock import Clock

KEPT = 200
HIDDEN = "(hidden)"
TOKEN = re.compile(r"\bx(?:ox[a-z]|app)-[A-Za-z0-9-]{6,}")
# Both let their bearer do something, once: open a connection, deliver a file.
SECRET_ADDRESS = re.compile(r"(ticket=|/upload/v1/)[\w-]+")


class Way(StrEnum):
    TO_SLACK = "app>slack"
    TO_APP = "slack>app"


@dataclass(frozen=True)
class _Exchange:
    """What was said is never changed afterwards, so it is written down only when somebody looks."""

    number: int
    at: float
    way: Way
    what: str
    body: Any
    answer: Any

    @cached_property
    def shown(self) -> Json:
        said = json.dumps({"body": self.body, "answer": self.answer}, default=str)
        return {
            "n": self.number,
            "at": datetime.fromtimestamp(self.at, tz=UTC).isoformat(timespec="milliseconds"),
            "way": self.way.value,
            "what": self.what,
            **json.loads(SECRET_ADDRESS.sub(rf"\1{HIDDEN}", TOKEN.sub(HIDDEN, said))),
        }


class Wiretap:
    """Keeps the last exchanges: who spoke, what was said, and the answer (None where there was none)."""

    def __init__(self, clock: Clock) -> None:
        self._kept: deque[_Exchange] = deque(maxlen=KEPT)
        self._clock = clock
        self._count = 0

    def note(self, way: Way, what: str, body: Any, answer: Any = None) -> None:
        self._count += 1
        self._kept.append(_Exchange(self._count, self._clock.wall(), way, what, body, answer))

    def exchanges(self, *, since: int = 0) -> list[Json]:
        """Those with a number above `since`, oldest first."""
        return [exchange.shown for exchange in self._kept if exchange.number > since]
