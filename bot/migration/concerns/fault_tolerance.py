"""A VM under Fault Tolerance is two VMs; neither moves alone."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, vm
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block a VM with Fault Tolerance, primary or secondary."""
    if choice.vm.fault_tolerance:
        yield block(f"{choice.vm.ref.name} is protected by Fault Tolerance.")


GUARD = Guard(
    id="fault-tolerance",
    when="Fault Tolerance is turned on.",
    weights=(Severity.BLOCK,),
    lifted_by="turning Fault Tolerance off",
    check=check,
    rests_on=vm("runtime.faultToleranceState", "config.ftInfo"),
)
