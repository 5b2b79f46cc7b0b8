"""What a process has done since it began, in plain numbers: counting costs nothing and needs no client library."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """Counted on the event loop, read from anywhere. `take_overs` are the claims of what another worker had begun."""

    claims: int = 0
    take_overs: int = 0
    hand_overs: int = 0
    renewals_failed: int = 0
