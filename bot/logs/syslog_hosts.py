"""Whose lines they are: hosts that are known, how each of them stands, and strangers.

Who may speak for a host: a peer whose address is a host's own speaks for that host alone, whatever name it writes, so
no host can speak for another. Any other peer may be a relay or a load balancer in front of the watchers, and the name
in each line decides; that it is one of ours is for the network, and for TLS with client certificates, to see to.
Senders of UDP can forge even their address.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from bot.hostlog.line import HostKey
from bot.hostlog.roll import Roll, SourceKind, WatchedHost
from bot.logs.port import HostTally
from bot.logs.syslog_header import age_of, read_header
from bot.logs.syslog_vicinity import IsCandidate, Stream

BURST: Final = 10.0
"""Seconds' worth of lines that a host may send at once, as after it lost its network."""

CALM: Final = 10.0
"""Seconds without too many lines that end a flood."""

TELL_AGAIN: Final = 300.0
"""Seconds after which a flood that does not end is told again."""

_MOST_STRANGERS: Final = 300
_LONGEST_NAME: Final = 64
_NAMED: Final = re.compile(rb"<\d{1,3}>(?:1 )?\d{4}-\d\d-\d\dT\S{5,32} ([^\s:\[<]{1,255}) [A-Za-z]")
_FRONT: Final = 256
NAMELESS: Final = "(no header)"


@dataclass(slots=True)
class Flood:
    """A time in which a host sent more lines than it may. `lost` counts what was not read, of what could be counted."""

    told_at: float
    last: float
    lost: int = 0
    held_back: bool = False

    def in_words(self, allowed: int) -> str:
        words = f"it sent more than {allowed} lines a second"
        if self.lost:
            words += f": {self.lost} lines were not read"
        if self.held_back:
            words += "; its connection was read no faster, and the host may have dropped lines"
        return words


class HeardHost:
    """A host that was heard, and how its watch stands."""

    __slots__ = (
        *("_allowed", "_at", "_tokens", "datagrams_at", "flood", "gaps", "heard_at"),
        *("host", "loss_reported", "noted_at", "reported", "stream", "throttled"),
    )

    def __init__(self, host: WatchedHost, stream: Stream, *, allowed: int, now: float) -> None:
        self.host = host
        self.stream = stream
        self._allowed = allowed
        self._tokens = allowed * BURST
        self._at = now
        self.flood: Flood | None = None
        self.heard_at = self.datagrams_at = 0.0
        self.noted_at = -TELL_AGAIN
        self.gaps = self.throttled = self.reported = self.loss_reported = 0

    @property
    def key(self) -> HostKey:
        return self.host.key

    def spend(self, lines: int, now: float) -> None:
        """Take so many lines from what this host may send."""
        self._tokens -= lines
        self.heard_at = now

    def may_send(self, now: float) -> bool:
        """Whether more lines of this host may be taken now."""
        if self._tokens >= 0:
            return True
        self._tokens = min(self._tokens + (now - self._at) * self._allowed, self._allowed * BURST)
        self._at = now
        return self._tokens >= 0

    def flooded(self, now: float, *, lost: int) -> None:
        """Note that this host sends too much, and that so many lines were not read; 0: it was held back."""
        flood = self.flood = self.flood or Flood(now, now)
        flood.last = now
        flood.lost += lost
        flood.held_back |= lost == 0
        self.throttled += lost

    def flood_to_tell(self, now: float) -> str:
        """What is to be told of a flood: once when it is over, and now and then while it goes on."""
        flood = self.flood
        if flood is None or (now - flood.last < CALM and now - flood.told_at < TELL_AGAIN):
            return ""
        self.flood = None if now - flood.last >= CALM else Flood(now, flood.last)
        return flood.in_words(self._allowed)

    def unreported(self) -> int:
        """How many lines came since this was asked last."""
        new, self.reported = self.stream.lines - self.reported, self.stream.lines
        return new

    def unreported_loss(self) -> int:
        """How many lines were left out since this was asked last."""
        new, self.loss_reported = self.throttled - self.loss_reported, self.throttled
        return new

    @property
    def trouble(self) -> str:
        """What is wrong with this host though it is heard."""
        return f"sends more than {self._allowed} lines a second; the rest is not read" if self.flood else ""

    def behind(self) -> timedelta | None:
        """How much later than it was written the newest line came."""
        newest = self.stream.newest()
        return None if newest is None else age_of(newest, datetime.fromtimestamp(self.heard_at, UTC))

    def tally(self) -> HostTally:
        return HostTally(
            host=self.key,
            kind=SourceKind.SYSLOG,
            lines=self.stream.lines,
            candidates=self.stream.candidates,
            gaps=self.gaps,
            throttled=self.throttled,
            heard_at=datetime.fromtimestamp(self.heard_at, UTC) if self.heard_at else None,
            behind=self.behind(),
            trouble=self.trouble,
        )


