"""Writes a line in any format there is: the other way round from `bot.diagnosis.formats`, and without a look at it.

`LAYOUTS` says of each format what its lines carry, and of what shape a value must be to survive the way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.diagnosis.severity import Severity

E, W, I, D = Severity.ERROR, Severity.WARNING, Severity.INFO, Severity.DEBUG  # noqa: E741 - as logs abbreviate them
_AGENT = {E: "error", W: "warning", I: "info", D: "verbose"}
_SHORT = {E: "Er(163)", W: "Wa(164)", I: "In(166)", D: "Db(167)"}
_KERNEL = {E: "Al(177)", W: "Wa(180)", I: "In(182)", D: "Db(183)"}
_PRIORITY = {E: 163, W: 164, I: 166, D: 167}
_UPPER = {E: "ERROR", W: "WARN", I: "INFO", D: "DEBUG"}
_MILLISECOND, _SECOND = timedelta(milliseconds=1), timedelta(seconds=1)

NUMBER = r"[1-9][0-9]{4,6}"
WORD = r"[A-Za-z][A-Za-z0-9_]{1,14}"
NAME = r"[a-z][a-z0-9]{1,9}"
WORDS = r"[A-Za-z][A-Za-z0-9_.]{0,12}(\[[0-9]\])?( [A-Z][a-z]{1,8})?"
PATH = r"vm:/vmfs/volumes/[a-f0-9]{8}/[A-Z][a-z]{1,6} VM/[A-Z][a-z]{1,6} VM\.vmx"
OP_ID = r"[0-9A-F]{8}-[0-9A-F]{8}(-[0-9a-f]{2}){0,2}|HB-host-[0-9]{1,4}@[0-9]{1,5}-[0-9a-f]{8}|[0-9a-f]{7}-01-b0"
HASH = r"[0-9a-f]{7,8}"
HOST = r"[a-z][a-z0-9-]{1,8}[a-z0-9](\.[a-z]{2,6}){0,2}"


@dataclass(frozen=True)
class Entry:
    """What one line is to say."""

    moment: datetime
    severity: Severity
    process: str
    component: str
    thread: str
    op_id: str | None
    host: str
    message: str

    def iso(self, separator: str = "T", zone: str = "Z") -> str:
        return self.moment.strftime(f"%Y-%m-%d{separator}%H:%M:%S.") + f"{self.moment.microsecond // 1000:03}{zone}"

    def wall(self) -> str:
        return f"{self.moment:%b} {self.moment.day:2} {self.moment:%H:%M:%S}"

    def opid(self, form: str = " opID={}") -> str:
        return "" if self.op_id is None else form.format(self.op_id)

    @property
    def originator(self) -> str:
        return f"[Originator@6876 sub={self.component}{self.opid()}] {self.message}"

    @property
    def structured(self) -> str:
        op_id = self.opid(' opID="{}"')
        return f'[Originator@6876 sub="{self.component}"{op_id} sid="52c1"] {self.message}'

    @property
    def bracketed(self) -> str:
        """What stands in the brackets of 4.x and 5.x behind the stamp, and the message."""
        return f"{self.thread} {_AGENT[self.severity]} '{self.component}'{self.opid()}] {self.message}"

    @property
    def kernel(self) -> str:
        warned = {E: "ALERT: ", W: "WARNING: "}.get(self.severity, "")
        return f"cpu3:{self.thread}{self.opid()}){warned}{self.component}: 1672: {self.message}"


@dataclass(frozen=True)
class Layout:
    """One format. `carries` are the fields that a line of it has, with the shape of what each can hold."""

    write: Callable[[Entry], str]
    carries: Mapping[str, str]
    severities: frozenset[Severity] = frozenset({E, W, I, D})
    precision: timedelta = _MILLISECOND
    process: str | None = None  # what is read where no line says it
    dated: bool = True
    traits: frozenset[str] = field(default_factory=frozenset)  # "yearless", "zoneless", "general"


def _only(*severities: Severity) -> frozenset[Severity]:
    return frozenset(severities)


def _json(entry: Entry) -> str:
    said = {"level": _UPPER[entry.severity].lower(), "time": entry.iso(), "logger": entry.component}
    return json.dumps(said | {"hostname": entry.host, "opID": entry.op_id or "-", "msg": entry.message})


_AGENT_FIELDS = {"component": WORDS, "thread": NUMBER, "op_id": OP_ID}
_NAMED = _AGENT_FIELDS | {"process": WORD}
_SENT = _NAMED | {"host": HOST}
_ZONELESS, _YEARLESS = frozenset({"zoneless"}), frozenset({"zoneless", "yearless"})

LAYOUTS: Mapping[str, Layout] = {
    "A": Layout(
        lambda e: f"[{e.iso(' ', '')} {e.bracketed}", _AGENT_FIELDS | {"component": f"{WORDS}|{PATH}"}, traits=_ZONELESS
    ),
    "A-syslog": Layout(
        lambda e: f"{e.wall()} {e.host} {e.process}: [{e.iso(' ', '')} {e.bracketed}", _SENT, traits=_ZONELESS
    ),
    "B": Layout(lambda e: f"{e.iso()} [{e.bracketed}", _AGENT_FIELDS | {"component": f"{WORDS}|{PATH}"}),
    "B-syslog": Layout(lambda e: f"<{_PRIORITY[e.severity]}>{e.iso()} {e.host} {e.process}: [{e.bracketed}", _SENT),
    "C": Layout(lambda e: f"{e.iso()} {_AGENT[e.severity]} {e.process}[{e.thread}] {e.originator}", _NAMED),
    "C-syslog": Layout(
        lambda e: (
            f"{e.iso(zone='')} {e.host} {e.process.title()}[1]: {_AGENT[e.severity]} {e.process}[{e.thread}]"
            f" {e.originator}"
        ),
        _SENT,
        traits=_ZONELESS,
    ),
    "D": Layout(lambda e: f"{e.iso()} {_SHORT[e.severity]} {e.process}[{e.thread}]: {e.originator}", _NAMED),
    "D-syslog": Layout(
        lambda e: f"<{_PRIORITY[e.severity]}>1 {e.iso()} {e.host} {e.process} {e.thread} - {e.structured}", _SENT
    ),
    "E": Layout(lambda e: f"{e.iso()} {_UPPER[e.severity]} {e.process} {e.thread} {e.structured}", _NAMED),
    "K1": Layout(
        lambda e: f"{e.wall()} {e.host} vmkernel: 17:19:52:55.580 {e.kernel}",
        {"host": HOST, "component": WORD, "thread": NUMBER, "op_id": HASH},
        severities=_only(E, W),
        precision=_SECOND,
        process="vmkernel",
        traits=_YEARLESS,
    ),
    "K2": Layout(
        lambda e: f"{e.iso()} {e.kernel}",
        {"component": WORD, "thread": NUMBER, "op_id": HASH},
        severities=_only(E, W),
        process="vmkernel",
    ),
    "K3": Layout(
        lambda e: f"{e.iso()} {_KERNEL[e.severity]} vmkernel: {e.kernel}",
        {"component": WORD, "thread": NUMBER, "op_id": HASH},
        process="vmkernel",
    ),
    "K-syslog": Layout(
        lambda e: f"<{_PRIORITY[e.severity] + 16}>{e.iso()} {e.host} vmkernel: {e.kernel}",
        {"host": HOST, "component": WORD, "thread": NUMBER, "op_id": HASH},
        process="vmkernel",
    ),
    "V": Layout(
        lambda e: f"{e.iso()}| {e.thread}| {e.severity.name[0]}125: {e.message}",
        {"thread": r"vmx|mks|vcpu-[0-9]|worker-[0-9]{4}"},
        process="vmx",
    ),
    "vddk": Layout(
        lambda e: f"{e.iso()}| {e.thread}| {e.severity.name[0]}125: {e.message}",
        {"thread": r"host-[0-9]{1,5}"},
        process="vddk",
    ),
    "vobd": Layout(
        lambda e: f"{e.iso()}: [{e.component}] 14807183227307us: {e.message}",
        {"component": WORD},
        severities=_only(),
        process="vobd",
    ),
    "section": Layout(
        lambda e: f"{e.iso()} - last log rotation time, {e.iso()} - time the service was last started, {e.message}",
        {},
        severities=_only(),
    ),
    "nbdkit": Layout(
        lambda e: f"nbdkit: {e.component}[{e.thread}]: {_UPPER[e.severity].lower()}: {e.message}",
        {"component": WORD, "thread": NUMBER},
        severities=_only(E, I, D),
        process="nbdkit",
        dated=False,
    ),
    "govc": Layout(
        lambda e: f"[{e.moment:%d-%m-%y %H:%M:%S}] {e.message}",
        {},
        severities=_only(),
        precision=_SECOND,
        process="govc",
        traits=_ZONELESS,
    ),
    "veeam": Layout(
        lambda e: (
            f"[{e.moment:%d.%m.%Y} {e.moment.hour}:{e.moment:%M:%S}.000] <{e.thread:>6}> vdl| [vddk] {e.iso()}"
            f" {_AGENT[e.severity]} -[{e.thread}] {e.originator}"
        ),
        _AGENT_FIELDS,
        process="veeam",
    ),
    "go": Layout(
        lambda e: f'time="{e.iso()}" level={_UPPER[e.severity].lower()} msg={json.dumps(e.message)}',
        {},
    ),
    "klog": Layout(
        lambda e: f"{e.severity.name[0]}{e.moment:%m%d %H:%M:%S.%f} {e.thread:>7} {e.component}.go:114] {e.message}",
        {"thread": NUMBER},
        severities=_only(E, W, I),
        traits=_YEARLESS,
    ),
    "json": Layout(_json, {"component": WORDS, "op_id": OP_ID, "host": HOST}),
    "ruby": Layout(
        lambda e: (
            f"[----] {e.severity.name[0]}, [{e.iso(zone='')} #{e.thread}:1a2b] {_UPPER[e.severity]:>6} -- "
            f"{e.component}: {e.message}"
        ),
        {"component": WORD},
        traits=_ZONELESS,
    ),
    "java": Layout(
        lambda e: (
            f"{e.iso()} | {_UPPER[e.severity]:8} | {e.op_id or '':20} | {e.thread:12} | {e.component} | {e.message}"
        ),
        {"component": WORD, "thread": NUMBER, "op_id": OP_ID},
    ),
    "leveled": Layout(
        lambda e: f"{e.iso(' ', '')} {_UPPER[e.severity]} {e.message}", {}, traits=frozenset({"zoneless", "general"})
    ),
    "syslog": Layout(
        lambda e: f"{e.iso()} {e.host} {e.process}[{e.thread}]: {e.message}",
        {"host": HOST, "process": WORD, "thread": NUMBER},
        severities=_only(),
        traits=frozenset({"general"}),
    ),
    "dated": Layout(lambda e: f"{e.iso()} {e.message}", {}, severities=_only(), traits=frozenset({"general"})),
}


def render(
    format_id: str,
    *,
    moment: datetime,
    severity: Severity,
    process: str,
    component: str,
    thread: str,
    op_id: str | None,
    host: str,
    message: str,
) -> str:
    """Write one line; what the format has no place for is left out, and an opID that it cannot hold as well."""
    layout = LAYOUTS[format_id]
    shape = layout.carries.get("op_id")
    held = op_id if op_id and shape and re.fullmatch(shape, op_id) else None
    return layout.write(Entry(moment, severity, process, component, thread, held, host, message))
