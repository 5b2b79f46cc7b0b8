"""What a failed migration keeps for an evidence pack: the table of what could have been to blame, and the clocks.

Logs rotate and counters run on: what is not kept when it fails cannot be shown to anybody a day later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from pydantic import TypeAdapter, ValidationError

from bot.diagnosis.elimination import Elimination
from bot.jobs.port import Job

_FIELD: Final = "examined"


@dataclass(frozen=True, slots=True)
class Examined:
    """`ahead`: the clock of the source's vCenter against the queue's; `offsets`: those of hosts against that vCenter,
    where they were measurably apart.
    """

    elimination: Elimination | None
    ahead: timedelta = timedelta()
    offsets: Mapping[str, timedelta] = field(default_factory=dict)


_EXAMINED: Final = TypeAdapter(Examined)


def with_examined(examined: Examined) -> dict[str, str]:
    """The field that holds it."""
    return {_FIELD: _EXAMINED.dump_json(examined).decode()}


def examined_of(job: Job) -> Examined | None:
    """What was kept; None of a job that kept nothing, or that another version wrote in another form."""
    try:
        return _EXAMINED.validate_json(job.data.get(_FIELD, ""))
    except ValidationError:
        return None
