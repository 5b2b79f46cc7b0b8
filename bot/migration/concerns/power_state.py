"""A cold migration moves a VM that is off. A suspended one would also need a compatible CPU over there."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, note, vm, warn
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block unless it is off, or is going to be (vSphere docs, "Cold migration")."""
    name = choice.vm.ref.name
    if choice.vm.power == "poweredOff":
        return
    if choice.vm.power != "poweredOn":
        yield block(
            f"{name} is {choice.vm.power}; a cold migration needs it powered off.",
            "resuming it and shutting it down; then retry",
        )
    elif not choice.request.shutdown:
        yield block(
            f"{name} is powered on; a cold migration needs it powered off.",
            "whoever may shut the VM down, or --shutdown; then retry",
        )
    elif not choice.vm.tools_running:
        yield warn(
            f"{name} is powered on and VMware Tools do not run in it: its guest cannot be asked to shut down, and a"
            " person will be asked what to do.",
            "starting VMware Tools, or shutting it down from within",
        )
    else:
        yield note(f"{name} is powered on; its guest is shut down when its turn comes, as was asked for.")


GUARD = Guard(
    id="power-state",
    when="The VM is not powered off. --shutdown lifts it for one that is powered on.",
    weights=(Severity.BLOCK, Severity.WARN, Severity.NOTE),
    lifted_by="asking again without --shutdown",
    check=check,
    rests_on=vm("runtime.powerState"),
    refined_by=vm("guest.toolsRunningStatus"),
    ignorance=Severity.WARN,
)
