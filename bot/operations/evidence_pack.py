"""An evidence pack: what a network team is shown of one failed copy. Values only, every moment in UTC.

It says what was measured, what was ruled out and what is asked; it never says that something is proven. How it is put
together from a job is in `evidence_build`, how it looks in `evidence_page` and `evidence_files`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

TITLE: Final = "What we measured, what we ruled out, what we ask you to check"


@dataclass(frozen=True, slots=True)
class Count:
    """Packets that were sent and did not come back. `words` has them with their interval."""

    at: datetime
    when: str  # "before the copy"
    what: str  # "84 bytes", "1500 bytes, not to be fragmented"
    way: str  # "esx-11 vmk0 10.1.0.11 to esx-21 vmk0 10.2.0.21"
    sent: int
    lost: int
    words: str
    trip: str = ""


@dataclass(frozen=True, slots=True)
class Control:
    """The same measurement elsewhere, at the same time: what tells whether it is this path. `count` None: `why` not."""

    what: str
    tells: str
    count: Count | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Queue:
    """A connection of the copy at a look: what waited in it to be acknowledged."""

    at: datetime
    host: str
    local: str
    foreign: str
    state: str
    waiting: int


@dataclass(frozen=True, slots=True)
class Counter:
    """What an uplink counted between two looks at it."""

    host: str
    nic: str
    up: bool
    since: datetime
    until: datetime
    packets: int
    crc: int
    errors: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Side:
    """A part of the copy, as the elimination table has it."""

    part: str
    state: str
    why: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a host's or vCenter's log. `at` is its time on the common clock, if it has one."""

    at: str
    file: str
    line: int
    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """Something to run, and where."""

    where: str
    command: str


@dataclass(frozen=True, slots=True)
class Pack:
    """Everything that is shown. `chart`: a PNG of the link's day."""

    job: str
    vm: str
    source_site: str
    target_site: str
    made_at: datetime
    ask: Sequence[str]
    flow: Sequence[tuple[str, str]]
    times: Sequence[tuple[str, str]]
    counts: Sequence[Count]
    controls: Sequence[Control]
    sides: Sequence[Side]
    queues: Sequence[Queue]
    counters: Sequence[Counter]
    lines: Sequence[Line]
    cause: str = ""
    ruled_out: Sequence[str] = ()
    unknown: Sequence[str] = ()
    commands: Sequence[Command] = ()
    chart: bytes | None = field(default=None, repr=False)
    chart_says: str = ""
    asked_at: datetime | None = None

    @property
    def name(self) -> str:
        """What its folder in the .zip is called."""
        return f"evidence-{self.job}"

    @property
    def stamp(self) -> str:
        """What its files are called in the thread of the job. One that is asked for later is another one."""
        return "evidence" + (f"-{self.asked_at:%m%dT%H%M}Z" if self.asked_at else "")
