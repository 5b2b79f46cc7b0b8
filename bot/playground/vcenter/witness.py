"""What a referee may ask of a played vCenter: the truth behind the wire, for tests, pages and the control port.

Only questions; what changes the world is in `switches`.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Protocol

from bot.playground.vcenter.changes import Changes
from bot.playground.vcenter.inventory import Datastore, Host, Placement
from bot.playground.vcenter.moves import Move
from bot.playground.vcenter.relocation import Works
from bot.playground.vcenter.universe import Estate, RelocationRecord

_LONG = 60.0


class Traffic(Protocol):
    """What an endpoint counts of its calls."""

    @property
    def calls(self) -> Counter[str]: ...
    @property
    def arrivals(self) -> Changes: ...
    @property
    def op_ids(self) -> deque[tuple[str, str]]: ...


class Witness:
    """Has seen everything that happened in one vCenter."""

    def __init__(self, estate: Estate, works: Works, traffic: Traffic) -> None:
        self._estate = estate
        self._works = works
        self._traffic = traffic

    @property
    def vcenter(self) -> str:
        return self._estate.spec.name

    @property
    def relocations(self) -> list[RelocationRecord]:
        """Every RelocateVM_Task that was accepted, in order."""
        return self._estate.relocations

    def moves(self) -> list[Move]:
        """How each relocation stands that is under way or ended not long ago, oldest first."""
        return self._works.moves()

    @property
    def calls(self) -> dict[str, int]:
        """How often each method was called."""
        return dict(self._traffic.calls)

    async def until_called(self, method: str, count: int = 1) -> None:
        """Return once a method was called so often, counted from the start. The caller sets the time-out."""
        arrivals = self._traffic.arrivals
        while self._traffic.calls[method] < count:
            await arrivals.wait(beyond=arrivals.revision, seconds=_LONG)

    @property
    def op_ids(self) -> list[tuple[str, str]]:
        """(method, opID) of the calls that carried an operationID header, newest last."""
        return list(self._traffic.op_ids)

    @property
    def users(self) -> list[str]:
        """Who is logged in, once per session."""
        return [session.account.user for session in self._estate.sessions.all()]

    @property
    def tasks(self) -> dict[str, str]:
        """The state of every task object that still exists."""
        return {task.id: task.state for task in self._estate.tasks.recent()}

    def placement(self, vm: str, folder: str | None = None) -> Placement:
        """Say where a VM really is. KeyError unless exactly one bears the name (in that folder)."""
        return self._estate.inventory.placement(self._estate.vm(vm, folder))

    def log_lines(self, host: str, log: str = "vpxa") -> list[str]:
        """Return the lines of a host's log, rotated ones first."""
        return self._estate.host(host).logs.everything(log)

    def datastore(self, name: str) -> Datastore:
        """Return a datastore with its free space and its orphans; KeyError for an unknown name."""
        return self._estate.datastore(name)

    @property
    def host_urls(self) -> dict[str, str]:
        """Where each host is served itself."""
        return {host.name: self._estate.doors.url(host) for host in self._estate.inventory.each(Host)}

    def hosts(self) -> list[str]:
        return [host.name for host in self._estate.inventory.each(Host)]
