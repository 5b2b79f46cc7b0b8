"""The machines behind the hosts of an inventory, set up as the world file says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from bot.playground.esxi.machine import Machine, Wiring, machine_of
from bot.playground.vcenter.inventory import Host
from bot.playground.vcenter.wire import Ref
from bot.playground.world import World


def machines_of(world: World, hosts: Iterable[Host], wiring: Mapping[str, Wiring]) -> dict[Ref, Machine]:
    """Return one machine per host; the hosts of a site come in the order of their numbers and share its wiring."""
    sites = {site.name: site for site in world.sites}
    count: Counter[str] = Counter()
    machines: dict[Ref, Machine] = {}
    for host in hosts:
        count[host.site] += 1
        site, number = sites[host.site], count[host.site]
        machines[host.ref] = machine_of(host.name, site, host.logs, number=number, address=host.address, world=world)
        machines[host.ref].wiring = wiring[host.site]
    return machines
