"""Ports and USB devices of a host stay with that host."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, vm, warn
from bot.migration.plan import Severity

KINDS = {"serial": "serial port", "parallel": "parallel port", "usb": "USB device"}


def check(choice: Choice) -> Iterator[Finding]:
    """Warn of serial and parallel ports and of USB devices that are connected."""
    for device in choice.vm.devices:
        if device.kind in KINDS and (device.connected or device.detail):
            behind = f" ({device.detail})" if device.detail else ""
            yield warn(
                f"{device.label} of {choice.vm.ref.name} is a {KINDS[device.kind]}{behind} of host {choice.vm.host},"
                " and stays there."
            )


GUARD = Guard(
    id="host-devices",
    when="A serial or parallel port or a USB device of the host is connected.",
    weights=(Severity.WARN,),
    lifted_by="removing it, or whoever uses it",
    check=check,
    rests_on=vm("config.hardware.device"),
)
