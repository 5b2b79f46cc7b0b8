"""Two cards with one MAC address on one network lose packets in turn, and nobody sees why."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, site, vm, warn
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Warn of a card whose address another VM at the target has."""
    known = {mac.lower(): owner for mac, owner in choice.site.macs.items()}
    for nic in choice.vm.nics:
        owner = known.get(nic.mac.lower()) if nic.mac else None
        if owner and choice.source_site != choice.site.spec.name:
            yield warn(
                f"{nic.label} of {choice.vm.ref.name} has the MAC address {nic.mac}, and so has {owner} at"
                f" {choice.site.spec.name}."
            )


GUARD = Guard(
    id="mac-clash",
    when="A VM at the target has the MAC address of one of its cards.",
    weights=(Severity.WARN,),
    lifted_by="giving one of the two another address, or a network of its own",
    check=check,
    rests_on=(*vm("config.hardware.device"), *site("macs")),
)
