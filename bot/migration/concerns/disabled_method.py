"""vCenter lists the methods that a VM refuses at the moment; backup products disable relocation while they run."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.plan import Concern, Severity

METHOD = "RelocateVM_Task"


def check(choice: Choice) -> Iterator[Concern]:
    """Block when `disabledMethod` of the VM contains RelocateVM_Task."""
    if METHOD in choice.vm.disabled_methods and not choice.vm.running_tasks:
        yield Concern(
            "disabled-method",
            Severity.BLOCK,
            f"{METHOD} is disabled on {choice.vm.ref.name}; a backup is probably running, or a former one left it so.",
            lifted_by="the end of the backup, or whoever keeps the backup product",
        )
