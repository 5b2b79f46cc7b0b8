"""A virtual TPM holds the keys of what is in the guest, and is itself encrypted by vCenter's key provider."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, note, vm, warn
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Warn when it goes to another vCenter; else note it, for BitLocker and its like notice a failed restore."""
    if not any(device.kind == "tpm" for device in choice.vm.devices):
        return
    name, there = choice.vm.ref.name, choice.site.spec.vcenter
    if choice.vm.ref.vcenter != there:
        yield warn(
            f"{name} has a virtual TPM: without its key provider at vCenter {there} the guest cannot be unlocked.",
            "whoever keeps the keys; have the guest's recovery keys at hand",
        )
    else:
        yield note(f"{name} has a virtual TPM: the hosts at {choice.site.spec.name} need its key provider.")


GUARD = Guard(
    id="virtual-tpm",
    when="The VM has a virtual TPM.",
    weights=(Severity.WARN, Severity.NOTE),
    lifted_by="whoever keeps the keys",
    check=check,
    rests_on=vm("config.hardware.device"),
    ignorance=Severity.WARN,
)
