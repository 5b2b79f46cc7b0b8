"""A VM that a product manages may be moved back, or be lost to that product."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, vm, warn
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Warn of a VM that an extension of vCenter manages, such as Site Recovery Manager."""
    if choice.vm.managed_by:
        yield warn(f"{choice.vm.ref.name} is managed by {choice.vm.managed_by}, which does not know of this move.")


GUARD = Guard(
    id="managed-by",
    when="An extension of vCenter manages the VM (config.managedBy).",
    weights=(Severity.WARN,),
    lifted_by="whoever keeps that product",
    check=check,
    rests_on=vm("config.managedBy.extensionKey"),
)
