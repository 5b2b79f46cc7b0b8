"""What a move has to carry: which files, from where to where, how much on the wire and how much at the destination."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.playground.vcenter.inventory import Datastore, Vm
from bot.playground.vcenter.relocate_spec import Plan


@dataclass(frozen=True)
class Piece:
    """One file that changes its datastore. `sent` crosses the wire; `size` is what it takes where it arrives."""

    source: Datastore
    target: Datastore
    sent: int
    size: int


def pieces(vm: Vm, plan: Plan) -> Iterator[Piece]:
    """Yield every file that has to move; a disk that becomes thick takes all of its capacity."""
    capacity = {disk.key: disk.capacity for disk in vm.disks}
    for file in vm.files:
        target, thin = plan.disks.get(file.disk, (plan.datastore, True))
        if target is not file.datastore:
            whole = not thin and file.path.endswith("-flat.vmdk")
            yield Piece(file.datastore, target, file.size, capacity[file.disk] if whole else file.size)


def needs(vm: Vm, plan: Plan) -> dict[Datastore, int]:
    """Return the bytes that a move takes on each datastore that files go to."""
    found: dict[Datastore, int] = {}
    for piece in pieces(vm, plan):
        found[piece.target] = found.get(piece.target, 0) + piece.size
    return found
