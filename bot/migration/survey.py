"""What was found out beside the VM and the site, once it was clear from where to where: a plan's second look. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.migration.measured import PathMeasurement


@dataclass(frozen=True, slots=True)
class MissingPrivilege:
    """A privilege that our account does not have on the very object that needs it."""

    privilege: str  # "Resource.AssignVMToPool"
    kind: str  # "VM", "resource pool", "datastore", "folder", "network", "host"
    on: str
    what_for: str  # "to place the VM there"
    needed: bool = True  # False: something optional goes without it


@dataclass(frozen=True, slots=True)
class Advice:
    """What CheckRelocate_Task said: an error or a warning, in vCenter's own words. Advice, for it has been wrong."""

    is_error: bool
    kind: str  # "vim.fault.CannotAccessNetwork"
    text: str


@dataclass(frozen=True, slots=True)
class VCenters:
    """The vCenter that a VM leaves and the one it goes to: their versions, and how far the clock over there is ahead.

    Of a version that was not told nothing is known: it is empty.
    """

    here: str
    there: str
    ahead: timedelta


@dataclass(frozen=True, slots=True)
class Survey:
    """None: not looked at, or not readable; then `unread` says why, by the name of the field.

    `clock_offsets`: by host, how far its clock is ahead of its vCenter's. `nfc_sessions`: by host, connections of
    others on TCP 902. `claimed`: bytes that our queued and running jobs will still take of the target datastore, by
    job.
    """

    missing_privileges: tuple[MissingPrivilege, ...] | None = None
    advice: tuple[Advice, ...] | None = None
    clock_offsets: Mapping[str, timedelta] | None = None
    nfc_sessions: Mapping[str, int] | None = None
    measured: PathMeasurement | None = None
    vcenters: VCenters | None = None  # of a move between two
    claimed: Mapping[str, int] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
