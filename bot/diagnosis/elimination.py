"""The elimination table of a failure: each part that could have broken the copy, clean, dirty or unreadable, and why.

Rows are judged by signs of the rules near the break and by what was measured. A row is clean only if everything that
would have told of trouble there was read; a sign makes it dirty, whatever else was not read. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Final

from bot.diagnosis.blame import BLAME
from bot.diagnosis.causes import Basis, Cause, Role
from bot.diagnosis.engine import Engine, Recognised
from bot.diagnosis.event import SourceLine
from bot.diagnosis.facts import Facts
from bot.diagnosis.measurements import Measurement, Says
from bot.diagnosis.records import dataclass, field

EVENTS: Final = "events"
OWN_LOG: Final = "vpxd"
UPLINK_RULES: Final = frozenset({"host-uplink-lost"})
LOST_RULES: Final = frozenset({"host-heartbeats-missing", "host-agent-lost", "host-not-contacted"})
_SHOWN: Final = 3

NEAR: Final = timedelta(minutes=15)
"""Of what a path was like at the break, a look that is further away says nothing that somebody else would accept."""

MANY: Final = 0.5
"""The least weight of a look without loss that makes a path clean; one at few packets has less."""

_HOST: Final = frozenset({Cause.HOST_AGENT_DOWN, Cause.NFC_MEMORY_LIMIT, Cause.AUTHD_UNRESPONSIVE})
_STORAGE: Final = frozenset({Cause.DEST_FULL, Cause.DISK_IO_ERROR, Cause.FILE_LOCKED, Cause.SOURCE_FILE_MISSING})
_PATH: Final = frozenset(
    {
        *(Cause.PACKET_LOSS, Cause.MTU_MISMATCH, Cause.PORT_BLOCKED, Cause.UDT_PATH, Cause.PROVISIONING_PATH),
        *(Cause.IDLE_TIMEOUT_RESET, Cause.NAT),
    }
)


class Part(StrEnum):
    """A part of the copy that could have broken it, as people call it."""

    SOURCE_HOST = "source host"
    DESTINATION_HOST = "destination host"
    VCENTER = "vCenter"
    SOURCE_STORAGE = "storage at the source"
    DESTINATION_STORAGE = "storage at the destination"
    SOURCE_NICS = "uplinks of the source host"
    DESTINATION_NICS = "uplinks of the destination host"
    PATH = "path between the hosts"


class State(StrEnum):
    """What is to be thought of a part."""

    CLEAN = "clean"
    DIRTY = "dirty"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Row:
    """One part: its state, why in a sentence, and where it can be looked up: files with lines, or checks."""

    part: Part
    state: State
    why: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Elimination:
    """All rows, in the order of `Part`, for the time that was looked at."""

    rows: tuple[Row, ...]
    since: datetime
    until: datetime

    def of(self, part: Part) -> Row:
        return next(row for row in self.rows if row.part is part)

    @property
    def dirty(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.state is State.DIRTY)


@dataclass(frozen=True, slots=True)
class UplinkLook:
    """What a host's uplinks say of themselves: a sentence with counts, and whether they are clean. None: too little."""

    clean: bool | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Everything that was looked at around the break, on one clock.

    `read`: (host, log) whose lines of that time were all read, ("", "vpxd") and ("", "events") for vCenter's own.
    `unread`: why something was not, a sentence each, by the same pair. `uplinks` by host. `read_at`: when, if known.
    """

    broke: datetime
    facts: Facts
    lines: Sequence[SourceLine] = ()
    read: frozenset[tuple[str, str]] = frozenset()
    unread: Mapping[tuple[str, str], str] = field(default_factory=dict)
    uplinks: Mapping[str, UplinkLook] = field(default_factory=dict)
    read_at: datetime | None = None


def eliminate(look: Look, engine: Engine, *, around: timedelta = BLAME) -> Elimination:
    """Return the table for the time from `around` before the break to as long after it, no later than it was read."""
    since, until = look.broke - around, look.broke + around
    signs = [
        sign
        for sign in engine.recognised(look.lines, facts=look.facts)
        if sign.event.timestamp is not None and since <= sign.event.timestamp <= until
    ]
    seen = [sign.event.timestamp for sign in signs if sign.event.timestamp is not None]
    until = min(until, max([look.read_at or until, look.broke, *seen]))  # of what is still to come nothing is clean
    table = _Table(look, signs, f"between {since:%H:%M:%S} and {until:%H:%M:%S} UTC")
    return Elimination(tuple(table.row(part) for part in Part), since, until)


class _Table:
    def __init__(self, look: Look, signs: Sequence[Recognised], when: str) -> None:
        self._look = look
        self._signs = signs
        self._when = when

    def row(self, part: Part) -> Row:
        here, there = self._look.facts.source_host or "", self._look.facts.destination_host or ""
        judged: Mapping[Part, Callable[[Part], Row]] = {
            Part.SOURCE_HOST: partial(self._host, host=here),
            Part.DESTINATION_HOST: partial(self._host, host=there),
            Part.VCENTER: self._vcenter,
            Part.SOURCE_STORAGE: partial(self._storage, host=here, receives=False),
            Part.DESTINATION_STORAGE: partial(self._storage, host=there, receives=True),
            Part.SOURCE_NICS: partial(self._uplinks, host=here),
            Part.DESTINATION_NICS: partial(self._uplinks, host=there),
            Part.PATH: self._path,
        }
        return judged[part](part)

    def _host(self, part: Part, *, host: str) -> Row:
        causes = (sign for sign in self._signs if _speaks_of(sign, _HOST))
        signs = [sign for sign in causes if sign.event.host == host or (_of_vcenter(sign) and host in sign.event.text)]
        logs = [(host, log) for log in ("hostd", "vpxa", "vmkernel")]
        clean = f"{host} noted no crash, restart or shortage of its agents {self._when}"
        return self._by_logs(part, signs, logs, clean)

    def _vcenter(self, part: Part) -> Row:
        """Judge vCenter by what it lost: one host is that host's trouble, both at once are its own or its network's."""
        hosts = [host for host in (self._look.facts.source_host, self._look.facts.destination_host) if host]
        signs = [
            sign for sign in self._signs if _of_vcenter(sign) and any(rule.id in LOST_RULES for rule in sign.rules)
        ]
        lost = {host for host in hosts for sign in signs if host in sign.event.text}
        clean = f"its own log and its events tell of no trouble of its own {self._when}"
        return self._by_logs(part, signs if len(lost) > 1 else [], [("", EVENTS), ("", OWN_LOG)], clean)

    def _storage(self, part: Part, *, host: str, receives: bool) -> Row:
        causes = (sign for sign in self._signs if _speaks_of(sign, _STORAGE))
        signs = [sign for sign in causes if sign.event.host == host]
        full = _confirming(self._look.facts.measured, {Cause.DEST_FULL}) if receives else []
        if full and not signs:
            return Row(part, State.DIRTY, full[0].text, tuple(one.check for one in full))
        clean = f"{host} noted no full datastore, lost path or failed command {self._when}"
        return self._by_logs(part, signs, [(host, "vmkernel"), (host, "vobd"), (host, "hostd")], clean)

    def _uplinks(self, part: Part, *, host: str) -> Row:
        named = (sign for sign in self._signs if any(rule.id in UPLINK_RULES for rule in sign.rules))
        signs = [sign for sign in named if sign.event.host == host]
        counted = self._look.uplinks.get(host)
        if signs:
            return _dirty(part, signs)
        if counted is None or counted.clean is None:
            why = counted.text if counted else f"the counters of {host} were not read"
            return Row(part, State.UNREADABLE, why)
        if not counted.clean:
            return Row(part, State.DIRTY, counted.text, ("counters.nic",))
        return self._by_logs(part, [], [(host, "vmkernel"), (host, "vobd")], counted.text, also=("counters.nic",))

    def _path(self, part: Part) -> Row:
        """Only measurements judge the path: that a log saw a session die is what is to be explained."""
        measured = self._look.facts.measured
        near = [one for one in measured if one.at is None or abs(one.at - self._look.broke) <= NEAR]
        if shown := [one for one in _confirming(near, _PATH) if one.basis is Basis.MEASURED]:
            return Row(part, State.DIRTY, shown[0].text, tuple(dict.fromkeys(one.check for one in shown)))
        refuting = [one for one in near if any(one.says_of(cause) is Says.REFUTES for cause in _PATH)]
        checks = tuple(dict.fromkeys(one.check for one in refuting))
        if any(one.says_of(Cause.PACKET_LOSS) is Says.REFUTES and one.weight >= MANY for one in refuting):
            return Row(part, State.CLEAN, "; ".join(one.text.rstrip(".") for one in refuting), checks)
        return Row(part, State.UNREADABLE, _too_little(measured, near), checks)

    def _by_logs(
        self,
        part: Part,
        signs: Sequence[Recognised],
        logs: Collection[tuple[str, str]],
        clean: str,
        *,
        also: tuple[str, ...] = (),
    ) -> Row:
        if signs:
            return _dirty(part, signs)
        if missing := [log for log in logs if log not in self._look.read]:
            return Row(part, State.UNREADABLE, "; ".join(dict.fromkeys(self._why_not(*log) for log in missing)))
        read = tuple(f"{host or 'vCenter'} {log}" for host, log in logs)
        return Row(part, State.CLEAN, clean, (*also, *read))

    def _why_not(self, host: str, log: str) -> str:
        told = self._look.unread.get((host, log)) or self._look.unread.get((host, ""))
        return told or f"{log} of {host or 'vCenter'} was not read"


def _too_little(measured: Sequence[Measurement], near: Sequence[Measurement]) -> str:
    """Say what is missing for a path to be called clean: packets enough to see loss, and near the break."""
    lossy = [one for one in near if one.check == "probe.loss"]
    if lossy:
        return f"too few packets to call it clean: {'; '.join(one.text.rstrip('.') for one in lossy)}"
    if any(one.check == "probe.loss" for one in measured):
        minutes = NEAR // timedelta(minutes=1)
        return f"its loss was measured at other times only, none within {minutes} minutes of the break"
    return "its loss was not measured"


def _speaks_of(sign: Recognised, causes: Collection[Cause]) -> bool:
    return any(rule.role is Role.DECISIVE and rule.cause in causes for rule in sign.rules)


def _of_vcenter(sign: Recognised) -> bool:
    return sign.event.source.side == "vcenter"


def _confirming(measured: Iterable[Measurement], causes: Collection[Cause]) -> list[Measurement]:
    return [one for one in measured if any(one.says_of(cause) is Says.CONFIRMS for cause in causes)]


def _dirty(part: Part, signs: Sequence[Recognised]) -> Row:
    first = min(signs, key=_moment)
    told = dict.fromkeys(rule.title for sign in signs for rule in sign.rules if rule.role is Role.DECISIVE)
    why = f"{'; '.join(told)}, first at {_moment(first):%H:%M:%S} UTC"
    return Row(part, State.DIRTY, why, tuple(_places(signs)))


def _moment(sign: Recognised) -> datetime:
    if sign.event.timestamp is None:
        raise ValueError("signs without a time are left out before")
    return sign.event.timestamp


def _places(signs: Sequence[Recognised]) -> Iterator[str]:
    for sign in sorted(signs, key=_moment)[:_SHOWN]:
        yield f"{sign.event.source.file}:{sign.event.source.line}"
    if (rest := len(signs) - _SHOWN) > 0:
        yield f"and {rest} more"
