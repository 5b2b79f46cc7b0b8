"""Two tasks on one VM exclude each other, and a backup would be broken halfway."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.plan import Concern, Severity


def check(choice: Choice) -> Iterator[Concern]:
    """Block while another task of the VM runs: vCenter would answer TaskInProgress."""
    for task in choice.vm.running_tasks:
        yield Concern(
            "running-task",
            Severity.BLOCK,
            f"vCenter is running '{task.name}' on {choice.vm.ref.name}" + (f" for {task.user}." if task.user else "."),
            lifted_by="waiting for it to end; then retry",
        )
