"""A copy that fills the datastore fails at the end, after hours, and takes its neighbours with it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, datastore, survey, vm, warn
from bot.migration.facts import DatastoreFacts
from bot.migration.plan import Severity
from bot.migration.size import gib
from bot.migration.space import needed_bytes, swap_bytes

RESERVE_SHARE = 0.10
RESERVE_FLOOR = 20 * 2**30
VSAN = "vsan"
"""The type of a datastore that keeps each file as often as its policy says."""


def check(choice: Choice) -> Iterator[Finding]:
    """Block what does not fit; warn of what would leave no room for swap, or eat into the reserve."""
    needs = needed_bytes(choice)
    for store in choice.targets:
        yield from _check_one(choice, store, needs.get(store.name, 0))


def _check_one(choice: Choice, store: DatastoreFacts, need: int) -> Iterator[Finding]:
    is_home = store.name == choice.datastore_name
    claims = choice.survey.claimed if choice.survey and is_home else {}
    claimed = sum(claims.values())
    swap = swap_bytes(choice) if is_home else 0
    left = store.free - claimed - need
    reserve = max(int(store.capacity * RESERVE_SHARE), RESERVE_FLOOR)
    name = choice.vm.ref.name
    others = f", of which {gib(claimed)} are for {', '.join(sorted(claims))}" if claimed else ""
    if left < 0:
        yield block(f"{name} needs {gib(need)} on {store.name}, which has {gib(store.free)} free{others}.")
    elif left < swap:
        say = block if choice.request.power_on else warn
        yield say(
            f"{name} fits on {store.name} and cannot be powered on there: its swap file takes {gib(swap)}, and after"
            f" the copy {gib(left)} are free{others}."
        )
    elif store.kind == VSAN and left < need:
        yield warn(
            f"{store.name} is vSAN, whose free space is raw: with a policy that mirrors, {name} takes {gib(2 * need)},"
            f" and {gib(store.free)} are free{others}.",
            "whoever keeps its storage policies, or another --datastore",
        )
    elif left < reserve:
        yield warn(
            f"After the copy {store.name} would have {gib(left)} free,"
            f" less than the reserve of {gib(reserve)}{others}.",
            "freeing space, or approving it as it is",
        )


GUARD = Guard(
    id="free-space",
    when=(
        "It does not fit, queued and running jobs counted in; a warning where no room is left for its swap file"
        " (a block with --power-on), the reserve is eaten into (10 %, at least 20 GiB), or a vSAN may mirror it."
    ),
    weights=(Severity.BLOCK, Severity.WARN),
    lifted_by="freeing space, or another --datastore",
    check=check,
    rests_on=(*datastore("summary.freeSpace", "summary.capacity"), *vm("config.hardware.device", "layoutEx")),
    refined_by=(
        *survey("claimed"),
        *vm("summary.storage.committed", "config.hardware.memoryMB", "config.memoryAllocation.reservation"),
    ),
    ignorance=Severity.WARN,
)
