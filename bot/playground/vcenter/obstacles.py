"""What stands in the way of a copy before it begins, in the order in which the hosts come upon it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.playground.vcenter import outcomes
from bot.playground.vcenter.inventory import Datastore, Host, Vm
from bot.playground.vcenter.links import NFC_PORT, Closed
from bot.playground.vcenter.outcomes import Ending
from bot.playground.vcenter.paths import Carrier, Path
from bot.playground.vcenter.universe import Universe

_NFCD_FROM = 8
_CLOSED = {Closed.SILENT: outcomes.SILENT_PORT, Closed.REFUSED: outcomes.REFUSED_PORT}


def first_obstacle(universe: Universe, *, vm: Vm, destination: Host, store: Datastore, path: Path) -> Ending | None:
    """Return how the preparation ends, or None if a copy can begin."""
    door = _on_the_way(universe, vm.host, destination, path)
    return next((ending for ending in (*door, *_behind_the_door(universe, vm, destination, store, path))), None)


def _on_the_way(universe: Universe, source: Host, destination: Host, path: Path) -> Iterator[Ending]:
    """Look up the name, find the way, knock at TCP 902."""
    links, there = universe.links, universe.conditions.of(destination)
    if not universe.conditions.of(source).dns:
        yield outcomes.NAME_NOT_FOUND
    if not path.routed:
        yield outcomes.NO_ROUTE
    link, closed = links.find(source.site, destination.site), links.closed(source.site, destination.site, NFC_PORT)
    if link is None or link.rate <= 0:
        yield outcomes.SILENT_PORT
    if closed:
        yield _CLOSED[closed]
    if not there.nfcd and int(destination.version.partition(".")[0]) >= _NFCD_FROM:
        yield outcomes.NFCD_STOPPED  # on 7.x nobody misses it (KB 420991)
    if not there.authd:
        yield outcomes.AUTHD_SILENT


def _behind_the_door(universe: Universe, vm: Vm, destination: Host, store: Datastore, path: Path) -> Iterator[Ending]:
    """Show the ticket, get buffers, open the disks; with UDT, connect once more for the data."""
    conditions = universe.conditions
    here, there = conditions.of(vm.host), conditions.of(destination)
    if not there.tickets:
        yield outcomes.TICKET_EXPIRED
    if not there.nfc_memory:
        yield outcomes.NFC_MEMORY
    if not here.nfc_memory:
        yield outcomes.NFC_MEMORY_HERE
    if conditions.is_locked(vm):
        yield outcomes.DISK_LOCKED
    if any(conditions.is_lost(held) for held in vm.datastores):
        yield outcomes.SOURCE_LOST
    if conditions.is_lost(store):
        yield outcomes.TARGET_LOST
    if path.carrier is Carrier.UDT and universe.links.closed(vm.host.site, destination.site, path.port):
        yield outcomes.UDT_UNREACHABLE
