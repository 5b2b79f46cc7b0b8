"""What is broken on hosts, disks and datastores. State only: `switches` breaks it, `obstacles` tells what follows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from bot.playground.vcenter.inventory import Datastore, Host, Vm


@dataclass
class HostCondition:
    """What works on a host. Everything does, until somebody breaks it."""

    nfcd: bool = True
    """Listens on TCP 902; from 8.0 on nothing else does (KB 420991)."""
    authd: bool = True
    """Answers to connections that were accepted on TCP 902."""
    nfc_memory: bool = True
    """Is there room in the buffers of NFC: 48 MB for all sessions of a host."""
    dns: bool = True
    """Can the host look up the names of others."""
    tickets: bool = True
    """Does the host accept the tickets that vCenter hands out."""


class Conditions:
    """Of everything in a world, by what stays the same when a VM changes its vCenter."""

    def __init__(self) -> None:
        self._hosts: dict[str, HostCondition] = defaultdict(HostCondition)
        self._locked: set[str] = set()
        self._gone: set[str] = set()

    def of(self, host: Host) -> HostCondition:
        return self._hosts[host.name]

    def lock(self, vm: Vm, *, locked: bool) -> None:
        """Let somebody hold the disks of a VM open, or let go of them."""
        (self._locked.add if locked else self._locked.discard)(vm.instance_uuid)

    def is_locked(self, vm: Vm) -> bool:
        return vm.instance_uuid in self._locked

    def lose(self, store: Datastore, *, lost: bool) -> None:
        """Take all paths to a datastore away, or give them back."""
        (self._gone.add if lost else self._gone.discard)(store.uuid)

    def is_lost(self, store: Datastore) -> bool:
        """Say whether a datastore is in the state All Paths Down."""
        return store.uuid in self._gone
