"""A VM that waits for an answer does nothing else meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, vm
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block a VM with a pending question."""
    if choice.vm.question:
        yield block(f"{choice.vm.ref.name} waits for an answer in vCenter: {choice.vm.question}")


GUARD = Guard(
    id="question",
    when="The VM waits for an answer.",
    weights=(Severity.BLOCK,),
    lifted_by="answering it in the vSphere Client",
    check=check,
    rests_on=vm("runtime.question"),
)
