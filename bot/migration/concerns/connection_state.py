"""vCenter must reach the VM: its host, and its files."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, vm
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block an inaccessible, disconnected or orphaned VM."""
    if choice.vm.connection != "connected":
        yield block(
            f"vCenter calls {choice.vm.ref.name} '{choice.vm.connection}': its host or its files cannot be reached."
        )


GUARD = Guard(
    id="connection-state",
    when="vCenter calls the VM disconnected, inaccessible, invalid or orphaned.",
    weights=(Severity.BLOCK,),
    lifted_by="bringing the host or the datastore back",
    check=check,
    rests_on=vm("runtime.connectionState"),
    ignorance=Severity.WARN,
)
