"""The life of a job: phases, what may happen in each, and where that leads. Pure; no clock, no I/O.

What lives here: `Phase`, the closed `Event` union and the one `TRANSITIONS` table. What may not: effects. The
operation `run_migration` matches on the phase, does one thing, and writes the resulting phase through the queue.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.errors import BugError


class Phase(StrEnum):
    """Where a job is. The names are those of the `state` field of `job:<id>` and never change meaning."""

    DRAFTED = "drafted"  # accepted from a person, the VM's key is held, nothing was read yet
    CHECKING = "checking"  # a worker reads the facts
    PLANNED = "planned"  # the plan is shown and waits for a person
    QUEUED = "queued"  # approved, waits for a slot on its link; nothing was started
    INTENT = "intent"  # it is written down that RelocateVM_Task is about to be called
    UNKNOWN = "unknown"  # the call may have been carried out; its reply never came
    ATTACHED = "attached"  # vCenter's task is known and followed
    VERIFYING = "verifying"  # the task ended; the VM's real place is being read
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    NEEDS_HUMAN = "needs_human"

    @property
    def ended(self) -> bool:
        """Nothing further happens by itself, and the VM's key is free."""
        return self in ENDS

    @property
    def started(self) -> bool:
        """A relocation has run or may have run: nothing of this may ever be repeated blindly."""
        return self in STARTED


ENDS: Final = frozenset({Phase.DONE, Phase.FAILED, Phase.CANCELLED, Phase.NEEDS_HUMAN})
STARTED: Final = frozenset({Phase.INTENT, Phase.UNKNOWN, Phase.ATTACHED, Phase.VERIFYING})


@dataclass(frozen=True, slots=True)
class CheckStarted:
    """A worker took the draft."""


@dataclass(frozen=True, slots=True)
class PlanMade:
    """The facts were read and the plan was shown."""


@dataclass(frozen=True, slots=True)
class DryRunMade:
    """The facts were read and the plan was shown, and showing it was all that was asked for."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What was asked has been found out and told; a diagnosis ends so, and so it does when nothing was found."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """What was asked about does not exist, or nothing of it could be read."""


@dataclass(frozen=True, slots=True)
class PlanRefused:
    """The facts could not be read, or what was asked for does not exist."""


@dataclass(frozen=True, slots=True)
class Approved:
    """A person who may do so approved this very plan."""


@dataclass(frozen=True, slots=True)
class Expired:
    """Nobody approved in time."""


@dataclass(frozen=True, slots=True)
class IntentWritten:
    """The call is about to be made, and the ledger says so."""


@dataclass(frozen=True, slots=True)
class Refused:
    """vCenter answered with a fault before a task existed, or a last look said that nothing may be started."""


@dataclass(frozen=True, slots=True)
class PutOff:
    """It is certain that nothing was started, and it cannot or may not be started at the moment: it waits again."""


@dataclass(frozen=True, slots=True)
class ReplyLost:
    """The call was sent and no answer came."""


@dataclass(frozen=True, slots=True)
class WriterEnded:
    """The session that may have made the call is ended in vCenter: nothing more can leave, only arrive."""


@dataclass(frozen=True, slots=True)
class TaskFound:
    """The task of our call is known: from the reply, or from a look-up."""


@dataclass(frozen=True, slots=True)
class NothingStarted:
    """It is certain that the call was not carried out, so it may be made again."""


@dataclass(frozen=True, slots=True)
class TaskEnded:
    """The task ended in vCenter, or the VM is found at its target with no task left to read."""


@dataclass(frozen=True, slots=True)
class AtTarget:
    """The VM's real place is the target."""


@dataclass(frozen=True, slots=True)
class AtSource:
    """The VM's real place is the source, whole."""


@dataclass(frozen=True, slots=True)
class CancelledAtSource:
    """The VM is at the source because a person cancelled."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A person cancelled before anything was started."""


@dataclass(frozen=True, slots=True)
class Undecidable:
    """What can be read does not say what happened: a person must look, and must not be second-guessed."""


@dataclass(frozen=True, slots=True)
class PartsStarted:
    """The migrations of an approved batch are on their way, each as a job of its own."""


@dataclass(frozen=True, slots=True)
class PartsDone:
    """Every migration of the batch that was to run is done."""


@dataclass(frozen=True, slots=True)
class PartsFailed:
    """All of the batch have ended, and not all of them well."""


@dataclass(frozen=True, slots=True)
class PartsCancelled:
    """All of the batch have ended because a person cancelled it."""


