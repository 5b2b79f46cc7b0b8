"""What stands open for data beside SOAP: tickets, leases, the hosts' addresses, and how fast it flows."""

from __future__ import annotations

import hashlib
import ssl
from typing import TYPE_CHECKING

from bot.playground.vcenter.leases import Leases
from bot.playground.vcenter.tickets import Tickets
from bot.playground.vcenter.traffic import Traffic

if TYPE_CHECKING:
    from bot.playground.vcenter.inventory import Host
    from bot.playground.vcenter.universe import Universe


def thumbprint_of(certificate: str) -> str:
    """Return the SHA-1 of a certificate in PEM as VMware writes it, in pairs; nothing for none."""
    if not certificate:
        return ""
    digest = hashlib.sha1(ssl.PEM_cert_to_DER_cert(certificate), usedforsecurity=False).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


class Doors:
    """The data doors of one vCenter."""

    def __init__(self, universe: Universe) -> None:
        self.tickets = Tickets(universe.clock)
        self.leases = Leases(universe.clock)
        self.traffic = Traffic(universe.links)
        self._hosts: dict[str, tuple[str, str]] = {}

    def show_host(self, name: str, *, url: str, certificate: str) -> None:
        """Say where a host is served now, and which certificate it presents, if any."""
        self._hosts[name] = (url, thumbprint_of(certificate))

    def url(self, host: Host) -> str:
        return self._hosts.get(host.name, (f"https://{host.name}", ""))[0]

    def thumbprint(self, host: Host) -> str:
        return self._hosts.get(host.name, ("", ""))[1]

    def host_at(self, authority: str, hosts: list[Host]) -> Host | None:
        """Return the host that a URL's authority means: where it is served, or its name."""
        name = authority.partition(":")[0]
        for host in hosts:
            if self.url(host).partition("://")[2] == authority or host.name == name:
                return host
        return None
