"""Commands for a capture on both ends at once, bounded in size, with the real interfaces and addresses. Pure.

KB 377768 has the ring; pktcap-uw hands its packets on to tcpdump-uw, which every release has and which keeps a ring of
so many files of so many megabytes. Headers are enough, and keep what was copied out of the files.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Final

from bot.migration.path import Leg
from bot.migration.plan import Place, Plan
from bot.operations.evidence_pack import Command

FILES: Final = 10
MEGABYTES: Final = 100
HEADERS: Final = 128
"""Bytes of each packet: Ethernet, VLAN, IP and TCP with its options fit."""

STOP: Final = "kill $(lsof | awk '/pktcap-uw/ {print $1}' | sort -u)"

ABOUT: Final = (
    "Start both within a minute of each other, then start a copy, or wait for the next one. Each writes a ring of "
    f"{FILES} files of {MEGABYTES} MB and no more, headers alone ({HEADERS} bytes of each packet). Stop both as soon "
    "as a copy has failed: a ring forgets what is older than its size. Compare the clocks of both hosts then. It takes "
    "a shell on the hosts; options differ between releases, and pktcap-uw -h tells which there are."
)


def capture_commands(plan: Plan) -> Sequence[Command]:
    """Both ends' commands; empty where the interfaces are not known."""
    if plan.path is None:
        return ()
    leg = plan.path.data
    return (
        *_on(plan.source, leg.source.device, leg.target.address, leg),
        *_on(plan.target, leg.target.device, leg.source.address, leg),
    )


def _on(place: Place, device: str, peer: str, leg: Leg) -> tuple[Command, ...]:
    file = f"/vmfs/volumes/{place.datastore}/capture-{place.host.partition('.')[0]}-{device}.pcap"
    flow = f"--ip {shlex.quote(peer)} --tcpport {leg.port}"
    capture = (
        f"pktcap-uw --vmk {shlex.quote(device)} --dir 2 {flow} -s {HEADERS} -o - | "
        f"tcpdump-uw -n -r - -C {MEGABYTES} -W {FILES} -w {shlex.quote(file)}"
    )
    where = f"{place.host}, {place.site or place.datacenter}"
    return (
        Command(f"{where}: the clock, then the capture", f"esxcli system time get; {capture}"),
        Command(f"{where}: how to stop it", STOP),
    )
