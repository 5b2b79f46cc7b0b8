"""Every network card must come out on a network that exists over there."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.plan import Concern, Severity


def check(choice: Choice) -> Iterator[Concern]:
    """Block a card whose target network does not exist at the site or is not offered by the host."""
    known = {network.name for network in choice.site.networks}
    for nic in choice.nics:
        if not nic.source_network:
            continue
        if nic.target_network not in known:
            text = (
                f"{nic.label} is on '{nic.source_network}', and {choice.site.spec.name} has no network"
                f" '{nic.target_network}'."
            )
        elif choice.host is not None and nic.target_network not in choice.host.networks:
            text = f"{nic.label} goes to '{nic.target_network}', which host {choice.host.name} does not offer."
        else:
            continue
        yield Concern(
            "network-map",
            Severity.BLOCK,
            text,
            lifted_by=f"--network '{nic.source_network}=<network at {choice.site.spec.name}>', or the site's map",
        )
    for name in sorted(set(choice.request.networks) - {nic.source_network for nic in choice.nics}):
        yield Concern(
            "network-map",
            Severity.WARN,
            f"--network names '{name}', but {choice.vm.ref.name} has no card on it.",
            lifted_by="nothing to do if that is known",
        )
