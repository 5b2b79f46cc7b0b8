"""Who may copy now: the cap that vCenter puts on provisioning operations, host by host, and the line before it."""

from __future__ import annotations

from bot.playground.vcenter.changes import Changes
from bot.playground.vcenter.inventory import Host

PER_HOST = 8
"""Provisioning operations that vCenter runs per host at a time; more of them wait in its queue."""
_FOREVER = 3600.0


class Places:
    """Who may copy now: at most PER_HOST relocations on any host, in the order they came."""

    def __init__(self) -> None:
        self._freed = Changes()
        self._line: list[tuple[Host, Host]] = []

    async def take(self, source: Host, destination: Host) -> None:
        """Wait for a place on both hosts and take it."""
        me = (source, destination)
        self._line.append(me)
        try:
            while not self._is_my_turn(me):
                await self._freed.wait(beyond=self._freed.revision, seconds=_FOREVER)
        finally:
            self._line = [entry for entry in self._line if entry is not me]
            self._freed.touch()
        for host in {source, destination}:
            host.copying += 1

    def give_back(self, source: Host, destination: Host) -> None:
        for host in {source, destination}:
            host.copying -= 1
        self._freed.touch()

    def _is_my_turn(self, me: tuple[Host, Host]) -> bool:
        """Say whether both hosts have room; whoever came earlier for the same host goes first."""
        ahead: list[Host] = []
        for entry in self._line:
            if entry is me:
                break
            ahead.extend(entry)
        return all(host.copying < PER_HOST and host not in ahead for host in set(me))
