"""The network between sites: links with a rate, a round trip and a loss, shared by the copies that run over them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from math import sqrt
from typing import TypedDict, Unpack

from bot.playground.vcenter.changes import Changes
from bot.playground.world import World

NFC_PORT = 902
_MATHIS = 1.22
_HEADERS = 40
_NO_MTU = 9000


class Closed(StrEnum):
    """How a firewall closes a port: it drops what comes, or it answers with a reset."""

    SILENT = "silent"
    REFUSED = "refused"


class LinkNews(TypedDict, total=False):
    """What may change of a link: loss as a share of 1, rate in bits per second; an idle_timeout of 0 ends it.

    What is not named, or is None, stays as it is.
    """

    rate: int | None
    loss: float | None
    rtt: timedelta | None
    mtu: int | None
    pmtud: bool | None
    idle_timeout: timedelta | None
    provisioning_routed: bool | None


class Link:
    """One link. What a single TCP connection gets out of it follows Mathis: loss and round trip cap the rate.

    `pmtud` says whether routers tell a sender that a segment is too large; without it such segments just vanish.
    `idle_timeout` is that of a stateful firewall on the way; None where there is none.
    """

    def __init__(
        self,
        *,
        rate: int,
        rtt: timedelta,
        loss: float = 0.0,
        mtu: int = _NO_MTU,
        pmtud: bool = True,
        idle_timeout: timedelta | None = None,
        provisioning_routed: bool = True,
        provisioning_stretched: bool = False,
    ) -> None:
        self.rate = rate
        self.rtt = rtt
        self.loss = loss
        self.mtu = mtu
        self.pmtud = pmtud
        self.idle_timeout = idle_timeout
        self.provisioning_routed = provisioning_routed
        self.provisioning_stretched = provisioning_stretched
        self.changes = Changes()
        self._flows = 0

    def set(self, **news: Unpack[LinkNews]) -> None:
        """Change the link for all copies on it, at once. See `LinkNews`."""
        for name, value in news.items():
            if value is not None:
                setattr(self, name, value)
        self.idle_timeout = self.idle_timeout or None
        self.changes.touch()

    @property
    def flows(self) -> int:
        """How many copies share the link now."""
        return self._flows

    @property
    def traffic(self) -> float:
        """Bytes per second that all copies on the link carry together now."""
        return self.bytes_per_second * self._flows

    def join(self) -> None:
        self._flows += 1
        self.changes.touch()

    def leave(self) -> None:
        self._flows -= 1
        self.changes.touch()

    @property
    def bytes_per_second(self) -> float:
        """What one of the connections on the link carries now."""
        fair = self.rate / 8 / max(self._flows, 1)
        if self.loss <= 0:
            return fair
        round_trip = max(self.rtt.total_seconds(), 0.001)
        capped = (self.mtu - _HEADERS) / round_trip * _MATHIS / sqrt(self.loss) if self.loss < 1 else 0.0
        return min(fair, capped)


class Links:
    """All links of a world, by the two sites they join; hosts of one site have a LAN between them."""

    def __init__(self, world: World) -> None:
        self._between = [link.between for link in world.links]
        self._links = {
            frozenset(link.between): Link(**link.model_dump(exclude={"between", "blocked"})) for link in world.links
        }
        lan = world.play.lan_rate
        self._links |= {frozenset([site.name]): Link(rate=lan, rtt=timedelta(0)) for site in world.sites}
        self._closed = {
            (port.from_, port.to, port.port): Closed(port.how) for link in world.links for port in link.blocked
        }

    def each(self) -> Iterator[tuple[str, str, Link]]:
        """Yield every link between two sites, as the world file names them; the LANs within a site are left out."""
        for one, other in self._between:
            yield one, other, self._links[frozenset([one, other])]

    def stretches(self, site: str) -> bool:
        """Say whether the provisioning network of a site is one with another's."""
        return any(link.provisioning_stretched for ends, link in self._links.items() if site in ends)

    def ring(self) -> None:
        """Let every copy look up, those within a site too."""
        for link in self._links.values():
            link.changes.touch()

    def find(self, one: str, other: str) -> Link | None:
        """Return the link between two sites, or None where there is no way at all."""
        return self._links.get(frozenset([one, other]))

    def block(
        self,
        source: str,
        destination: str,
        *,
        port: int = NFC_PORT,
        blocked: bool = True,
        how: Closed = Closed.SILENT,
    ) -> None:
        """Close a port in one direction, or open it again; connections that are open feel it too."""
        if blocked:
            self._closed[source, destination, port] = how
        else:
            self._closed.pop((source, destination, port), None)
        link = self.find(source, destination)
        if link:
            link.changes.touch()

    def closed(self, source: str, destination: str, port: int) -> Closed | None:
        """Say how a port is closed from one site to another, None if it is open."""
        return self._closed.get((source, destination, port))

    def closed_ports(self) -> list[tuple[str, str, int, Closed]]:
        """List what is closed: from which site, to which, which port, and how."""
        return sorted((source, destination, port, how) for (source, destination, port), how in self._closed.items())
