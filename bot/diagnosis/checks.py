"""The checks that rules name in `confirm_by`: what to look at, with which command, where. Data, in `checks.toml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from bot.diagnosis.facts import DEFAULT_STACK, Facts, HostFacts
from bot.diagnosis.records import dataclass, field
from bot.diagnosis.shelf import tables
from bot.diagnosis.template import Words

FILE = Path(__file__).parent / "checks.toml"
NFC_PORT: Final = "902"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that would confirm or refute a verdict.

    `before` has the command of hosts that are older than a version. `unreadable` is what a report says until somebody
    has looked; `read_by` names the side, or the log of both hosts, whose reading makes it untrue.
    """

    id: str
    what: str
    command: str = ""
    where: str = ""
    unreadable: str = ""
    read_by: str = ""
    before: Mapping[str, str] = field(default_factory=dict)

    def command_for(self, facts: Facts) -> str:
        """Return the command as the host knows it on which it is to be run; as the newest does, where none is known."""
        version = _numbers(self._host(facts))
        younger = [(_parts(bound), command) for bound, command in self.before.items() if version < _parts(bound)]
        return min(younger)[1] if version and younger else self.command

    def _host(self, facts: Facts) -> HostFacts | None:
        if "destination" in self.where:
            return facts.destination
        return facts.source or (None if "source" in self.where else facts.destination)


@cache
def load_checks() -> Mapping[str, Check]:
    (raw,) = tables([FILE])
    return {name: Check(id=name, **entry) for name, entry in raw.items()}


def path_values(facts: Facts) -> dict[str, str]:
    """Return what commands say of the copy's path: interfaces and addresses of both ends, as far as they are known.

    `netstack_option` is nothing on the default TCP/IP stack, where a host takes no such option.
    """
    source, destination = (host.copying if host else None for host in (facts.source, facts.destination))
    known: dict[str, str] = {"nfc_port": NFC_PORT, "netstack_option": Words("")}
    if source is not None:
        known["vmk"] = source.device
        if source.netstack != DEFAULT_STACK and re.fullmatch(r"[\w-]+", source.netstack):
            known["netstack_option"] = Words(f"++netstack={source.netstack} ")
    addresses = {
        "source_address": source.address if source else "",
        "destination_address": destination.address if destination else "",
    }
    return known | {name: address for name, address in addresses.items() if address}


def _numbers(host: HostFacts | None) -> tuple[int, ...]:
    return _parts(host.version) if host else ()


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
