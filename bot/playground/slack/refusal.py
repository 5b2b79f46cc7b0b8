"""The one exception of this room: Slack says no. It carries exactly what goes back over the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bot.playground.slack.changes import Json


class ApiRefusalError(Exception):
    """`ok: false` with Slack's own error string; `messages` are the details that Slack adds to some of them."""

    def __init__(self, code: str, *, messages: Iterable[str] = (), **fields: Any) -> None:
        super().__init__(code)
        self.code = code
        self.messages = list(messages)
        self.fields = fields

    def to_json(self) -> Json:
        answer: Json = {"ok": False, "error": self.code, **self.fields}
        if self.messages:
            answer["errors"] = self.messages
            answer["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in self.messages]}
        return answer
