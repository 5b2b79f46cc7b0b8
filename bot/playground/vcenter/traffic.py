"""How fast data flows between a client outside and a host. Nothing is slowed down until somebody says so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from bot.playground.vcenter.inventory import Host
from bot.playground.vcenter.links import Link, Links

_NAP = 0.02
"""Shorter pauses than this are saved up."""


class Traffic:
    """What limits a client: a cap per host, and the link between the host's site and the one the client is at."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._caps: dict[str, int] = {}
        self._client = ""

    def cap(self, host: str, bytes_per_second: int | None) -> None:
        """Let a host carry no more than this for each transfer; None lifts it."""
        if bytes_per_second is None:
            self._caps.pop(host, None)
        else:
            self._caps[host] = bytes_per_second

    def put_client(self, site: str) -> None:
        """Say at which site the client is: links of the world stand between it and hosts elsewhere. "" is nowhere."""
        self._client = site

    @contextmanager
    def flow(self, host: Host | None) -> Iterator[Flow]:
        """Be one more flow on the way to a host, or to vCenter, which nothing slows down."""
        link = self._links.find(self._client, host.site) if host and self._client not in {"", host.site} else None
        if link:
            link.join()
        try:
            yield Flow(self._caps, host.name if host else "", link)
        finally:
            if link:
                link.leave()


class Flow:
    """One transfer under way."""

    def __init__(self, caps: dict[str, int], host: str, link: Link | None) -> None:
        self._caps = caps
        self._host = host
        self._link = link
        self._owed = 0.0

    async def carry(self, size: int) -> None:
        """Take as long as these bytes do now. Refuses with ConnectionError when nothing gets through any more."""
        rates = [self._caps[self._host]] if self._host in self._caps else []
        rates += [int(self._link.bytes_per_second)] if self._link else []
        if not rates:
            await asyncio.sleep(0)
            return
        if min(rates) <= 0:
            raise ConnectionError("nothing gets through to the host any more")
        self._owed += size / min(rates)
        if self._owed >= _NAP:
            pause, self._owed = self._owed, 0.0
            await asyncio.sleep(pause)
