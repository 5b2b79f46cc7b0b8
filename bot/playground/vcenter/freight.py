"""What a move has to carry: which files, from where to where, how much on the wire and how much at the destination."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.playground.vcenter.inventory import Datastore, Disk, Vm
from bot.playground.vcenter.relocate_spec import Plan


@dataclass(frozen=True)
class Piece:
    """One file that changes its datastore. `sent` crosses the wire; `size` is what it takes where it arrives, `held`
    what it took where it was.
    """

    source: Datastore
    target: Datastore
    sent: int
    size: int
    held: int


def pieces(vm: Vm, plan: Plan) -> Iterator[Piece]:
    """Yield every file that has to move. A disk that becomes thick takes all of its capacity, one that becomes thin
    only what is not zero; zeros are not sent then (invented: the host that reads finds them).
    """
    disks = {disk.key: disk for disk in vm.disks}
    for file in vm.files:
        target, thin = plan.disks.get(file.disk, (plan.datastore, True))
        if target is file.datastore:
            continue
        if not file.path.endswith("-flat.vmdk"):
            yield Piece(file.datastore, target, file.size, file.size, file.size)
        elif thin:
            kept = kept_of(disks[file.disk])
            yield Piece(file.datastore, target, kept, kept, file.size)
        else:
            yield Piece(file.datastore, target, file.size, disks[file.disk].capacity, file.size)


def kept_of(disk: Disk) -> int:
    """Return what a disk takes once it is thin."""
    return disk.used if disk.thin or disk.written is None else min(disk.used, disk.written)


def needs(vm: Vm, plan: Plan) -> dict[Datastore, int]:
    """Return the bytes that a move takes on each datastore that files go to."""
    found: dict[Datastore, int] = {}
    for piece in pieces(vm, plan):
        found[piece.target] = found.get(piece.target, 0) + piece.size
    return found
