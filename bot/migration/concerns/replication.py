"""vSphere Replication keeps a replica of this VM at this place; moving it across sites breaks or restarts that."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, vm
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block a VM that vSphere Replication is configured for."""
    if choice.vm.replication:
        yield block(f"{choice.vm.ref.name} is replicated by vSphere Replication; its replica would be orphaned.")


GUARD = Guard(
    id="replication",
    when="vSphere Replication is configured for the VM.",
    weights=(Severity.BLOCK,),
    lifted_by="stopping its replication, which whoever keeps it may do",
    check=check,
    rests_on=vm("config.extraConfig"),
    ignorance=Severity.WARN,
)
