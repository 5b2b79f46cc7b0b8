"""What crossed the wire lately, for whoever wants to look at it. Secrets never get in here."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
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


class Wiretap:
    """The last exchanges, oldest first: who spoke, what was said, and the answer (None where there was none)."""

    def __init__(self, clock: Clock) -> None:
        self.exchanges: deque[Json] = deque(maxlen=KEPT)
        self.listeners: list[Callable[[Json], None]] = []
        self._clock = clock
        self._count = 0

    def note(self, way: Way, what: str, body: Any, answer: Any = None) -> None:
        """Keep one exchange as it was at this moment."""
        self._count += 1
        exchange: Json = {
            "n": self._count,
            "at": datetime.fromtimestamp(self._clock.wall(), tz=UTC).isoformat(timespec="milliseconds"),
            "way": way.value,
            "what": what,
        }
        exchange |= json.loads(_without_secrets(json.dumps({"body": body, "answer": answer}, default=str)))
        self.exchanges.append(exchange)
        for listener in self.listeners:
            listener(exchange)


def _without_secrets(text: str) -> str:
    return SECRET_ADDRESS.sub(rf"\1{HIDDEN}", TOKEN.sub(HIDDEN, text))
