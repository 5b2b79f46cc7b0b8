"""Every network card must come out on a network that exists over there."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, host, vm, warn
from bot.migration.plan import NicMove, Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block a card whose target network does not exist or is not offered by the host; warn of opaque ones and typos."""
    known = {network.name: network for network in choice.site.networks}
    there = choice.site.spec.name
    for nic in choice.nics:
        if not nic.source_network:
            continue
        if nic.target_network not in known:
            yield _lost(
                choice,
                nic,
                f"{nic.label} is on '{nic.source_network}', and {there} has no network '{nic.target_network}'.",
            )
        elif choice.host is not None and nic.target_network not in choice.host.networks:
            yield _lost(
                choice,
                nic,
                f"{nic.label} goes to '{nic.target_network}', which host {choice.host.name} does not offer.",
            )
        elif nic.opaque_id:
            yield warn(
                f"{nic.label} goes to '{nic.target_network}', an opaque network; only NSX knows if it gets a port.",
                "whoever keeps NSX",
            )
    for name in sorted(set(choice.request.networks) - {nic.source_network for nic in choice.nics}):
        yield warn(
            f"--network names '{name}', but {choice.vm.ref.name} has no card on it.",
            "asking again without it, or approving it as it is",
        )


def _lost(choice: Choice, nic: NicMove, text: str) -> Finding:
    there = choice.site.spec.name
    return block(text, f"--network '{nic.source_network}=<network at {there}>', or the site's map")


GUARD = Guard(
    id="network-map",
    when="A card's network does not exist over there or its host does not offer it; a warning where it is opaque.",
    weights=(Severity.BLOCK, Severity.WARN),
    lifted_by="--network, or the site's map; or approving it as it is",
    check=check,
    rests_on=(*vm("config.hardware.device", "network"), *host("network")),
    ignorance=Severity.WARN,
)
