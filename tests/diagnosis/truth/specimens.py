"""The recorded failures without the headers they came with: what was said, how long after the first line, by whom.

The headers are taken off here by patterns of the tests' own, so that a mistake in the product's formats cannot hide
itself. Nothing here knows how a line is dressed again (`renderings.py`).
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

RECORDED = Path(__file__).parents[1] / "cases"

_CLOCK = r"\w{3} +\d+ (?P<clock>\d\d:\d\d:\d\d)"
_HEADERS = tuple(
    re.compile(pattern)
    for pattern in (
        (
            rf"^(?:{_CLOCK} (?:\S+ )?\w+: )?(?:\[#\d+\] )?\[?(?P<when>\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{{3}}) "
            r"[0-9A-Fa-f]{5,16} (?P<severity>\w+) '(?P<component>[^']*)'(?: opID=(?P<op>[^\]\s]+))?\] "
        ),
        rf"^{_CLOCK} (?:\S+ )?(?P<kernel>vmkernel): [\d:.]+ cpu\d+:\d+\)",
        rf"^{_CLOCK} (?:\S+ )?(?P<frame>Hostd): ",
        r"^(?P<when>\d{4}-\d\d-\d\dT[\d:.]+Z)\| [\w-]+\| \w\d+: ",
        r"^YYYY-MM-DDT HH:MM:SS\.\d{3}Z (?P<severity>\w+) vpxd\[#+\] (?:\[Originator@6876 sub=(?P<component>\w+)\] )?",
        (
            r"^\[[\d.]+ [\d:.]+\] <\s*\d+> \w+\| \[vddk\] (?P<when>\S+) (?P<severity>\w+) -\[\d+\] "
            r"\[Originator@6876 sub=(?P<component>\w+)\] "
        ),
        (
            r"^(?P<when>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})(?:Z|[+-]\d\d:\d\d) (?P<severity>[a-z]+) [\w.-]+\[\w+\] "
            r"\[Originator@6876 sub=(?P<component>[^\s\]]+)(?: op[Ii][Dd]=(?P<op>[^\s\]]+))?[^\]]*\] "
        ),
        r"^(?P<library>nbdkit: vddk\[\d\]: error: |Q-task_id\(.*?\) VMware\(VixDiskLib\): )",
    )
)
# What the library below says, it says in the logs of clients and of hosts alike; its client's side, in theirs alone.
_LIBRARY = re.compile(r"\[NFC |DISKLIB|DiskLib|Cnx\w*:|Nfc[A-Z]\w+:|NBD_|VixDiskLib")
_CLIENT_SIDE = re.compile(r"VixDiskLib|NBD_\w+:|nbd-client|vimaccess|Sysimgbase")
_SOME_OPERATION = "C65743A5-0000024D-5c"
# Wrapped by the manual page that it was copied from.
_WRAPPED = frozenset({"v2v-doc-nfc-error5-2mb"})


@dataclass(frozen=True)
class Entry:
    """One thing that was said. `kind` is the program: agent, kernel, vmx, client, or frame (a line that has no header
    in any generation but the oldest); `after` is in milliseconds.
    """

    kind: str
    text: str
    after: int
    severity: str = "error"
    component: str = "Libs"
    op: str | None = None


@dataclass(frozen=True)
class Specimen:
    """One recorded failure; `allowed` are causes that its source allows besides."""

    name: str
    log: Path
    cause: str
    allowed: tuple[str, ...]
    lines: tuple[str, ...]
    entries: tuple[Entry, ...]

    @property
    def stem(self) -> str:
        return self.log.stem

    @property
    def of_the_library(self) -> bool:
        return self.stem == "client" and any(_LIBRARY.search(entry.text) for entry in self.entries)

    @property
    def of_both_sides(self) -> bool:
        return self.of_the_library and not any(_CLIENT_SIDE.search(entry.text) for entry in self.entries)

    @property
    def has_operation(self) -> bool:
        return any(entry.op for entry in self.entries)

    def under_one_operation(self) -> Specimen:
        """Return the same, each line of an agent or a client's library under an operation, as a host prints it."""
        return replace(self, entries=tuple(replace(entry, op=_SOME_OPERATION) for entry in self.entries))

    @property
    def of_two_programs(self) -> bool:
        return len({entry.kind for entry in self.entries} - {"frame"}) > 1


def recorded() -> tuple[Specimen, ...]:
    """Return every recorded failure, in a settled order."""
    return tuple(
        specimen(path) for path in sorted(RECORDED.glob("*/*/expect.toml")) if path.parent.parent.name != "healthy"
    )


def specimen(expectation: Path) -> Specimen:
    folder = expectation.parent
    (log,) = folder.glob("*.log")
    said = tomllib.loads(expectation.read_text(encoding="utf-8"))
    lines = log.read_text(encoding="utf-8").splitlines()
    if folder.name in _WRAPPED:
        lines = [" ".join(lines)]
    return Specimen(
        folder.name,
        log,
        said["cause"],
        tuple(said.get("alternatives", ())),
        tuple(lines),
        tuple(_entries(lines, log.stem)),
    )


def _entries(lines: list[str], stem: str) -> list[Entry]:
    entries: list[Entry] = []
    first: float | None = None
    after = 0
    for line in lines:
        found = next((hit for header in _HEADERS if (hit := header.match(line))), None)
        had = found.groupdict() if found else {}
        if (moment := _moment(had)) is not None:
            first = moment if first is None else first
            after = max(after, round((moment - first) * 1000))
        entries.append(
            Entry(
                _kind(had, stem),
                line[found.end() :] if found else line,
                after,
                had.get("severity") or "error",
                had.get("component") or "Libs",
                had.get("op"),
            )
        )
        after += 1
    return entries


def _kind(had: dict[str, str | None], stem: str) -> str:
    if had.get("kernel"):
        return "kernel"
    if had.get("frame"):
        return "frame"
    return {"client": "client", "vmware": "vmx", "vmkernel": "kernel"}.get(stem, "agent")


def _moment(had: dict[str, str | None]) -> float | None:
    """Seconds since some moment, the same for all lines of one file: lines through syslog have a clock in common."""
    if clock := had.get("clock"):
        hours, minutes, seconds = (int(part) for part in clock.split(":"))
        return hours * 3600.0 + minutes * 60 + seconds
    if when := had.get("when"):
        return datetime.fromisoformat(when).replace(tzinfo=None).timestamp()
    return None