@dataclass(frozen=True, slots=True)
class Strangers:
    """Who spoke and is not taken: unknown senders by name, and known hosts that are read another way; with lines."""

    unknown: Mapping[str, int]
    elsewhere: Mapping[HostKey, int]


class Hosts:
    """All hosts that were heard, looked up in the roll as it is now."""

    def __init__(
        self,
        roll: Callable[[], Roll],
        logs: Collection[str],
        is_candidate: IsCandidate,
        *,
        lines_per_second: int,
    ) -> None:
        self._current_roll = roll
        self._roll = roll()
        self._logs = frozenset(logs)
        self._is_candidate = is_candidate
        self._allowed = lines_per_second
        self._heard: dict[HostKey, HeardHost] = {}
        self._by_name: dict[bytes, WatchedHost | None] = {}
        self._unknown: Counter[str] = Counter()
        self._elsewhere: Counter[HostKey] = Counter()
        self.untold: Counter[str] = Counter()
        """Unknown senders and their lines since this was last emptied."""

    def __len__(self) -> int:
        return len(self._heard)

    def __iter__(self) -> Iterator[HeardHost]:
        return iter(self._heard.values())

    def renew(self) -> bool:
        """Look at the roll again. True: it has changed, and who was looked up may be another one."""
        roll = self._current_roll()
        if roll is self._roll:
            return False
        self._roll = roll
        self._by_name.clear()
        for key in [key for key in self._heard if _kind(roll, key) is not SourceKind.SYSLOG]:
            del self._heard[key]
        return True

    def at(self, address: str) -> WatchedHost | None:
        return self._roll.at(address)

    def named(self, name: bytes) -> WatchedHost | None:
        """The host that a line names, by name or by address."""
        try:
            return self._by_name[name]
        except KeyError:
            word = name.decode("ascii", "replace")
            found = self._roll.named(word) or self._roll.at(word)
            if len(self._by_name) > 4 * _MOST_STRANGERS + 2 * len(self._roll.hosts):
                self._by_name.clear()
            self._by_name[name] = found
            return found

    def heard(self, host: WatchedHost, now: float) -> HeardHost | None:
        """The host's own record; None for a host that is read another way."""
        if host.kind is not SourceKind.SYSLOG:
            return None
        record = self._heard.get(host.key)
        if record is None:
            stream = Stream(self._logs, self._is_candidate)
            record = self._heard[host.key] = HeardHost(host, stream, allowed=self._allowed, now=now)
        return record

    def elsewhere(self, host: WatchedHost, lines: int) -> None:
        """Count lines of a host that is read another way."""
        self._elsewhere[host.key] += lines

    def unknown(self, name: str, lines: int) -> None:
        """Count lines of somebody who is no host of ours."""
        name = _printable(name)
        for counts in (self._unknown, self.untold):
            counts[name if name in counts or len(counts) < _MOST_STRANGERS else "(others)"] += lines

    def strangers(self) -> Strangers:
        return Strangers(MappingProxyType(dict(self._unknown)), MappingProxyType(dict(self._elsewhere)))


def name_in(line: bytes) -> bytes | None:
    """The host that a line names; empty if its header names none, None if there is no header."""
    if line.find(b"<", 1, _FRONT) < 0 and (match := _NAMED.match(line)) is not None:
        return match[1]
    header = read_header(line)
    return None if header is None else header.host


def in_words(hosts: Counter[str], most: int = 10) -> str:
    """Unknown senders for a line of the log."""
    named = ", ".join(f"{name} ({lines})" for name, lines in hosts.most_common(most))
    return named + (f" and {len(hosts) - most} more" if len(hosts) > most else "")


def _printable(name: str) -> str:
    return "".join(sign if sign.isascii() and sign.isprintable() else "?" for sign in name[:_LONGEST_NAME])


def _kind(roll: Roll, key: HostKey) -> SourceKind | None:
    host = roll.hosts.get(key)
    return host.kind if host else None
