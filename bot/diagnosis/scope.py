"""What a person wants to hear about: a window of time, an operation, a VM, a host. Everything by default."""

from __future__ import annotations

import re
from datetime import datetime

from bot.diagnosis.event import Event
from bot.diagnosis.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Bounds of a report. Times are aware; a line whose time is unknown is within every window.

    `op_id` asks for one operation: its lines make `exact` incidents, and others count, as `probable`, only where they
    mention what the caller's facts name, or tell of a failure of the whole host. `vm` is a name or a path, `host` a
    name, with or without its domain, or an address.
    """

    since: datetime | None = None
    until: datetime | None = None
    op_id: str | None = None
    vm: str | None = None
    host: str | None = None

    def in_window(self, event: Event) -> bool:
        moment = event.timestamp
        if moment is None:
            return True
        return not (self.since and moment < self.since) and not (self.until and moment > self.until)

    @property
    def asked(self) -> frozenset[str]:
        """What a failure has to be about."""
        return frozenset(name for name in ("vm", "host") if getattr(self, name))

    def about(self, event: Event) -> frozenset[str]:
        """Return what of `asked` this line is about: it names the VM; it is from the host, or names it."""
        vm = self.vm is not None and _says(event.text, self.vm)
        host = self.host is not None and (self._from_host(event, self.host) or _says(event.text, self.host))
        return frozenset(name for name, holds in (("vm", vm), ("host", host)) if holds)

    @staticmethod
    def _from_host(event: Event, host: str) -> bool:
        return _one_host(event.host or "", host) or _says(event.source.file, host)


def _one_host(one: str, other: str) -> bool:
    """Tell whether two names are one host's: `esx-1` and `esx-1.example.net` are, addresses only when equal."""
    one, other = one.casefold(), other.casefold()
    return one == other or (bool(one) and bool(other) and (one.startswith(f"{other}.") or other.startswith(f"{one}.")))


def _says(text: str, name: str) -> bool:
    """Tell whether `name` stands in `text` as a whole, whatever the case: web1 is neither web11 nor web1-old."""
    return re.search(rf"(?i)(?<![\w.-]){re.escape(name)}(?![\w-])(?!\.\d)", text) is not None
