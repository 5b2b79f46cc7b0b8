"""A host runs virtual hardware up to its own release's, and does not register newer."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, block, host, unknown, vm, warn
from bot.migration.concerns.releases import newest_hardware, release_of
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Block hardware newer than the host's release runs; warn where only its update decides and is not told."""
    has, there = choice.vm.hardware_version, choice.host
    if there is None or not has:
        return
    runs = newest_hardware(there.version)
    if runs is None:
        yield unknown(f"which virtual hardware release {there.version or '(none told)'} of host {there.name} runs")
        return
    name = choice.vm.ref.name
    if has > runs.at_most:
        needs = release_of(has)
        yield block(
            f"{name} has virtual hardware {has}; host {there.name} ({there.version}) runs {runs.at_most} at most"
            + (f", and {has} needs ESXi {needs} or newer." if needs else ".")
        )
    elif has > runs.surely:
        yield warn(f"{name} has virtual hardware {has}, which host {there.name} ({there.version}) runs with Update 2.")


GUARD = Guard(
    id="hardware-version",
    when="The host's release does not run so new virtual hardware (KB 1003746).",
    weights=(Severity.BLOCK, Severity.WARN),
    lifted_by="a newer host (--host), or another VM with older hardware and these disks",
    check=check,
    rests_on=(*vm("config.version"), *host("summary.config.product.version")),
    ignorance=Severity.WARN,
)
