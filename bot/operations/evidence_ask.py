"""The one concrete thing that a network team is asked to look at, by what the failure looks like. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.diagnosis.causes import Cause
from bot.migration.path import Leg

AROUND: Final = timedelta(minutes=2)
"""Before and after the break: counters of switches are read every few minutes at best."""


@dataclass(frozen=True, slots=True)
class Flow:
    """The TCP flow in question, and when it broke. `passes`: the largest packet that passes whole, where known."""

    leg: Leg
    source_host: str
    target_host: str
    broke: datetime
    passes: int | None = None

    @property
    def words(self) -> str:
        return (
            f"TCP from {self.leg.source.address} ({self.leg.source.device} of {self.source_host}) to "
            f"{self.leg.target.address}:{self.leg.port} ({self.leg.target.device} of {self.target_host})"
        )

    @property
    def ends(self) -> str:
        return f"between {self.leg.source.address} and {self.leg.target.address}"

    @property
    def span(self) -> str:
        since, until = self.broke - AROUND, self.broke + AROUND
        return f"{since:%Y-%m-%d %H:%M:%S} to {until:%H:%M:%S} UTC"


def ask_for(cause: str, flow: Flow) -> tuple[str, str]:
    """What is asked, and what would answer it."""
    known = next((one for one in Cause if one == cause), Cause.UNDETERMINED)
    return _ASKS.get(known, _any)(flow)


def _loss(flow: Flow) -> tuple[str, str]:
    please = (
        f"Please check each hop {flow.ends}, in both directions, for packets that it dropped or found damaged from "
        f"{flow.span}: interface errors, queue and policer drops, optics."
    )
    return please, "The counters of each hop before and after that time would answer it; so would the capture below."


def _mtu(flow: Flow) -> tuple[str, str]:
    passes = f" Packets of {flow.passes} bytes pass whole, larger ones do not." if flow.passes else ""
    please = (
        f"Please check the MTU of each hop {flow.ends}, and whether ICMP 'fragmentation needed' comes back to the "
        f"sender.{passes}"
    )
    return please, "The smallest MTU on the way would answer it, and which device drops that ICMP."


def _port(flow: Flow) -> tuple[str, str]:
    please = (
        f"Please check what each firewall on the way did with {flow.words} from {flow.span}: allowed, dropped or "
        "rejected."
    )
    return please, "The log lines of the rule that was hit would answer it."


def _idle(flow: Flow) -> tuple[str, str]:
    please = (
        "Please tell us the idle and the lifetime limit of TCP sessions on each firewall and translator on the way of "
        f"{flow.words}, and whether one of them ended that session from {flow.span}."
    )
    return please, "The session's entry in their logs would answer it: when it was made, when and why it was removed."


def _nat(flow: Flow) -> tuple[str, str]:
    please = f"Please tell us where addresses are translated on the way of {flow.words}."
    return please, "The translations that were active at that time would answer it."


def _any(flow: Flow) -> tuple[str, str]:
    please = (
        f"Please check what became of {flow.words} from {flow.span}: drops, resets, changes of route or link state."
    )
    return please, "The counters and logs of each hop for that time would answer it; so would the capture below."


_ASKS: Final[Mapping[Cause, Callable[[Flow], tuple[str, str]]]] = {
    Cause.PACKET_LOSS: _loss,
    Cause.MTU_MISMATCH: _mtu,
    Cause.PORT_BLOCKED: _port,
    Cause.UDT_PATH: _port,
    Cause.PROVISIONING_PATH: _port,
    Cause.IDLE_TIMEOUT_RESET: _idle,
    Cause.NAT: _nat,
}
