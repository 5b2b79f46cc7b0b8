"""A cold migration moves a VM that is off. A suspended one would also need a compatible CPU over there."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.plan import Concern, Severity


def check(choice: Choice) -> Iterator[Concern]:
    """Block unless the VM is powered off (vSphere docs, "Cold migration")."""
    if choice.vm.power == "poweredOff":
        return
    state = {"poweredOn": "powered on", "suspended": "suspended"}.get(choice.vm.power, choice.vm.power)
    yield Concern(
        "power-state",
        Severity.BLOCK,
        f"{choice.vm.ref.name} is {state}; a cold migration needs it powered off.",
        lifted_by="whoever may shut the VM down; then retry",
    )
