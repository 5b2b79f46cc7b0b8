"""What has been counted and measured: calls, refusals by rate, acks. Tests and the demo's report read it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from bot.playground.slack.changes import Json
from bot.playground.slack.workspace import Traffic


class AckOutcome(StrEnum):
    ACKED = "acked"
    TIMED_OUT = "timed_out"
    NO_CONNECTION = "no_connection"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """How one envelope fared. `latency` is seconds from sending to the ack, or to giving up.

    `final`: the app, reached by HTTP, asked not to be asked again.
    """

    kind: str
    envelope_id: str
    outcome: AckOutcome
    latency: float
    connection: int
    attempt: int = 0
    payload: Json | None = None
    final: bool = False

    def to_json(self) -> Json:
        return {
            "kind": self.kind,
            "envelope_id": self.envelope_id,
            "outcome": self.outcome.value,
            "latency": self.latency,
            "connection": self.connection,
            "attempt": self.attempt,
            "payload": self.payload,
        }


@dataclass(slots=True)
class Tally:
    """`late_acks` are envelope ids that were acked after Slack had given up on them."""

    calls: Counter[str] = field(default_factory=Counter)
    throttled: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    acks: list[Ack] = field(default_factory=list)
    late_acks: list[str] = field(default_factory=list)

    def latencies(self, kind: str | None = None) -> list[float]:
        """Seconds to the ack, of the envelopes that were acked in time."""
        acked = (ack for ack in self.acks if ack.outcome is AckOutcome.ACKED)
        return [ack.latency for ack in acked if kind in {None, ack.kind}]

    def to_json(self, traffic: Iterable[Traffic]) -> Json:
        by_channel: defaultdict[str, list[Json]] = defaultdict(list)
        for item in traffic:
            shown = {"kind": item.kind.value, "ts": item.ts, "at": item.at, "by_app": item.by_app}
            by_channel[item.channel].append(shown)
        return {
            "calls": dict(self.calls),
            "throttled": dict(self.throttled),
            "refused": dict(self.refused),
            "acks": [ack.to_json() for ack in self.acks],
            "late_acks": list(self.late_acks),
            "messages": dict(by_channel),
        }
