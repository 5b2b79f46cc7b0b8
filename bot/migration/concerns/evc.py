"""A VM that ran on newer CPUs than it comes to finds fewer features there, or another maker's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, host, unknown, vm, warn
from bot.migration.plan import Severity

MODES: Final = {
    "intel": (
        "merom", "penryn", "nehalem", "westmere", "sandybridge", "ivybridge", "haswell", "broadwell", "skylake",
        "cascadelake", "icelake", "sapphirerapids",
    ),
    "amd": (
        "rev-e", "rev-f", "greyhound-no3dnow", "greyhound", "bulldozer", "piledriver", "steamroller", "zen", "zen2",
        "zen3", "zen4", "zen5",
    ),
}  # fmt: skip
"""EVC modes by maker, the oldest first (KB 1003212)."""


def check(choice: Choice) -> Iterator[Finding]:
    """Warn of another maker, and of a mode that the host does not reach."""
    needs, there = choice.vm.min_evc, choice.host
    if not needs or there is None or not (offers := there.evc or there.max_evc):
        return
    maker, _, mode = needs.partition("-")
    makers, _, reached = offers.partition("-")
    name = choice.vm.ref.name
    if maker != makers:
        yield warn(f"{name} needs {needs}, and host {there.name} is {offers}: another maker's CPU.")
        return
    known = MODES.get(maker, ())
    if mode not in known or reached not in known:
        yield unknown(f"whether {offers} of host {there.name} has what {name} needs ({needs})")
    elif known.index(mode) > known.index(reached):
        yield warn(f"{name} needs {needs}, and host {there.name} offers {offers}: it finds fewer features there.")


GUARD = Guard(
    id="evc",
    when="The VM needs a newer EVC mode than the host offers, or another maker's.",
    weights=(Severity.WARN,),
    lifted_by="a host that offers it (--host), or whoever knows that the guest does without",
    check=check,
    rests_on=(
        *vm("runtime.minRequiredEVCModeKey"),
        *host("summary.currentEVCModeKey", "summary.maxEVCModeKey"),
    ),
)
