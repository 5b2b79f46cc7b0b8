"""How a log line looks in each generation of ESXi and vCenter (corpus/LOG_FORMATS.md, sections 1, 3 and 6).

Forms only: no texts, see `phrases` and `ordinary`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum


class Generation(StrEnum):
    """A: 4.x and 5.0. B: 5.1 to 5.5. C: 6.x and 7.x. D: 8.x and later hosts. E: vCenter 9 itself, never a host."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"

    @staticmethod
    def of(version: str) -> Generation:
        """Return the generation of a host's logs."""
        major, minor = _numbers(version)
        if major < 5 or (major, minor) == (5, 0):  # noqa: PLR2004 - ESXi versions
            return Generation.A
        return {5: Generation.B, 6: Generation.C, 7: Generation.C}.get(major, Generation.D)

    @staticmethod
    def of_vcenter(version: str) -> Generation:
        """Return the generation of vpxd's own log: 8.x still writes as 6.0 did, 9 writes a form of its own."""
        major, _ = _numbers(version)
        if major >= 9:  # noqa: PLR2004 - a vCenter version
            return Generation.E
        return {4: Generation.A, 5: Generation.B}.get(major, Generation.C)


@dataclass(frozen=True)
class Entry:
    """One log entry before it has a form. `component` is 'Libs' or sub=Libs; `op_id` may be empty.

    In the body, what follows a newline is a continuation. `uptime` is how long the machine has been up.
    """

    at: datetime
    process: str
    level: str
    component: str
    op_id: str
    body: str
    thread: int
    uptime: timedelta = timedelta(0)


_PRIORITY = {"error": "Er(163)", "warning": "Wa(164)", "info": "In(166)", "verbose": "Db(167)"}
_KERNEL_PRIORITY = {"warning": "Wa(180) vmkwarning", "error": "Al(177) vmkalert"}
_DECIMAL_THREADS_FROM = (6, 7)
_CONTINUED = "--> "


def written(entry: Entry, version: str) -> list[str]:
    """Write an entry as the process that it names does on a machine of this version; one line and its continuations."""
    first, *rest = entry.body.split("\n")
    head = _FORMS[entry.process]
    lines = [head(entry, first, version)]
    if rest:
        lines += [f"{_before_arrow(entry, version)}{_CONTINUED}{text}".rstrip() for text in rest]
    return lines


def _before_arrow(entry: Entry, version: str) -> str:
    """Hosts from 8.0 on repeat time and process before the arrow (a published hostd.log of 2025); others do not."""
    if entry.process == "vpxd" or Generation.of(version) is not Generation.D:
        return ""
    return f"{zulu(entry.at)} {_PRIORITY[entry.level]} {entry.process.capitalize()}[{entry.thread}]: "


def _agent(entry: Entry, text: str, version: str) -> str:
    generation = Generation.of(version)
    op_id = f" opID={entry.op_id}" if entry.op_id else ""
    if generation is Generation.A:
        return f"[{_local(entry.at)} {entry.thread:08X} {entry.level} '{entry.component}'{op_id}] {text}"
    if generation is Generation.B:
        return f"{zulu(entry.at)} [{entry.thread:08X} {entry.level} '{entry.component}'{op_id}] {text}"
    origin = f"[Originator@6876 sub={entry.component}{op_id}]"
    if generation is Generation.C:
        thread = f"{entry.thread}" if _numbers(version) >= _DECIMAL_THREADS_FROM else f"{entry.thread:X}"
        return f"{zulu(entry.at)} {entry.level} {entry.process}[{thread}] {origin} {text}"
    process = entry.process.capitalize()
    return f"{zulu(entry.at)} {_PRIORITY[entry.level]} {process}[{entry.thread}]: {origin} {text}"


