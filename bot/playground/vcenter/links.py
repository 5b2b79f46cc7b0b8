"""The network between sites: links with a rate, a round trip and a loss, shared by the copies that run over them."""

from __future__ import annotations

from datetime import timedelta
from math import sqrt

from bot.playground.vcenter.changes import Changes
from bot.playground.world import World

NFC_PORT = 902
_MATHIS = 1.22
_HEADERS = 40


class Link:
    """One link. What a single TCP connection gets out of it follows Mathis: loss and round trip cap the rate."""

    def __init__(self, *, rate: int, rtt: timedelta, loss: float = 0.0, mtu: int = 1500) -> None:
        self.rate = rate
        self.rtt = rtt
        self.loss = loss
        self.mtu = mtu
        self.changes = Changes()
        self._flows = 0

    def set(self, *, rate: int | None = None, loss: float | None = None) -> None:
        """Change the link for all copies on it, at once."""
        self.rate = self.rate if rate is None else rate
        self.loss = self.loss if loss is None else loss
        self.changes.touch()

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
        self._links = {
            frozenset(link.between): Link(rate=link.rate, rtt=link.rtt, loss=link.loss, mtu=link.mtu)
            for link in world.links
        }
        lan = world.play.lan_rate
        self._links |= {frozenset([site.name]): Link(rate=lan, rtt=timedelta(0), mtu=9000) for site in world.sites}
        self._blocked = {(port.from_, port.to, port.port) for link in world.links for port in link.blocked}

    def find(self, one: str, other: str) -> Link | None:
        """Return the link between two sites, or None where there is no way at all."""
        return self._links.get(frozenset([one, other]))

    def block(self, source: str, destination: str, *, port: int = NFC_PORT, blocked: bool = True) -> None:
        """Close a port in one direction, or open it again."""
        if blocked:
            self._blocked.add((source, destination, port))
        else:
            self._blocked.discard((source, destination, port))

    def open_for_nfc(self, source: str, destination: str) -> bool:
        """Say whether an NFC session can be set up from one site to another."""
        link = self.find(source, destination)
        return link is not None and link.rate > 0 and (source, destination, NFC_PORT) not in self._blocked
