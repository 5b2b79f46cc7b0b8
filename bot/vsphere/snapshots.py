"""A VM's snapshots: how many, how deep, how old, and what their deltas and memory take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Any, Final

from bot.migration.facts import Snapshots
from bot.vsphere.files import base_paths
from bot.vsphere.properties import Row

PATHS: Final = ("snapshot", "runtime.consolidationNeeded")
_MEMORY: Final = frozenset({"snapshotData", "snapshotMemory"})


def snapshots_of(row: Row) -> Snapshots | None:
    """Return what a VM has of them; None without any, or if they could not be read."""
    needs_consolidation = bool(row["runtime.consolidationNeeded"])
    info = row["snapshot"]
    if info is None and not needs_consolidation:
        return None
    roots = list(info.rootSnapshotList or ()) if info is not None else []
    every = list(_all(roots))
    return Snapshots(
        count=len(every),
        depth=_depth(roots),
        size=_size(row),
        oldest=min((one.createTime.astimezone(UTC) for one in every), default=None),
        needs_consolidation=needs_consolidation,
    )


def _all(trees: Iterable[Any]) -> Iterator[Any]:
    for tree in trees:
        yield tree
        yield from _all(tree.childSnapshotList or ())


def _depth(trees: Iterable[Any]) -> int:
    return max((1 + _depth(tree.childSnapshotList or ()) for tree in trees), default=0)


def _size(row: Row) -> int | None:
    """Return the bytes of all files that are there for snapshots alone; None where the layout does not say.

    A unit of a chain is a disk's own if it holds a file that a backing without a parent names; all others are deltas,
    those of branches that nobody runs on included.
    """
    layout = row["layoutEx"]
    if layout is None or row["config.hardware.device"] is None:
        return None
    bases = base_paths(row)
    files = {entry.key: entry for entry in layout.file or ()}
    counted = {entry.key for entry in files.values() if str(entry.type) in _MEMORY}
    for unit in _units(layout):
        keys = set(unit.fileKey)
        if not any(files[key].name in bases for key in keys if key in files):
            counted |= keys
    return sum(int(files[key].size) for key in counted if key in files)


def _units(layout: Any) -> Iterator[Any]:
    disks = [*(layout.disk or ()), *(disk for one in layout.snapshot or () for disk in one.disk or ())]
    return (unit for disk in disks for unit in disk.chain or ())
