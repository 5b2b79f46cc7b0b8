"""Who may copy now: the cap that vCenter puts on provisioning operations, host by host, and the line before it."""

from __future__ import annotations

from collections.abc import Callable

from bot.playground.vcenter.changes import Changes
from bot.playground.vcenter.inventory import Host

Ends = Callable[[], tuple[Host, Host]]
PER_HOST = 8
"""Provisioning operations that vCenter runs per host at a time; more of them wait in its queue."""
_FOREVER = 3600.0


class Places:
    """Who may copy now: at most PER_HOST relocations on any host, in the order they came, whoever manages the host."""

    def __init__(self) -> None:
        self._freed = Changes()
        self._line: list[Ends] = []

    async def take(self, ends: Ends) -> tuple[Host, Host]:
        """Wait for a place on both hosts, take it, and say on which; a VM that waits may be moved by others."""
        self._line.append(ends)
        try:
            while not self._is_my_turn(ends):
                await self._freed.wait(beyond=self._freed.revision, seconds=_FOREVER)
        finally:
            self._line.remove(ends)
            self._freed.touch()
        taken = ends()
        for host in set(taken):
            host.copying += 1
        return taken

    def give_back(self, taken: tuple[Host, Host]) -> None:
        for host in set(taken):
            host.copying -= 1
        self._freed.touch()

    def _is_my_turn(self, ends: Ends) -> bool:
        """Say whether both hosts have room; whoever came earlier for the same host goes first."""
        ahead = {host for earlier in self._line[: self._line.index(ends)] for host in earlier()}
        return all(host.copying < PER_HOST and host not in ahead for host in ends())
