"""A line as it came in, and as it reads once its header is understood."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from bot.diagnosis.records import dataclass
from bot.diagnosis.severity import Severity, severity_of
from bot.diagnosis.stamps import Wall

Side = Literal["source", "destination", "vcenter"]

LINE_LIMIT = 16 * 1024  # what is matched and shown of one line; characters here, bytes while scanning


class LogKind(StrEnum):
    """Which program wrote a line."""

    VPXA = "vpxa"
    HOSTD = "hostd"
    VPXD = "vpxd"
    VMKERNEL = "vmkernel"
    VMWARE = "vmware"
    VOBD = "vobd"
    HBRSRV = "hbrsrv"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line of one log. `file` is a name for people, `line` counts from 1, `side` is an end of the copy."""

    file: str
    line: int
    text: str
    host: str | None = None
    side: Side | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What stands before the message; words are kept as they were read.

    `timestamp` is aware and in UTC. Where the stamp has no year, `wall` is what was read, and `timestamp` is None until
    a `Years` of the file finds the year. `zone_assumed` says that the stamp has no zone.
    """

    format: str
    timestamp: datetime | None = None
    severity: str | None = None
    process: str | None = None
    component: str | None = None
    thread: str | None = None
    op_id: str | None = None
    host: str | None = None
    wall: Wall | None = None
    zone_assumed: bool = False

    @property
    def level(self) -> Severity | None:
        """How bad the line says it is, in one of four steps."""
        return severity_of(self.severity)


@dataclass(frozen=True, slots=True)
class Event:
    """A line that matters. `header` is None where no known format fits: the text still counts, its time is unknown."""

    source: SourceLine
    header: Header | None

    @property
    def text(self) -> str:
        return self.source.text

    @property
    def timestamp(self) -> datetime | None:
        return self.header.timestamp if self.header else None

    @property
    def op_id(self) -> str | None:
        return self.header.op_id if self.header else None

    @property
    def host(self) -> str | None:
        return self.source.host or (self.header.host if self.header else None)

    @property
    def kind(self) -> LogKind | None:
        """Which log this is, by the program in the header, else by the file's name; None allows every rule."""
        return _kind_of_process(self.header) or _kind_of_file(self.source.file)


_PROGRAMS = {
    LogKind.VPXD: ("vpxd-main",),
    LogKind.VMKERNEL: ("vmkwarning", "vmkalert"),
    LogKind.VMWARE: ("vmx",),
    LogKind.CLIENT: (
        *("vddk", "nbdkit", "nbdcopy", "qemu-img", "virt-v2v", "ovftool", "veeam", "converter"),
        *("govc", "terraform", "packer", "velero"),
    ),
}
_PROCESSES = {kind.value: kind for kind in LogKind} | {name: kind for kind in _PROGRAMS for name in _PROGRAMS[kind]}


def _kind_of_process(header: Header | None) -> LogKind | None:
    process = (header.process or "").lower() if header else ""
    return _PROCESSES.get(process)


def _kind_of_file(file: str) -> LogKind | None:
    name = file.replace("\\", "/").rsplit("/", 1)[-1].lower()
    words = [word for word in _PROCESSES if word in name]  # the longest: vmware-converter.log is a client's
    return _PROCESSES[max(words, key=len)] if words else None
