"""vCenter must know the VM well, and the VM must not wait for an answer."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.plan import Concern, Severity


def check(choice: Choice) -> Iterator[Concern]:
    """Block an inaccessible or orphaned VM, a template, and one with a pending question."""
    name = choice.vm.ref.name
    if choice.vm.connection != "connected":
        yield Concern(
            "connection-state",
            Severity.BLOCK,
            f"vCenter calls {name} '{choice.vm.connection}': its host or its files cannot be reached.",
            lifted_by="bringing the host or the datastore back",
        )
    if choice.vm.template:
        yield Concern(
            "template",
            Severity.BLOCK,
            f"{name} is a template.",
            lifted_by="converting it to a virtual machine",
        )
    if choice.vm.question:
        yield Concern(
            "question",
            Severity.BLOCK,
            f"{name} waits for an answer in vCenter: {choice.vm.question}",
            lifted_by="answering it in the vSphere Client",
        )
