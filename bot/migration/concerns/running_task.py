"""Two tasks on one VM exclude each other, and a backup would be broken halfway."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, vm
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block while another task of the VM runs: vCenter would answer TaskInProgress."""
    for task in choice.vm.running_tasks:
        whose = f" for {task.user}" if task.user else ""
        yield block(f"vCenter is running '{task.name}' on {choice.vm.ref.name}{whose}.")


GUARD = Guard(
    id="running-task",
    when="Another task of the VM runs; vCenter would answer TaskInProgress.",
    weights=(Severity.BLOCK,),
    lifted_by="waiting for it to end; then retry",
    check=check,
    rests_on=vm("recentTask"),
    ignorance=Severity.WARN,
    passes=True,
)
