"""The part `world`: what a map of the sites shows. Asks the players; changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.playground.page.stagehands import Stagehands
from bot.playground.vcenter.inventory import Datastore, Host, Vm
from bot.playground.vcenter.links import Link
from bot.playground.vcenter.moves import Move
from bot.playground.vcenter.player import RunningWorld, VCenterPlayer
from bot.playground.vcenter.universe import Universe
from bot.playground.world import Site

Json = dict[str, Any]
SHOWN_AFTERWARDS = timedelta(minutes=1)
"""For so long a move stays on the map when it has ended."""


def universe_of(world: RunningWorld) -> Universe:
    """The one universe that all players of a world share."""
    return next(iter(world.players.values())).estate.universe


class WorldPart:
    """Sees all vCenters of a world at once. `down` names those that do not listen."""

    def __init__(self, world: RunningWorld, stagehands: Stagehands, *, down: set[str]) -> None:
        self._world = world
        self._universe = universe_of(world)
        self._stagehands = stagehands
        self._down = down

    def value(self) -> Json:
        return {
            "now": self._universe.clock().astimezone(UTC).isoformat(timespec="seconds"),
            "advanced_s": self._stagehands.advanced.total_seconds(),
            "sites": [self._site(site) for site in self._universe.world.sites],
            "links": [self._link(one, other, link) for one, other, link in self._universe.links.each()],
            "moves": [_move(move) for move in self._moves()],
            "roles": [
                {"name": role.name, "state": role.state, "pid": role.pid, "restarts": role.restarts}
                for role in self._stagehands.roles()
            ],
            "vcenters": [self._vcenter(player) for player in self._world.players.values()],
        }

    def stale_after(self) -> timedelta | None:
        """When the value will be another one though nothing happens: a copy goes on, or a move leaves the map."""
        moves = self._moves()
        if any(move.ended is None for move in moves):
            return timedelta(seconds=1)
        ends = [SHOWN_AFTERWARDS - self._since(move.ended) for move in moves if move.ended]
        return max(min(ends), timedelta(seconds=1)) if ends else None

    def _moves(self) -> list[Move]:
        moves = [move for player in self._world.players.values() for move in player.moves()]
        return [move for move in moves if move.ended is None or self._since(move.ended) < SHOWN_AFTERWARDS]

    def _since(self, moment: datetime) -> timedelta:
        return self._universe.clock() - moment

    def _site(self, site: Site) -> Json:
        inventory = self._world[site.vcenter].estate.inventory
        return {
            "name": site.name,
            "datacenter": site.datacenter,
            "cluster": site.cluster,
            "vcenter": site.vcenter,
            "hosts": [_host(host) for host in inventory.each(Host) if host.site == site.name],
            "datastores": [_datastore(store) for store in inventory.each(Datastore) if store.site == site.name],
            "vms": [_vm(vm) for vm in inventory.each(Vm) if vm.host.site == site.name],
        }

    def _link(self, one: str, other: str, link: Link) -> Json:
        closed = (port for port in self._universe.links.closed_ports() if {port[0], port[1]} == {one, other})
        return {
            "between": [one, other],
            "rate": link.rate,
            "rtt_ms": link.rtt.total_seconds() * 1000,
            "loss": link.loss,
            "mtu": link.mtu,
            "blocked": [
                {"from": source, "to": destination, "port": port, "how": how.value}
                for source, destination, port, how in closed
            ],
            "flows": link.flows,
            "bytes_per_second": round(link.traffic),
        }

    def _vcenter(self, player: VCenterPlayer) -> Json:
        return {
            "name": player.name,
            "up": player.name not in self._down,
            "sessions": len(player.estate.sessions.all()),
        }


def _host(host: Host) -> Json:
    return {
        "name": host.name,
        "version": host.version,
        "connected": host.connected,
        "maintenance": host.maintenance,
        "copying": host.copying,
    }


def _datastore(store: Datastore) -> Json:
    return {
        "name": store.name,
        "capacity": store.capacity,
        "free": store.free,
        "orphans": sum(orphan.size for orphan in store.orphans),
    }


def _vm(vm: Vm) -> Json:
    return {
        "name": vm.name,
        "folder": vm.parent.name if vm.parent else "",
        "host": vm.host.name,
        "power": vm.power,
        "datastore": vm.datastore.name,
        "bytes": vm.committed,
    }


def _move(move: Move) -> Json:
    return {
        "vm": move.vm,
        "from_site": move.from_site,
        "to_site": move.to_site,
        "from_host": move.from_host,
        "to_host": move.to_host,
        "percent": move.percent,
        "bytes": move.bytes,
        "bytes_per_second": round(move.bytes_per_second),
        "state": move.state,
        "fault": move.fault,
        "op_id": move.op_id,
    }
