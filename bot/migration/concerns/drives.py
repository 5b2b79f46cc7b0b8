"""An image in a drive is a file of this site, and a host's drive is a drive of this host."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, note, vm, warn
from bot.migration.facts import Device
from bot.migration.plan import Severity

KINDS = {
    "cdrom-iso": "has an image in it",
    "cdrom-host": "is a drive of its host",
    "cdrom-client": "is a drive of somebody's computer",
    "floppy": "has an image or a drive of its host in it",
}


def check(choice: Choice) -> Iterator[Finding]:
    """Warn of drives with something in them; note that they are emptied where that was asked for."""
    name = choice.vm.ref.name
    for drive in choice.vm.devices:
        if not _is_backed(drive):
            continue
        what = f"{drive.label} of {name} {KINDS[drive.kind]}" + (f" ({drive.detail})" if drive.detail else "")
        if choice.request.disconnect_drives:
            yield note(f"{what}; it is disconnected before the copy, as was asked for.", "asking again without it")
        else:
            yield warn(f"{what}, which {choice.site.spec.name} may not reach.")


def _is_backed(drive: Device) -> bool:
    """An image that exists only here is in the way even where the drive is not connected; a mere drive is not."""
    return drive.kind in KINDS and (drive.connected or (drive.kind == "cdrom-iso" and bool(drive.detail)))


GUARD = Guard(
    id="drives",
    when="A CD or floppy drive has an image in it, or is a drive of the host. --disconnect-iso lifts it.",
    weights=(Severity.WARN, Severity.NOTE),
    lifted_by="--disconnect-iso, or taking it out in the vSphere Client",
    check=check,
    rests_on=vm("config.hardware.device"),
)