def _kernel(entry: Entry, text: str, version: str) -> str:
    """Write a vmkernel line; `op_id` is the kernel's own hash."""
    generation = Generation.of(version)
    op_id = f" opID={entry.op_id}" if entry.op_id else ""
    loud = "WARNING: " if entry.level == "warning" else ""
    place = f"cpu{entry.thread % 16}:{entry.thread}{op_id}){loud}{text}"
    if generation is Generation.A:
        wall = entry.at.astimezone(UTC)
        return f"{wall:%b} {wall.day} {wall:%H:%M:%S} vmkernel: {_days(entry.uptime)} {place}"
    if generation is not Generation.D:
        return f"{zulu(entry.at)} {place}"
    return f"{zulu(entry.at)} {_KERNEL_PRIORITY.get(entry.level, 'In(182) vmkernel')}: {place}"


def _observer(entry: Entry, text: str, version: str) -> str:
    """Write a vobd line; `component` is the correlator."""
    said = f"[{entry.component}] {entry.uptime // timedelta(microseconds=1)}us: {text}"
    if Generation.of(version) is Generation.D:
        return f"{zulu(entry.at)} In(14) vobd[{entry.thread}]: {said}"
    return f"{zulu(entry.at)}: {said}"


def _vcenter(entry: Entry, text: str, version: str) -> str:
    """Write a vpxd line."""
    generation = Generation.of_vcenter(version)
    op_id = f" opID={entry.op_id}" if entry.op_id else ""
    if generation is Generation.A:
        return f"[{_local(entry.at)} {entry.thread % 100_000:05d} {entry.level} '{entry.component}'{op_id}] {text}"
    if generation is Generation.B:
        return f"{zulu(entry.at)} [7F03{entry.thread:08X} {entry.level} '{entry.component}'{op_id}] {text}"
    if generation is Generation.C:
        origin = f"[Originator@6876 sub={entry.component}{op_id}]"
        return f"{zulu(entry.at)} {entry.level} vpxd[{entry.thread % 100_000:05d}] {origin} {text}"
    quoted = f' opID="{entry.op_id}"' if entry.op_id else ""
    origin = f'[Originator@4413 sub="{entry.component}"{quoted}]'
    return f"{zulu(entry.at)} {entry.level.upper()} vpxd {entry.thread % 100_000} {origin} {text}"


_FORMS: dict[str, Callable[[Entry, str, str], str]] = {
    "vpxa": _agent,
    "hostd": _agent,
    "vmkernel": _kernel,
    "vobd": _observer,
    "vpxd": _vcenter,
}


def section_line(at: datetime, version: str) -> str:
    """Write the line that a host's new file starts with after a rotation (LOG_FORMATS section 6)."""
    if Generation.of(version) is not Generation.D:
        return _section(at, "ESX", version)
    stamp = zulu(at)
    service = f"{stamp} - time the service was last started {stamp}"
    section = f"Section for VMware ESX, pid=2098914, version={version}, build=24022510, option=Release"
    return f"{stamp} In(14) vmsyslogd[1001390391]: Logs rotated. {service}, {section}"


def vcenter_section_line(at: datetime, version: str) -> str:
    """Write the same for vpxd.log; the words are those of hosts, the product's name is vpxd's (a 6.0 source has it)."""
    return _section(at, "VirtualCenter", version)


def _section(at: datetime, product: str, version: str) -> str:
    stamp = zulu(at)
    section = f"Section for VMware {product}, pid=2098914, version={version}, build=24022510, option=Release"
    return f"{stamp} - last log rotation time, {stamp} - time the service was last started, {section}"


def zulu(at: datetime) -> str:
    """Write a moment as logs from 5.0 on do: UTC with milliseconds."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _local(at: datetime) -> str:
    """Write a moment as 4.x does: no zone; the played machines live in UTC."""
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"


def _days(uptime: timedelta) -> str:
    hours, rest = divmod(uptime.seconds, 3600)
    return f"{uptime.days}:{hours:02d}:{rest // 60:02d}:{rest % 60:02d}.{uptime.microseconds // 1000:03d}"


def _numbers(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
