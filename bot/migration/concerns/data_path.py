"""Which way the bytes are going to take, said before they do: KB 340170, in the words people search for."""

from __future__ import annotations

from collections.abc import Iterator

from bot.migration.choice import Choice
from bot.migration.concerns.guard import Finding, Guard, host, note, source_host, unknown, warn
from bot.migration.path import DataPath
from bot.migration.plan import Severity


def check(choice: Choice) -> Iterator[Finding]:
    """Name the path; warn of one that nobody chose: a fall-back to the management network, or no route."""
    path = choice.path
    if path is None:
        if choice.vm.on is not None and choice.vm.on.interfaces and choice.host is not None and choice.host.interfaces:
            yield unknown(f"which way data takes from {choice.vm.on.name} to {choice.host.name}")
        return
    say = warn if path.doubt else note  # without any provisioning interface vmk0 is how hosts are installed
    yield say(_in_words(path))


def _in_words(path: DataPath) -> str:
    ends = f"{path.data.source.address} to {path.data.target.address}, TCP {path.data.port}"
    control = f"; control on TCP {path.control.port}" if path.control != path.data else ""
    return f"{path.words} ({ends}{control}): {path.why}" + (f" {path.doubt}" if path.doubt else "")


GUARD = Guard(
    id="data-path",
    when=(
        "Always, if it can be predicted: UDT or NFC, and by which interface. A warning where KB 340170 predicts a"
        " fall-back or no route, or does not describe such hosts."
    ),
    weights=(Severity.WARN, Severity.NOTE),
    lifted_by="a provisioning interface with a route on both hosts, or approving it as it is",
    check=check,
    rests_on=(
        *source_host("config.network.vnic", "config.virtualNicManagerInfo.netConfig"),
        *host("config.network.vnic", "config.virtualNicManagerInfo.netConfig"),
    ),
    refined_by=(
        *source_host("config.network.netStackInstance", "config.network.routeTableInfo"),
        *host("config.network.netStackInstance", "config.network.routeTableInfo"),
    ),
)
