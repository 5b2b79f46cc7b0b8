"""vCenter lists the methods that a VM refuses at the moment; backup products disable relocation while they run."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, vm
from bot.migration.plan import Severity

METHOD = "RelocateVM_Task"


def check(choice: Choice) -> Iterator[Finding]:
    """Block when relocation is disabled; a running task explains it, and is told once."""
    if METHOD in choice.vm.disabled_methods and not choice.vm.running_tasks:
        yield block(
            f"{METHOD} is disabled on {choice.vm.ref.name}; a backup is probably running, or a former one left it so."
        )


GUARD = Guard(
    id="disabled-method",
    when="disabledMethod of the VM has RelocateVM_Task, and no running task explains it.",
    weights=(Severity.BLOCK,),
    lifted_by="the end of the backup, or whoever keeps the backup product",
    check=check,
    rests_on=vm("disabledMethod"),
    ignorance=Severity.WARN,
    passes=True,
)
