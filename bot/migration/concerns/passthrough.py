"""A passed-through device is a card in this very host."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, vm, warn
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Warn of PCI passthrough; block it where the VM is to be powered on at once, which cannot succeed."""
    for device in choice.vm.devices:
        if device.kind != "pci":
            continue
        what = f"{device.label} of {choice.vm.ref.name} is a PCI device of host {choice.vm.host}"
        if choice.request.power_on:
            yield block(
                f"{what}: it cannot be powered on at {choice.site.spec.name}.",
                "removing the device, or asking again without --power-on",
            )
        else:
            yield warn(f"{what}: at {choice.site.spec.name} it has to be replaced before the VM is powered on.")


GUARD = Guard(
    id="passthrough",
    when="The VM has a PCI device of its host; a block together with --power-on.",
    weights=(Severity.BLOCK, Severity.WARN),
    lifted_by="removing the device, or replacing it afterwards",
    check=check,
    rests_on=vm("config.hardware.device"),
    ignorance=Severity.WARN,
)
