"""What is known of the hosts of a copy beside their logs: versions, interfaces, and how wrong their clocks are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from bot.diagnosis.facts import HostFacts
from bot.errors import OutsideError
from bot.vsphere.port import FaultError, Scene

_HOST_AWAY: Final = ("vmodl.fault.HostNotConnected", "vmodl.fault.HostNotReachable", "vmodl.fault.HostCommunication")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`offsets`: how far clocks are ahead of their vCenter's; `unread`: what could not be learned, a sentence each.

    `silent`: hosts that did not answer at all, with what came instead.
    """

    hosts: tuple[HostFacts, ...] = ()
    offsets: dict[str, timedelta] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    silent: dict[str, OutsideError] = field(default_factory=dict)


async def surroundings(scene: Scene, hosts: Sequence[str]) -> Surroundings:
    """Ask about these hosts of one vCenter, all at once. Never raises for the world: what is missing is told."""
    clocks_told = asyncio.gather(*(_offset(scene, host) for host in hosts))
    (facts, unread), clocks = await asyncio.gather(_described(scene, hosts), clocks_told)
    told = dict(zip(hosts, clocks, strict=True))
    errors = {host: answer for host, answer in told.items() if isinstance(answer, OutsideError)}
    return Surroundings(
        hosts=facts,
        offsets={host: answer for host, answer in told.items() if isinstance(answer, timedelta) and answer},
        unread=(*unread, *(f"The clock of {host}: {error}" for host, error in errors.items())),
        silent={host: error for host, error in errors.items() if _is_away(error)},
    )


def _is_away(error: OutsideError) -> bool:
    """Only the host knows its time: without any answer of vCenter's own, it is the host that did not answer."""
    return not isinstance(error, FaultError) or error.kind in _HOST_AWAY


async def _described(scene: Scene, hosts: Sequence[str]) -> tuple[tuple[HostFacts, ...], tuple[str, ...]]:
    try:
        return tuple(await scene.describe_hosts(hosts)), ()
    except OutsideError as error:
        return (), (f"The interfaces of {' and '.join(hosts)}: {error}",)


async def _offset(scene: Scene, host: str) -> timedelta | OutsideError:
    try:
        return await scene.clock_offset(host)
    except OutsideError as error:
        return error
