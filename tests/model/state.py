"""What is true at one moment of the pure model: the job's record, two workers, the wire, vCenter, what people did.

Only data here, each value hashable and small, so that the search can tell that it was somewhere before.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from bot.migration.machine import Phase

WORKERS: Final = (0, 1)
MOST_ATTEMPTS: Final = 3
"""The product allows ten; the fourth is like the third."""

NONE: Final = "none"  # nobody has it, and anybody may claim it
LIVE: Final = "live"
LAPSED: Final = "lapsed"

OPEN: Final = "open"  # the session of the intent may still send
SETTLING: Final = "settling"  # it is ended, and what it sent may still land
SETTLED: Final = "settled"

SOURCE: Final = "source"
TARGET: Final = "target"
HALFWAY: Final = "halfway"

QUEUED: Final = "queued"
RUNNING: Final = "running"
STOPPING: Final = "stopping"
FAILED: Final = "failed"
STOPPED: Final = "stopped"
SUCCEEDED: Final = "succeeded"
UNDER_WAY: Final = frozenset({QUEUED, RUNNING, STOPPING})


class Job(NamedTuple):
    """The record in Redis, as far as it decides something. `phase` None: Redis has forgotten all of it."""

    phase: Phase | None = Phase.DRAFTED
    lease: str = NONE
    fence: int = 0
    owner: int = -1  # whose claim was the last; nobody asks for it but the invariants
    cancel: bool = False
    attempt: int = 0
    session: int = 0
    settle: str = OPEN
    task: int = -1
    end: str = ""
    adopted: bool = False


class Worker(NamedTuple):
    """One process: the step it does next, what it holds in its hands for it, its fence, its writer session."""

    at: str = "idle"
    held: str = ""
    fence: int = -1
    session: int = 0
    phase: Phase | None = None  # the last three as this claim last read them
    attempt: int = 0
    of: int = 0  # the session that the intent names


class Request(NamedTuple):
    """A call of RelocateVM_Task that left a worker. `caller` waits for its reply; -1: nobody does any more."""

    session: int
    accepted: bool  # vCenter let it in, and no end of its session keeps it from becoming a task
    caller: int


class Task(NamedTuple):
    """vCenter's task. When it is no longer recent only the history knows it."""

    state: str
    recent: bool = True


class Trace(NamedTuple):
    """What is written on the VM: through which session which attempt is about to be made."""

    session: int
    attempt: int


class State(NamedTuple):
    """A moment. The last fields are for the invariants and the bounds alone: no step of the product reads them."""

    job: Job = Job()
    workers: tuple[Worker, Worker] = (Worker(), Worker())
    wire: tuple[Request, ...] = ()
    alive: frozenset[int] = frozenset()
    sessions: int = 0  # given out so far
    tasks: tuple[Task, ...] = ()
    place: str = SOURCE
    trace: Trace | None = None
    asked: bool = False  # a person has asked to cancel
    mishaps: int = 0  # crashes, pauses, lost sessions that may still happen
    losses: int = 0  # times that Redis may still forget everything
    stale: bool = False  # a write of a claim that is not the last one was accepted
    too_early: bool = False  # cancelled before anything was started, and somebody was told so
    blind: bool = False  # vCenter could not be read for longer than patience lasts
    told: int = -1  # so many relocations there were when a person was told that the job is over