Event = (
    CheckStarted
    | PlanMade
    | DryRunMade
    | Answered
    | NoAnswer
    | PlanRefused
    | Approved
    | Expired
    | IntentWritten
    | Refused
    | PutOff
    | ReplyLost
    | WriterEnded
    | TaskFound
    | NothingStarted
    | TaskEnded
    | AtTarget
    | AtSource
    | CancelledAtSource
    | Cancelled
    | Undecidable
    | PartsStarted
    | PartsDone
    | PartsFailed
    | PartsCancelled
)

TRANSITIONS: Final[dict[tuple[Phase, type[Event]], Phase]] = {
    (Phase.DRAFTED, CheckStarted): Phase.CHECKING,
    (Phase.DRAFTED, Cancelled): Phase.CANCELLED,
    (Phase.CHECKING, PlanMade): Phase.PLANNED,
    (Phase.CHECKING, DryRunMade): Phase.DONE,
    (Phase.CHECKING, Answered): Phase.DONE,
    (Phase.CHECKING, NoAnswer): Phase.FAILED,
    (Phase.CHECKING, PlanRefused): Phase.FAILED,
    (Phase.CHECKING, Cancelled): Phase.CANCELLED,
    (Phase.PLANNED, Approved): Phase.QUEUED,
    (Phase.PLANNED, Expired): Phase.CANCELLED,
    (Phase.PLANNED, Cancelled): Phase.CANCELLED,
    (Phase.QUEUED, IntentWritten): Phase.INTENT,
    (Phase.QUEUED, Refused): Phase.FAILED,
    (Phase.QUEUED, Cancelled): Phase.CANCELLED,
    (Phase.QUEUED, PartsStarted): Phase.ATTACHED,
    (Phase.INTENT, TaskFound): Phase.ATTACHED,
    (Phase.INTENT, ReplyLost): Phase.UNKNOWN,
    (Phase.INTENT, NothingStarted): Phase.INTENT,
    (Phase.INTENT, CancelledAtSource): Phase.CANCELLED,
    (Phase.INTENT, PutOff): Phase.QUEUED,
    (Phase.INTENT, Refused): Phase.FAILED,
    (Phase.UNKNOWN, PutOff): Phase.QUEUED,
    (Phase.UNKNOWN, WriterEnded): Phase.UNKNOWN,
    (Phase.UNKNOWN, TaskFound): Phase.ATTACHED,
    (Phase.UNKNOWN, NothingStarted): Phase.INTENT,
    (Phase.UNKNOWN, CancelledAtSource): Phase.CANCELLED,
    (Phase.UNKNOWN, TaskEnded): Phase.VERIFYING,
    (Phase.UNKNOWN, Refused): Phase.FAILED,
    (Phase.UNKNOWN, Undecidable): Phase.NEEDS_HUMAN,
    (Phase.ATTACHED, TaskEnded): Phase.VERIFYING,
    (Phase.ATTACHED, PutOff): Phase.QUEUED,
    (Phase.ATTACHED, Undecidable): Phase.NEEDS_HUMAN,
    (Phase.ATTACHED, PartsDone): Phase.DONE,
    (Phase.ATTACHED, PartsFailed): Phase.FAILED,
    (Phase.ATTACHED, PartsCancelled): Phase.CANCELLED,
    (Phase.VERIFYING, AtTarget): Phase.DONE,
    (Phase.VERIFYING, AtSource): Phase.FAILED,
    (Phase.VERIFYING, CancelledAtSource): Phase.CANCELLED,
    (Phase.VERIFYING, Undecidable): Phase.NEEDS_HUMAN,
}


def advance(phase: Phase, event: Event) -> Phase:
    """The phase that follows. Raises `BugError` for a pair that the table does not allow; ends allow nothing."""
    try:
        return TRANSITIONS[phase, type(event)]
    except KeyError:
        raise BugError(f"{type(event).__name__} cannot happen in the phase '{phase}'") from None


WORDS: Final[dict[Phase, str]] = {
    Phase.DRAFTED: "checking",
    Phase.CHECKING: "checking",
    Phase.PLANNED: "waiting for approval",
    Phase.QUEUED: "queued",
    Phase.INTENT: "starting",
    Phase.UNKNOWN: "finding out whether it started",
    Phase.ATTACHED: "copying",
    Phase.VERIFYING: "verifying",
    Phase.DONE: "done",
    Phase.FAILED: "failed",
    Phase.CANCELLED: "cancelled",
    Phase.NEEDS_HUMAN: "needs a person",
}
"""What a person reads for a phase."""
