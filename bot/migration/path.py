"""The way that the data of a cold copy takes between two hosts, and how it is predicted. Pure.

What is known of it publicly is KB 340170, with five scenarios, and the vSphere 8 docs of Unified Data Transport (UDT).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.migration.facts import HostFacts, Vmk

PROVISIONING: Final = "vSphereProvisioning"
"""The service, and the name of the stack that may be there for it alone."""

VMOTION: Final = "vmotion"
MANAGEMENT: Final = "management"
NFC_PORT: Final = 902
VMOTION_PORT: Final = 8000
UDT_SINCE: Final = 8
"""The release of ESXi that both ends need for UDT."""


class PathKind(StrEnum):
    """Who carries the data: UDT over vMotion's interface on TCP 8000, or NFC on TCP 902 (KB 340170)."""

    UDT = "udt"
    NFC_PROVISIONING = "nfc-provisioning"
    NFC_MANAGEMENT = "nfc-management"


@dataclass(frozen=True, slots=True)
class Leg:
    """One connection of a copy: from an interface of the source to one of the destination, at a TCP port there."""

    source: Vmk
    target: Vmk
    port: int


@dataclass(frozen=True, slots=True)
class DataPath:
    """What is predicted. `data` carries the bytes; `control` is NFC on 902, the same leg unless it is UDT.

    `why`: a sentence with the reason, and a source for it; `doubt`: what would make it untrue, or empty.
    """

    kind: PathKind
    data: Leg
    control: Leg
    why: str
    doubt: str = ""

    @property
    def words(self) -> str:
        """`UDT via vmk2`, `NFC via vmk1`: what people call it."""
        return f"{'UDT' if self.kind is PathKind.UDT else 'NFC'} via {self.data.source.device}"


def predict_path(source: HostFacts, target: HostFacts) -> DataPath | None:
    """The path of a cold copy between these hosts; None where their interfaces are not known."""
    near, far = management_of(source), management_of(target)
    if near is None or far is None:
        return None
    ours, theirs = serving(source, PROVISIONING), serving(target, PROVISIONING)
    if ours is None and theirs is None:
        return _nfc(
            PathKind.NFC_MANAGEMENT,
            near,
            far,
            why="neither host has a provisioning interface, so the copy shares the management network"
            " (KB 340170, scenario 1).",
        )
    if ours is None or theirs is None:
        return _lopsided(source, target, ours=ours, theirs=theirs)
    return _udt(source, target, ours, theirs) or _provisioned(source, target, ours, theirs)


def serving(host: HostFacts, service: str) -> Vmk | None:
    """The interface of a host that carries a service: selected for it, or in the stack of that name."""
    return next((v for v in host.interfaces if v.address and (service in v.services or v.netstack == service)), None)


def management_of(host: HostFacts) -> Vmk | None:
    """vmk0, as KB 340170 calls it; on a host without one the first that carries management."""
    usable = [vmk for vmk in host.interfaces if vmk.address]
    return next((vmk for vmk in usable if vmk.device == "vmk0"), None) or serving(host, MANAGEMENT)


def reaches(host: HostFacts, vmk: Vmk, other: Vmk) -> bool:
    """Whether packets to the other interface leave by this one: it is in the subnet, or the route's gateway is.

    The default route of the default stack leaves by vmk0, so it does not count for an interface beside it.
    """
    if _same_subnet(vmk, other):
        return True
    if vmk.gateway and _is_in_subnet(vmk, vmk.gateway):
        return True
    address = _address(other.address)
    fitting = [
        (route.prefix, route.gateway)
        for route in host.routes
        if route.netstack == vmk.netstack and address is not None and _covers(route.network, route.prefix, address)
    ]
    return bool(fitting) and _is_in_subnet(vmk, max(fitting)[1])


def _nfc(kind: PathKind, source: Vmk, target: Vmk, *, why: str, doubt: str = "") -> DataPath:
    leg = Leg(source, target, NFC_PORT)
    return DataPath(kind, leg, leg, why, doubt)


def _provisioned(source: HostFacts, target: HostFacts, ours: Vmk, theirs: Vmk) -> DataPath | None:
    """NFC between hosts that both have a provisioning interface: over these, or from vmk0 where no route leads."""
    if reaches(source, ours, theirs):
        scenario = 2 if _same_subnet(ours, theirs) else 3
        why = f"both hosts have a provisioning interface (KB 340170, scenario {scenario})."
        back = "" if reaches(target, theirs, ours) else f"{target.name} has no route back from {theirs.device}."
        return _nfc(PathKind.NFC_PROVISIONING, ours, theirs, why=why, doubt=back)
    near = management_of(source)
    if near is None:
        return None
    return _nfc(
        PathKind.NFC_MANAGEMENT,
        near,
        theirs,
        why=f"{source.name} has no route from {ours.device} to {theirs.address}, and falls back to {near.device}"
        " (KB 340170, scenario 4).",
        doubt='Where no router knows the way either, it fails at 23 % with "Cannot connect to host" (scenario 5).',
    )


def _udt(source: HostFacts, target: HostFacts, ours: Vmk, theirs: Vmk) -> DataPath | None:
    """UDT, where both releases have it and both hosts a vMotion interface. NFC controls it, as it would copy."""
    sends, takes = serving(source, VMOTION), serving(target, VMOTION)
    control = _provisioned(source, target, ours, theirs)
    if _major(source) < UDT_SINCE or _major(target) < UDT_SINCE or not (sends and takes and control):
        return None
    falls_back = control.kind is PathKind.NFC_MANAGEMENT
    return DataPath(
        PathKind.UDT,
        Leg(sends, takes, VMOTION_PORT),
        control.data,
        why=f"both hosts are {UDT_SINCE}.0 or newer and have the provisioning service enabled (KB 340170).",
        doubt=f"For its control {control.why} {control.doubt}" if falls_back else control.doubt,
    )


def _lopsided(source: HostFacts, target: HostFacts, *, ours: Vmk | None, theirs: Vmk | None) -> DataPath | None:
    """One host has a provisioning interface and the other has none, which no scenario of the KB describes."""
    near, far = management_of(source), management_of(target)
    if near is None or far is None:
        return None
    has, lacks = (source, target) if ours else (target, source)
    sends = ours if ours is not None and reaches(source, ours, far) else near
    return _nfc(
        PathKind.NFC_PROVISIONING if sends is ours else PathKind.NFC_MANAGEMENT,
        sends,
        theirs or far,
        why=f"{has.name} has a provisioning interface and {lacks.name} has none.",
        doubt="KB 340170 does not describe such a pair: it is a guess.",
    )


def _major(host: HostFacts) -> int:
    found = re.match(r"\d+", host.version)
    return int(found[0]) if found else 0


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_in_subnet(vmk: Vmk, address: str) -> bool:
    found = _address(address)
    try:
        return found is not None and found in ipaddress.ip_interface(f"{vmk.address}/{vmk.netmask}").network
    except ValueError:  # no netmask was told
        return False


def _same_subnet(one: Vmk, other: Vmk) -> bool:
    return _is_in_subnet(one, other.address) and _is_in_subnet(other, one.address)


def _covers(network: str, prefix: int, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(f"{network}/{prefix}", strict=False)
    except ValueError:
        return False
