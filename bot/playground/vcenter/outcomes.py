"""The ways in which a relocation ends badly: its fault, what both hosts write, what is left at the destination.

A table, so that a way can be added without touching how a relocation runs. Which of them it becomes is decided in
`obstacles` before the copy and in `transfer` during it, or by a switch that breaks what is under way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.playground.esxi import failures, phrases
from bot.playground.esxi.phrases import Phrase
from bot.playground.vcenter import faults
from bot.playground.vcenter.faults import Fault

PREPARED = 23
"""The percentage at which a migration stands when it looks for its peer (KB 340170, KB 316409)."""


class Leftovers(StrEnum):
    """What becomes of the bytes that have arrived."""

    DELETED = "deleted"
    """The destination, or vCenter, cleans up."""
    ORPHANED = "orphaned"
    """Nobody who could delete them knows of them."""


@dataclass(frozen=True)
class Scene:
    """What a fault may name."""

    file: str
    """The source disk, as `[datastore] directory/file`."""
    target: str
    """The directory at the destination, in the same form."""
    datastore: str
    source: str
    destination: str
    peer: str
    """Address and port that the source connects to."""


@dataclass(frozen=True)
class Ending:
    """One way to end. `waits` says whether the hosts try for a while before they give up."""

    name: str
    fault: Callable[[Scene], Fault]
    source: tuple[Phrase, ...] = ()
    destination: tuple[Phrase, ...] = ()
    leftovers: Leftovers = Leftovers.DELETED
    waits: bool = False
    percent: int | None = None
    """Where the task stands while they try, if the sources say so."""


class EndedBadlyError(Exception):
    """A copy, or what prepares it, came to one of these endings."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.name)
        self.ending = ending


def _unreachable(scene: Scene) -> Fault:
    return faults.host_connect(scene.peer)


def _copy_broke(scene: Scene) -> Fault:
    return faults.network_copy(scene.file)


# Before a byte has moved.

NAME_NOT_FOUND = Ending("name-not-found", lambda s: faults.host_connect(s.destination), failures.NAME_NOT_FOUND)
NO_ROUTE = Ending("no-route", _unreachable, failures.NO_ROUTE, waits=True, percent=PREPARED)
SILENT_PORT = Ending("silent-port", _unreachable, phrases.SOURCE_CONNECT_FAILED, waits=True)
REFUSED_PORT = Ending("refused-port", _unreachable, failures.REFUSED)
NFCD_STOPPED = Ending("nfcd-stopped", _unreachable, failures.REFUSED, failures.NFCD_STOPPED)
AUTHD_SILENT = Ending("authd-silent", _unreachable, failures.AUTHD_SILENT, waits=True)
TICKET_EXPIRED = Ending(
    "ticket-expired",
    lambda s: faults.cannot_access_file(s.file),
    failures.TICKET_REFUSED,
    failures.TICKET_EXPIRED_THERE,
)
NFC_MEMORY = Ending(
    "nfc-memory", lambda _s: faults.system_error("Out of memory"), failures.OUT_OF_MEMORY, failures.OUT_OF_MEMORY_THERE
)
NFC_MEMORY_HERE = Ending(
    "nfc-memory-here",
    lambda _s: faults.system_error("Out of memory"),
    (*failures.OUT_OF_MEMORY_THERE, *failures.OUT_OF_MEMORY),
)
DISK_LOCKED = Ending("disk-locked", lambda s: faults.file_locked(s.file), failures.DISK_LOCKED)
UDT_UNREACHABLE = Ending(
    "udt-unreachable",
    lambda s: faults.vmotion_failed("were not able to connect", s.source, s.destination),
    failures.UDT_UNREACHABLE,
    failures.UDT_UNREACHABLE_THERE,
    waits=True,
)

# While bytes move.

SESSION_DIED = Ending(
    "session-died",
    _copy_broke,
    phrases.SOURCE_SESSION_DIED,
    phrases.DESTINATION_SESSION_DIED,
    Leftovers.ORPHANED,
)
SESSION_RESET = Ending("session-reset", _copy_broke, failures.RESET, failures.RESET_THERE)
SESSION_SILENCED = Ending("session-silenced", _copy_broke, failures.SILENCED, leftovers=Leftovers.ORPHANED)
SEGMENTS_EATEN = Ending(
    "segments-eaten",
    _copy_broke,
    failures.SEGMENTS_EATEN,
    failures.SEGMENTS_EATEN_THERE,
    Leftovers.ORPHANED,
)
SESSION_FORGOTTEN = Ending("session-forgotten", _copy_broke, failures.FORGOTTEN, leftovers=Leftovers.ORPHANED)
CONTROL_FORGOTTEN = Ending("control-forgotten", _copy_broke, failures.CONTROL_FORGOTTEN, leftovers=Leftovers.ORPHANED)
UDT_DIED = Ending(
    "udt-died",
    lambda s: faults.vmotion_failed("lost their connection", s.source, s.destination),
    failures.UDT_DIED,
    failures.UDT_UNREACHABLE_THERE,
    Leftovers.ORPHANED,
)
NO_SPACE = Ending(
    "no-space", lambda s: faults.no_disk_space(s.target, s.datastore), failures.NO_SPACE, failures.NO_SPACE_THERE
)
TARGET_LOST = Ending(
    "target-lost",
    lambda s: faults.file_fault(s.target, "Input/output error"),
    failures.WRITE_FAILED,
    failures.WRITE_FAILED_THERE,
    Leftovers.ORPHANED,
)
SOURCE_LOST = Ending(
    "source-lost", lambda s: faults.cannot_access_file(s.file), failures.READ_FAILED, failures.SENDER_GONE
)
DESTINATION_DISCONNECTED = Ending(
    "destination-disconnected",
    lambda s: faults.host_not_connected(s.destination),
    destination=failures.VCENTER_LOST_US,
    leftovers=Leftovers.ORPHANED,
)
SOURCE_DISCONNECTED = Ending(
    "source-disconnected",
    lambda s: faults.host_not_connected(s.source),
    failures.VCENTER_LOST_US,
    failures.SENDER_GONE,
)
RECEIVER_RESTARTED = Ending(
    "receiver-restarted", _copy_broke, failures.RECEIVER_RESTARTED, leftovers=Leftovers.ORPHANED
)
READER_RESTARTED = Ending(
    "reader-restarted", _copy_broke, failures.READER_RESTARTED, failures.SENDER_GONE_UNCLEANED, Leftovers.ORPHANED
)
SOURCE_AGENT_RESTARTED = Ending(
    "source-agent-restarted", lambda s: faults.host_communication(s.source), destination=failures.SENDER_GONE
)
DESTINATION_AGENT_RESTARTED = Ending(
    "destination-agent-restarted",
    lambda s: faults.host_communication(s.destination),
    failures.RECEIVER_RESTARTED,
    leftovers=Leftovers.ORPHANED,
)
TIMED_OUT = Ending("timed-out", lambda _s: faults.timed_out(), failures.GIVEN_UP, failures.SENDER_GONE)
