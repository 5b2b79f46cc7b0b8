"""What came of a gesture, as the person who made it would tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.playground.slack.changes import Json
from bot.playground.slack.tally import AckOutcome

ERRORS = {
    AckOutcome.TIMED_OUT: "operation_timeout",
    AckOutcome.NO_CONNECTION: "dispatch_failed",
    AckOutcome.REFUSED: "http_service_error",
}
# The modal was not sent: the client found the inputs wanting.
NOT_SENT = "inputs_wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The payload of the app's ack, the seconds it took, the error shown to the person.

    `errors` stand under the inputs of a modal, by block_id, whether the client or the app found them.
    """

    ack: Json | None = None
    latency: float = 0.0
    error: str | None = None
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def timed_out(self) -> bool:
        return self.error == ERRORS[AckOutcome.TIMED_OUT]

    @property
    def text(self) -> str:
        """The text that the ack itself carried, or nothing."""
        return str((self.ack or {}).get("text", ""))

    def to_json(self) -> Json:
        return {
            "ack": self.ack,
            "latency": self.latency,
            "error": self.error,
            "errors": dict(self.errors),
            "timed_out": self.timed_out,
        }
