"""What was measured about a failure, for the diagnosis: each names the check of `checks.toml` that it carries out."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from bot.diagnosis.causes import Basis, Cause
from bot.diagnosis.records import dataclass


class Says(StrEnum):
    """What a measurement says of one cause."""

    CONFIRMS = "confirms"
    REFUTES = "refutes"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One thing that was measured: the check it carries out ("probe.loss"), what it says of which causes, in a sentence
    with counts and their interval, and when. It may only speak of what it measured itself, never of what a log said.

    `weight`: how much of a cause such a look can show or refute at best. `basis`: what a verdict rests on that this
    confirms; `both-ends` for what was worked out from the times and logs of both hosts, without a probe.
    """

    check: str
    says: tuple[tuple[Cause, Says], ...]
    text: str
    at: datetime | None = None
    where: str = ""
    weight: float = 1.0
    basis: Basis = Basis.MEASURED

    def says_of(self, cause: Cause) -> Says | None:
        """What it says of this cause; None: nothing at all."""
        return next((says for named, says in self.says if named is cause), None)
