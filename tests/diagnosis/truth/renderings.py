"""Dresses a recorded failure anew: in any layout its source can have, with other names, times and operations, amid
ordinary lines. Layouts are those of the literature, named as there (A to E, K1 to K3, V); the same seed gives the same
lines.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from tests.diagnosis.truth.specimens import Entry, Specimen

HEALTHY = Path(__file__).parents[3] / "bot/diagnosis/healthy"

_AGENTS = ("A", "A bare", "A syslog", "B", "C", "C zone", "C syslog", "D")
_LAYOUTS = {
    "vpxa": _AGENTS,
    "hostd": _AGENTS,
    "vpxd": ("A", "B", "C", "C zone", "C syslog", "E"),
    "vmkernel": ("K1", "K2", "K3"),
    "vmware": ("V", "V8"),
    "client": ("plain", "stamped", "unit"),
}
_OF_OTHER_SERVERS = ("C", "C syslog")
_OF_THE_LIBRARY = ("V", "V late", "nbdkit", "quoted")
# Agent and kernel in one file: the layouts in which one host writes both.
_TOGETHER = ("A syslog", "B", "C", "D")
OPERATIONS = ("old client", "new client", "script", "ours")
WITH_OPERATIONS = frozenset({*_AGENTS, "E"})
_STARTS_ENTRY = re.compile(r"^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d{3}")


def layouts_of(specimen: Specimen) -> tuple[str, ...]:
    """Return the layouts that this failure's source can have."""
    if specimen.of_two_programs:
        return _TOGETHER
    library = _OF_THE_LIBRARY if specimen.of_the_library else ()
    return _LAYOUTS.get(specimen.stem, _OF_OTHER_SERVERS) + library + (_AGENTS if specimen.of_both_sides else ())


def operations_of(specimen: Specimen) -> tuple[str, ...]:
    """Return the families to render it under; where lines bear no operation, two serve as two seeds."""
    return OPERATIONS if specimen.has_operation else OPERATIONS[:2]


@dataclass(frozen=True)
class Rendering:
    """Lines, and which of them are the failure's (counted from 1)."""

    specimen: Specimen
    layout: str
    operations: str
    seed: str
    file: str
    lines: tuple[str, ...]
    ours: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.specimen.name} as {self.layout}, {self.operations}, seed {self.seed!r}"

    def without(self, numbers: Sequence[int]) -> Rendering:
        kept = [(number, line) for number, line in enumerate(self.lines, 1) if number not in numbers]
        ours = tuple(place for place, (number, _) in enumerate(kept, 1) if number in self.ours)
        return replace(self, lines=tuple(line for _, line in kept), ours=ours)


