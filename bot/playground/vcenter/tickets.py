"""Tickets for one HTTP request each: AcquireGenericServiceTicket, and the cookie that presents one.

A ticket is good for the method and the URL that it was acquired for, once, and not for long.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from bot.playground.world import Account

LIFE = timedelta(seconds=60)
"""How long a ticket is good; `invented`: the documentation only says that it expires."""
_COOKIE = re.compile(r'vmware_cgi_ticket="?([0-9a-f-]+)"?')


@dataclass(frozen=True)
class Ticket:
    """`path` and `store` are what it opens; the query's other parts differ between vCenter and hosts."""

    id: str
    account: Account
    method: str
    path: str
    store: str
    until: datetime


class Tickets:
    """The tickets of one vCenter that nobody has used yet."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._open: dict[str, Ticket] = {}

    def issue(self, account: Account, url: str, *, method: str) -> Ticket:
        """Make a ticket for a URL and a method such as GET."""
        parts = urlsplit(url)
        store = parse_qs(parts.query).get("dsName", [""])[0]
        digits = secrets.token_hex(16)
        id_ = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        ticket = Ticket(id_, account, method, parts.path, store, self._clock() + LIFE)
        self._open = {key: open_ for key, open_ in self._open.items() if open_.until > self._clock()}
        self._open[ticket.id] = ticket
        return ticket

    def redeem(self, cookie: str, *, method: str, path: str, store: str) -> Account | None:
        """Return whose request this is, and forget the ticket; None where no ticket fits. HEAD counts as GET."""
        found = _COOKIE.search(cookie)
        ticket = self._open.pop(found[1], None) if found else None
        if ticket is None or ticket.until <= self._clock():
            return None
        fits = (ticket.path, ticket.store) == (path, store) and ticket.method == {"HEAD": "GET"}.get(method, method)
        return ticket.account if fits else None
