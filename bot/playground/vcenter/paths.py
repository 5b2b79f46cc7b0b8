"""Which interfaces two hosts copy over: the five scenarios of KB 340170, and Unified Data Transport on top of them.

1. Nobody has provisioning: vmk0 to vmk0. 2. Both have it in one subnet: provisioning to provisioning. 3. In different
subnets with static routes (or a stack with a gateway of its own): the same. 4. Without static routes: the source falls
to vmk0, the destination keeps its provisioning interface. 5. Neither static nor physical routes: no way at all, the
task ends at 23 %. UDT (8.0 on both sides, provisioning on both): NFC on 902 only controls, vMotion on 8000 carries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.playground.esxi.machine import Interface, interfaces_of
from bot.playground.vcenter.inventory import Host
from bot.playground.vcenter.links import NFC_PORT, Link, Links
from bot.playground.world import Site

VMOTION_PORT = 8000
_UDT_FROM = 8


class Carrier(StrEnum):
    """What carries the data."""

    NFC = "NFC"
    UDT = "UDT"


@dataclass
class SiteNetwork:
    """How the hosts of a site are wired; may change while the world runs."""

    provisioning: str
    routes: frozenset[str]
    udt: bool
    mtu: int


@dataclass(frozen=True)
class Path:
    """The way of one copy. `control` is where the source connects to on 902, `data` where the bytes go."""

    carrier: Carrier
    source: Interface
    control: Interface
    data: Interface
    sender: Interface
    """The interface that the bytes leave by."""
    routed: bool
    """Whether the network brings anything from `source` to `control` at all."""

    @property
    def port(self) -> int:
        """The port that the data goes to."""
        return VMOTION_PORT if self.carrier is Carrier.UDT else NFC_PORT

    @property
    def segment(self) -> int:
        """The largest packet that is sent: both ends have told the other what they take."""
        return min(self.sender.mtu, self.data.mtu)

    def __str__(self) -> str:
        return f"{self.carrier} via {self.sender.name}"


class Paths:
    """Knows the interfaces of every host of a world, and which of them a copy takes."""

    def __init__(self, sites: Iterable[Site], links: Links) -> None:
        self._links = links
        self.sites = {
            site.name: SiteNetwork(site.provisioning, frozenset(site.routes), site.udt, site.mtu) for site in sites
        }

    def interfaces(self, host: Host) -> list[Interface]:
        """List the VMkernel adapters of a host: management, vMotion, and provisioning where the site has it."""
        stretched = self._links.stretches(host.site)
        return list(interfaces_of(host.name, self.sites[host.site], host.address, stretched=stretched))

    def between(self, source: Host, destination: Host) -> Path:
        """Say which way a copy from one host to another takes now."""
        here, there = self.interfaces(source), self.interfaces(destination)
        control = there[-1] if self._provisions(destination) else there[0]
        leaves = here[-1] if self._leaves_by_provisioning(source, destination) else here[0]
        link = self._links.find(source.site, destination.site)
        routed = not self._provisions(destination) or self._one_subnet(source, destination)
        if self._carries_udt(source, destination):
            return Path(Carrier.UDT, leaves, control, data=there[1], sender=here[1], routed=routed or _routes(link))
        return Path(Carrier.NFC, leaves, control, data=control, sender=leaves, routed=routed or _routes(link))

    def _provisions(self, host: Host) -> bool:
        return self.sites[host.site].provisioning != "none"

    def _one_subnet(self, one: Host, other: Host) -> bool:
        link = self._links.find(one.site, other.site)
        return one.site == other.site or (link is not None and link.provisioning_stretched)

    def _leaves_by_provisioning(self, source: Host, destination: Host) -> bool:
        site = self.sites[source.site]
        if site.provisioning == "none":
            return False
        routed = site.provisioning == "stack" or destination.site in site.routes
        return routed or (self._provisions(destination) and self._one_subnet(source, destination))

    def _carries_udt(self, source: Host, destination: Host) -> bool:
        ends = (source, destination)
        modern = all(int(host.version.partition(".")[0]) >= _UDT_FROM for host in ends)
        return modern and all(self._provisions(host) and self.sites[host.site].udt for host in ends)


def _routes(link: Link | None) -> bool:
    return link is not None and link.provisioning_routed
