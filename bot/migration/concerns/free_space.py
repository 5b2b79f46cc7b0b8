"""A copy that fills the datastore fails at the end, after hours, and takes its neighbours with it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.plan import Concern, Severity
from bot.migration.size import gib

RESERVE_SHARE = 0.10
RESERVE_FLOOR = 20 * 2**30


def check(choice: Choice) -> Iterator[Concern]:
    """Block when it does not fit at all, warn when it would eat into the reserve (10 %, at least 20 GiB)."""
    datastore = choice.datastore
    if datastore is None:
        return
    need = needed_bytes(choice)
    reserve = max(int(datastore.capacity * RESERVE_SHARE), RESERVE_FLOOR)
    if need > datastore.free:
        yield Concern(
            "free-space",
            Severity.BLOCK,
            f"{choice.vm.ref.name} needs {gib(need)} on {datastore.name}, which has {gib(datastore.free)} free.",
            lifted_by="freeing space, or another --datastore",
        )
    elif need > datastore.free - reserve:
        yield Concern(
            "free-space",
            Severity.WARN,
            f"After the copy {datastore.name} would have {gib(datastore.free - need)} free,"
            f" less than the reserve of {gib(reserve)}.",
            lifted_by="freeing space, or approving it as it is",
        )


def needed_bytes(choice: Choice) -> int:
    """What the copy will occupy: the disks as they are copied, and whatever else the VM has on datastores now."""
    disks_now = sum(disk.used for disk in choice.vm.disks)
    return choice.size + max(choice.vm.committed - disks_now, 0)
