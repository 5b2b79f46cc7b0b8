"""How a log line looks in each generation of ESXi (corpus/LOG_FORMATS.md, section 1). No texts: see `phrases`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class Generation(StrEnum):
    """A: 4.x and 5.0. B: 5.1 to 5.5. C: 6.x and 7.x. D: 8.x and later."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"

    @staticmethod
    def of(version: str) -> Generation:
        major, minor = (int(part) for part in version.split(".")[:2])
        if major < 5 or (major, minor) == (5, 0):  # noqa: PLR2004 - ESXi versions
            return Generation.A
        return {5: Generation.B, 6: Generation.C, 7: Generation.C}.get(major, Generation.D)


@dataclass(frozen=True)
class Entry:
    """One log entry before it has a form. `component` is 'Libs' or sub=Libs; `op_id` may be empty."""

    at: datetime
    process: str
    level: str
    component: str
    op_id: str
    body: str
    thread: int


_PRIORITY = {"error": "Er(163)", "warning": "Wa(164)", "info": "In(166)", "verbose": "Db(167)"}
_DECIMAL_THREADS_FROM = (6, 7)


def agent_line(entry: Entry, version: str) -> str:
    """Write a vpxa or hostd line as a host of this version does."""
    generation = Generation.of(version)
    op_id = f" opID={entry.op_id}" if entry.op_id else ""
    if generation is Generation.A:
        stamp = entry.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.") + f"{entry.at.microsecond // 1000:03d}"
        return f"[{stamp} {entry.thread:08X} {entry.level} '{entry.component}'{op_id}] {entry.body}"
    stamp = zulu(entry.at)
    if generation is Generation.B:
        return f"{stamp} [{entry.thread:08X} {entry.level} '{entry.component}'{op_id}] {entry.body}"
    origin = f"[Originator@6876 sub={entry.component}{op_id}]"
    if generation is Generation.C:
        decimal = tuple(int(part) for part in version.split(".")[:2]) >= _DECIMAL_THREADS_FROM
        thread = f"{entry.thread}" if decimal else f"{entry.thread:X}"
        return f"{stamp} {entry.level} {entry.process}[{thread}] {origin} {entry.body}"
    return f"{stamp} {_PRIORITY[entry.level]} {entry.process.capitalize()}[{entry.thread}]: {origin} {entry.body}"


def kernel_line(entry: Entry, version: str) -> str:
    """Write a vmkernel line; `op_id` is the kernel's own hash."""
    generation = Generation.of(version)
    op_id = f" opID={entry.op_id}" if entry.op_id else ""
    place = f"cpu{entry.thread % 16}:{entry.thread}{op_id}){entry.body}"
    if generation is Generation.A:
        return f"{entry.at.astimezone(UTC).strftime('%b %d %H:%M:%S')} vmkernel: 2:16:49:12.573 {place}"
    return f"{zulu(entry.at)} In(182) vmkernel: {place}" if generation is Generation.D else f"{zulu(entry.at)} {place}"


def section_line(at: datetime, version: str) -> str:
    """Write the line that a new file starts with after a rotation (LOG_FORMATS section 6)."""
    stamp, section = zulu(at), f"Section for VMware ESX, pid=2098914, version={version}, build=24022510, option=Release"
    if Generation.of(version) is Generation.D:
        service = f"{stamp} - time the service was last started {stamp}"
        return f"{stamp} In(14) vmsyslogd[1001390391]: Logs rotated. {service}, {section}"
    return f"{stamp} - last log rotation time, {stamp} - time the service was last started, {section}"


def zulu(at: datetime) -> str:
    """Write a moment as logs from 5.0 on do: UTC with milliseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
