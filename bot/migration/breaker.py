"""The circuit breaker: whether a copy that failed keeps others from starting, and on what: nothing, two hosts, a link.

Pure. Nothing here ever stops what runs. Causes are told by their names and not imported, because rooms of one floor do
not know each other; a test holds that every cause of the catalogue is in exactly one of the sets below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

OF_THE_PATH: Final = frozenset(
    {
        "packet_loss",
        "port_blocked",
        "nat",
        "mtu_mismatch",
        "udt_path",
        "idle_timeout_reset",
        "timeout_slow_link",
    }
)
"""Whatever crosses the same wires next is likely to die of them too."""

OF_THE_HOSTS: Final = frozenset(
    {"host_agent_down", "authd_unresponsive", "nfc_memory_limit", "tls_certificate", "provisioning_path"}
)
"""One of the two hosts is to blame; other hosts across the same link are not."""

OF_ITSELF: Final = frozenset(
    {
        "dns_resolution",
        "ticket_permission",
        "dest_full",
        "source_file_missing",
        "file_locked",
        "disk_io_error",
        "disk_format",
        "version_incompat",
        "cbt_snapshot",
        "client_defect",
    }
)
"""Storage, files, names, rights, versions: no wire is to blame, and the next copy may do better."""

UNDETERMINED: Final = "undetermined"

WORDS: Final = {
    "packet_loss": "packet loss",
    "port_blocked": "a blocked port",
    "nat": "address translation (NAT) on the way",
    "mtu_mismatch": "an MTU that does not fit the path",
    "udt_path": "a broken UDT path",
    "idle_timeout_reset": "an idle timeout on the way",
    "timeout_slow_link": "a timeout on a slow link",
    "host_agent_down": "a host agent that went down",
    "authd_unresponsive": "an authd that did not answer",
    "nfc_memory_limit": "the NFC memory limit of a host",
    "tls_certificate": "a TLS certificate that was refused",
    "provisioning_path": "a broken provisioning network",
    "dns_resolution": "a name that could not be resolved",
    "ticket_permission": "a ticket that was refused",
    "dest_full": "a full datastore",
    "source_file_missing": "a missing file",
    "file_locked": "a locked file",
    "disk_io_error": "a disk error",
    "disk_format": "a disk format that does not fit",
    "version_incompat": "versions that do not fit",
    "cbt_snapshot": "a snapshot or its change tracking",
    "client_defect": "a defect of the client",
    UNDETERMINED: "an unknown cause",
}
"""Each cause as what ended a copy, in the middle of a sentence."""

DATA: Final = "data"

SURE_ENOUGH: Final = 0.3
"""A log alone says 0.6 at most of a cause of the path; what is less than half of that is a guess."""

AGAIN_WITHIN: Final = timedelta(minutes=15)
"""One unexplained death says nothing of the link; another one so soon after it does."""

QUIET: Final = timedelta(minutes=5)
PERCENTS: Final = 3
"""A copy stands still when nothing was heard for that long, and for as long as so many percent took before."""


class Scope(StrEnum):
    """What starts nothing from now on."""

    NOTHING = "nothing"
    HOSTS = "hosts"  # this source with this target
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Failure:
    """How a copy across a link ended. `cause` and `stage` are names of the diagnosis; both empty when it found none."""

    vm: str
    cause: str
    confidence: float
    stage: str
    source: str
    target: str
    at: datetime

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset((self.source, self.target))


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A copy that runs across the same link. `well`: its data flows; None when that cannot be told (yet)."""

    vm: str
    source: str
    target: str
    well: bool | None

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset((self.source, self.target))


@dataclass(frozen=True, slots=True)
class Decision:
    """What is held, and why, in a sentence without its full stop."""

    scope: Scope
    why: str


def decide(failure: Failure, *, neighbours: Sequence[Neighbour] = (), earlier: Sequence[Failure] = ()) -> Decision:
    """What the failure holds. `earlier`: other failures across the link, of which only recent ones count."""
    recent = [other for other in earlier if timedelta(0) <= failure.at - other.at <= AGAIN_WITHIN]
    if _blames_path(failure):
        return _narrowed(failure, neighbours, [other for other in recent if _blames_path(other)])
    if failure.cause in OF_THE_HOSTS:
        return Decision(
            Scope.HOSTS, f"{_words(failure)} ended the copy of {failure.vm}, which is of its hosts and not of the link"
        )
    if not failure.cause or failure.cause in OF_ITSELF:
        return Decision(Scope.NOTHING, f"nothing tells against the link in how the copy of {failure.vm} failed")
    return _unexplained(failure, neighbours, [other for other in recent if _may_be_of_path(other)])


def goes_well(*, percent: int, rate: float | None, nfc_errors: int, size: int, quiet: timedelta) -> bool | None:
    """Whether a running copy's data flows: `quiet` is how long ago it last moved. None: too early to tell."""
    if nfc_errors:
        return False
    if not percent or not rate or rate <= 0:
        return None if quiet <= QUIET else False
    return quiet <= max(QUIET, PERCENTS * timedelta(seconds=size / 100 / rate))


def _unexplained(failure: Failure, neighbours: Sequence[Neighbour], fellows: Sequence[Failure]) -> Decision:
    if failure.stage != DATA:
        return Decision(
            Scope.NOTHING, f"the copy of {failure.vm} failed before data flowed, and the logs do not say why"
        )
    if not fellows:
        return Decision(
            Scope.NOTHING,
            f"the logs do not say why the copy of {failure.vm} died; "
            f"another such death within {_minutes(AGAIN_WITHIN)} holds the link",
        )
    return _narrowed(failure, neighbours, fellows)


def _narrowed(failure: Failure, neighbours: Sequence[Neighbour], fellows: Sequence[Failure]) -> Decision:
    """The link, unless it demonstrably carries others and only these two hosts had bad luck."""
    died = f"{_words(failure)} ended the copy of {failure.vm}"
    if fellows:
        last = max(fellows, key=lambda other: other.at)
        died += f", and {_words(last)} that of {last.vm} {_minutes(failure.at - last.at)} before"
    elsewhere = [n for n in neighbours if n.hosts != failure.hosts]
    well = sorted(n.vm for n in elsewhere if n.well)
    if well and all(other.hosts == failure.hosts for other in fellows):
        return Decision(Scope.HOSTS, f"{died}, while between other hosts {_listed(well)} went on well")
    if stuck := sorted(n.vm for n in neighbours if n.well is False):
        died += f"; {_listed(stuck)} did not go well either"
    elif not well and not fellows:
        died += "; nothing else ran that shows the link to be well"
    return Decision(Scope.LINK, died)


def _blames_path(failure: Failure) -> bool:
    return failure.cause in OF_THE_PATH and failure.confidence >= SURE_ENOUGH


def _may_be_of_path(failure: Failure) -> bool:
    """Of the path, or unexplained while data flowed."""
    if failure.cause in OF_THE_PATH:
        return True
    return failure.cause == UNDETERMINED and failure.stage == DATA


def _words(failure: Failure) -> str:
    return WORDS.get(failure.cause, failure.cause.replace("_", " "))  # another version may know more causes


def _minutes(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return "less than a minute" if not minutes else f"{minutes} minute{'s' if minutes != 1 else ''}"


_NAMED: Final = 3


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    shown = [*names[:_NAMED], *([f"{more} more"] if more > 0 else [])]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
