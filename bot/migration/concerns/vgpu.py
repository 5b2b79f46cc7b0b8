"""A virtual GPU needs a card with the same profile where the VM is powered on next."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, vm, warn
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Warn of every vGPU."""
    for device in choice.vm.devices:
        if device.kind == "vgpu":
            profile = f" ({device.detail})" if device.detail else ""
            yield warn(
                f"{device.label} of {choice.vm.ref.name} is a vGPU{profile}: without that profile on host"
                f" {choice.host_name} it cannot be powered on there."
            )


GUARD = Guard(
    id="vgpu",
    when="The VM has a virtual GPU.",
    weights=(Severity.WARN,),
    lifted_by="a host with that profile (--host), or removing the device",
    check=check,
    rests_on=vm("config.hardware.device"),
    ignorance=Severity.WARN,
)