def render(specimen: Specimen, layout: str, operations: str, *, noise: int = 40, round_: int = 0) -> Rendering:
    """Return the failure in `layout`, its operation in one of the families of `OPERATIONS`, amid `noise` lines."""
    seed = f"{specimen.name}|{layout}|{operations}|{round_}"
    rng = random.Random(seed)
    dress = _Dresser(rng, layout, operations, specimen.stem)
    ordinary = _ordinary(rng, dress.start, noise)
    lines: list[str] = [next(ordinary) for _ in range(noise // 3)]
    ours = []
    for entry in specimen.entries:
        while noise and rng.random() < 0.4:
            lines.append(next(ordinary))
        lines.append(dress(entry))
        ours.append(len(lines))
    lines += [next(ordinary) for _ in range(noise // 3)]
    return Rendering(specimen, layout, operations, seed, _file(specimen, layout), tuple(lines), tuple(ours))


def _file(specimen: Specimen, layout: str) -> str:
    if layout == "A syslog":
        return "messages"
    return "vpxa.log" if specimen.stem == "client" and layout in _AGENTS else specimen.log.name


@cache
def ordinary_entries() -> tuple[str, ...]:
    """Return the ordinary lines that begin with a full stamp, as they are kept."""
    lines = [line for path in sorted(HEALTHY.glob("*.txt")) for line in path.read_text(encoding="utf-8").splitlines()]
    return tuple(line for line in lines if _STARTS_ENTRY.match(line))


def _ordinary(rng: random.Random, start: datetime, noise: int) -> Iterator[str]:
    """Yield ordinary lines of all generations, at the time of the failure."""
    pool = ordinary_entries()
    moment = start - timedelta(seconds=noise)
    while True:
        moment += timedelta(milliseconds=rng.randrange(1, 900))
        line = rng.choice(pool)
        blank = "T" if "T" in line[:12] else " "
        yield _STARTS_ENTRY.sub(("[" if line[0] == "[" else "") + _stamp(moment, blank), line)


def _stamp(moment: datetime, blank: str = "T") -> str:
    return moment.strftime(f"%Y-%m-%d{blank}%H:%M:%S.") + f"{moment.microsecond // 1000:03d}"


def _syslog_stamp(moment: datetime) -> str:
    return moment.strftime("%b ") + str(moment.day) + moment.strftime(" %H:%M:%S")


class _Names:
    """Other names for what a text names; the same name becomes the same other name."""

    _NAMED = re.compile(
        r"(?P<address>\b\d{1,3}(?:\.\d{1,3}){3}\b)|(?P<uuid>\b[0-9a-f]{8}(?:-[0-9a-f]{4,12}){3,4}\b)|(?P<task>task-\d+)"
        r"|(?P<host><esxhost>|esx_host|esxi-1\.vrack\.vsphere\.local|ESXI_HOST\.example|esxsrv17\.\w+\.org)"
    )

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._given: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        return self._NAMED.sub(self._other, text)

    def _other(self, found: re.Match[str]) -> str:
        name = found.group()
        if name not in self._given:
            self._given[name] = self._new(str(found.lastgroup), name)
        return self._given[name]

    def _new(self, kind: str, name: str) -> str:
        rng = self._rng
        match kind:
            case "address":
                return f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"
            case "uuid":
                return re.sub(r"[0-9a-f]", lambda _: rng.choice("0123456789abcdef"), name)
            case "task":
                return f"task-{rng.randrange(1000, 99999)}"
            case _:
                return f"esx-{rng.randrange(10, 99)}.site{rng.randrange(9)}.example.net"


class _Dresser:
    """Puts one layout's header on the lines of one failure."""

    def __init__(self, rng: random.Random, layout: str, operations: str, stem: str) -> None:
        self._rng = rng
        self._layout = layout
        self._agent = "vpxa" if stem in {"client", "vmkernel", "vmware"} else stem
        self._names = _Names(rng)
        self._bare = layout == "A bare"
        self._base = _new_operation(rng, operations)
        self._suffixes: dict[str, str] = {}
        self._thread = rng.randrange(0x10000000, 0xFFFFFFFF)
        self.start = datetime(2013, 1, 5, tzinfo=UTC) + timedelta(seconds=rng.randrange(12 * 365 * 86400))

    def __call__(self, entry: Entry) -> str:
        moment = self.start + timedelta(milliseconds=entry.after)
        text = self._names(entry.text)
        dress = _DRESS.get((entry.kind, self._layout)) or _DRESS[self._layout_of(entry)]
        return dress(self, entry, moment, text)

    def _layout_of(self, entry: Entry) -> tuple[str, str]:
        """A kernel's line in an agent's log, and a disk library's line there."""
        generation = {"A": "K1", "B": "K2", "C": "K2", "D": "K3", "E": "K3"}.get(self._layout[0], "")
        return ("kernel", generation) if entry.kind == "kernel" else ("agent", self._layout)

    def _op(self, entry: Entry, key: str) -> str:
        if entry.op is None:
            return ""
        suffix = re.sub(r"^[0-9A-F]{8}-[0-9A-F]{8}", "", entry.op)
        if suffix not in self._suffixes:
            self._suffixes[suffix] = "".join(f"-{self._rng.randrange(256):02x}" for _ in suffix.split("-")[1:])
        return key.format(self._base + self._suffixes[suffix])

    def plain(self, _entry: Entry, _moment: datetime, text: str) -> str:
        return text

    def stamped(self, _entry: Entry, moment: datetime, text: str) -> str:
        return f"{_stamp(moment)}Z {text}"

    def unit(self, _entry: Entry, moment: datetime, text: str) -> str:
        return f"{_syslog_stamp(moment)} runner-4 mover[812]: {text}"

    def nbdkit(self, _entry: Entry, _moment: datetime, text: str) -> str:
        return f"nbdkit: vddk[2]: error: {text}"

    def quoted(self, entry: Entry, moment: datetime, text: str) -> str:
        outer = moment.strftime("%d.%m.%Y %H:%M:%S.") + f"{moment.microsecond // 1000:03d}"
        return (
            f"[{outer}] <  5412> vdl| [vddk] {_stamp(moment)}+00:00 {entry.severity} -[05412] "
            f"[Originator@6876 sub={entry.component}] {text}"
        )

    def a(self, entry: Entry, moment: datetime, text: str) -> str:
        bracket, self._bare = ("" if self._bare else "["), False
        thread = f"{self._thread:08X}"
        return (
            f"{bracket}{_stamp(moment, ' ')} {thread} {entry.severity} '{entry.component}'"
            f"{self._op(entry, ' opID={}')}] {text}"
        )

    def a_syslog(self, entry: Entry, moment: datetime, text: str) -> str:
        return f"{_syslog_stamp(moment)} esx-41 {self._agent.capitalize()}: {self.a(entry, moment, text)}"

    def a_frame(self, _entry: Entry, moment: datetime, text: str) -> str:
        return f"{_syslog_stamp(moment)} esx-41 {self._agent.capitalize()}: {text}"

    def b(self, entry: Entry, moment: datetime, text: str) -> str:
        return (
            f"{_stamp(moment)}Z [{self._thread:08X} {entry.severity} '{entry.component}'"
            f"{self._op(entry, ' opID={}')}] {text}"
        )

    def c(self, entry: Entry, moment: datetime, text: str, zone: str = "Z", prefix: str = "") -> str:
        return (
            f"{_stamp(moment)}{zone} {prefix}{entry.severity} {self._agent}[{self._thread % 2**22:d}] "
            f"[Originator@6876 sub={entry.component}{self._op(entry, ' opID={}')} user=vpxuser] {text}"
        )

    def c_zone(self, entry: Entry, moment: datetime, text: str) -> str:
        return self.c(entry, moment + timedelta(hours=5, minutes=30), text, "+05:30")

    def c_syslog(self, entry: Entry, moment: datetime, text: str) -> str:
        return "<166>" + self.c(entry, moment, text, "Z", f"esx-7.example.net {self._agent.capitalize()}: ")

    def d(self, entry: Entry, moment: datetime, text: str) -> str:
        short = {"error": "Er(163)", "warning": "Wa(164)", "info": "In(166)"}.get(entry.severity, "Db(167)")
        return (
            f"{_stamp(moment)}Z {short} {self._agent.capitalize()}[{self._thread % 2**21:d}]: "
            f"[Originator@6876 sub={entry.component}{self._op(entry, ' opID={}')} sid=52ab]"
            f" {text}"
        )

    def e(self, entry: Entry, moment: datetime, text: str) -> str:
        operation = self._op(entry, ' opID="{}"')
        return (
            f"{_stamp(moment)}Z {entry.severity.upper()} vpxd 20973 "
            f'[Originator@4413 sub="{entry.component}"{operation}] {text}'
        )

    def k1(self, _entry: Entry, moment: datetime, text: str) -> str:
        return f"{_syslog_stamp(moment)} esx-41 vmkernel: 3:16:49:12.573 cpu3:4099){text}"

    def k2(self, _entry: Entry, moment: datetime, text: str) -> str:
        return f"{_stamp(moment)}Z cpu9:112174){text}"

    def k3(self, _entry: Entry, moment: datetime, text: str) -> str:
        return f"{_stamp(moment)}Z Wa(180) vmkwarning: cpu0:263421){text}"

    def v(self, _entry: Entry, moment: datetime, text: str) -> str:
        return f"{_stamp(moment)}Z| host-27| I125: {text}"

    def v_late(self, _entry: Entry, moment: datetime, text: str) -> str:
        return f"{_stamp(moment)}Z| host-13| E002: {text}"

    def v8(self, _entry: Entry, moment: datetime, text: str) -> str:
        return f"{_stamp(moment)}Z In(05) vmx - {text}"


_Dress = Callable[[_Dresser, Entry, datetime, str], str]
_DRESS: dict[tuple[str, str], _Dress] = {
    ("client", "plain"): _Dresser.plain,
    ("client", "stamped"): _Dresser.stamped,
    ("client", "unit"): _Dresser.unit,
    ("client", "nbdkit"): _Dresser.nbdkit,
    ("client", "quoted"): _Dresser.quoted,
    ("client", "V"): _Dresser.v,
    ("client", "V late"): _Dresser.v_late,
    ("vmx", "V"): _Dresser.v,
    ("vmx", "V8"): _Dresser.v8,
    ("agent", "A"): _Dresser.a,
    ("agent", "A bare"): _Dresser.a,
    ("agent", "A syslog"): _Dresser.a_syslog,
    ("agent", "B"): _Dresser.b,
    ("agent", "C"): _Dresser.c,
    ("agent", "C zone"): _Dresser.c_zone,
    ("agent", "C syslog"): _Dresser.c_syslog,
    ("agent", "D"): _Dresser.d,
    ("agent", "E"): _Dresser.e,
    ("frame", "A syslog"): _Dresser.a_frame,
    **{("frame", layout): _Dresser.plain for layout in _AGENTS if layout != "A syslog"},
    ("kernel", "K1"): _Dresser.k1,
    ("kernel", "K2"): _Dresser.k2,
    ("kernel", "K3"): _Dresser.k3,
}


def _new_operation(rng: random.Random, family: str) -> str:
    match family:
        case "old client":
            return f"{rng.getrandbits(32):08X}-{rng.getrandbits(32):08X}"
        case "new client":
            session = f"k{rng.getrandbits(34):x}-{rng.randrange(10**6)}"
            return f"{session}-auto-{rng.getrandbits(16):x}-h5:7{rng.randrange(10**7):07d}"
        case "script":
            return f"{rng.getrandbits(28):07x}"
        case _:
            return f"cm-{rng.getrandbits(32):08x}-a{rng.randrange(1, 9)}"
