"""A host's own network: its VMkernel interfaces, what they serve, and where its stacks send what is not on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, ip_network
from typing import Any, Final

from bot.migration.facts import Route, Vmk
from bot.vsphere.properties import Row

INTERFACES: Final = ("config.network.vnic", "config.virtualNicManagerInfo.netConfig")
ROUTES: Final = ("config.network.netStackInstance", "config.network.routeTableInfo")
DEFAULT_STACK: Final = "defaultTcpipStack"
ANYWHERE: Final = "0.0.0.0"  # noqa: S104 - a route, nothing is bound
_REMOVED: Final = "remove"


def interfaces_of(row: Row) -> tuple[Vmk, ...]:
    """Return the interfaces of a host that was read with `INTERFACES`, and by their gateways with `ROUTES`."""
    services = _services(row["config.virtualNicManagerInfo.netConfig"] or ())
    defaults = {route.netstack: route.gateway for route in routes_of(row) if route.prefix == 0}
    return tuple(_interface(nic, services, defaults) for nic in row["config.network.vnic"] or ())


def _interface(nic: Any, services: dict[str, list[str]], defaults: dict[str, str]) -> Vmk:
    ip, stack = nic.spec.ip, nic.spec.netStackInstanceKey or DEFAULT_STACK
    address = (ip.ipAddress if ip is not None else "") or ""
    netmask = (ip.subnetMask if ip is not None else "") or ""
    return Vmk(
        device=nic.device,
        address=address,
        netmask=netmask,
        gateway=_own_gateway(nic) or _within(address, netmask, defaults.get(stack, "")),
        mtu=int(nic.spec.mtu or 1500),
        netstack=stack,
        services=tuple(services.get(nic.device, ())),
    )


def _own_gateway(nic: Any) -> str:
    """Return the gateway that overrides the stack's for this interface alone."""
    route = nic.spec.ipRouteSpec.ipRouteConfig if nic.spec.ipRouteSpec is not None else None
    return (route.defaultGateway if route is not None else "") or ""


def _within(address: str, netmask: str, gateway: str) -> str:
    """Return the stack's gateway if this interface is the one that reaches it."""
    try:
        return gateway if IPv4Address(gateway) in ip_network(f"{address}/{netmask}", strict=False) else ""
    except ValueError:  # an interface without an address, or with one of IPv6 alone
        return ""


def _services(configs: Iterable[Any]) -> dict[str, list[str]]:
    """Map each interface to the services it is selected for. A selection is a key of ours after the service's name."""
    serving: dict[str, list[str]] = {}
    for config in configs:
        chosen = tuple(config.selectedVnic or ())
        for nic in config.candidateVnic or ():
            if any(key == nic.key or key.endswith(f".{nic.key}") for key in chosen):
                serving.setdefault(nic.device, []).append(config.nicType)
    return serving


def routes_of(row: Row) -> tuple[Route, ...]:
    """Return the routes of all stacks of a host that was read with `ROUTES`, the default ones with prefix 0.

    Networks on the wire are left out: interfaces tell them.
    """
    table = row["config.network.routeTableInfo"]
    found = [_route(DEFAULT_STACK, entry) for entry in (table.ipRoute if table is not None else None) or ()]
    for stack in row["config.network.netStackInstance"] or ():
        found += _of_stack(stack)
    return tuple(dict.fromkeys(route for route in found if route.gateway not in {"", ANYWHERE}))


def _of_stack(stack: Any) -> Iterator[Route]:
    if stack.ipRouteConfig is not None:
        yield Route(stack.key, ANYWHERE, 0, stack.ipRouteConfig.defaultGateway or "")
    static = stack.routeTableConfig.ipRoute if stack.routeTableConfig is not None else None
    yield from (_route(stack.key, one.route) for one in static or () if one.changeOperation != _REMOVED)


def _route(stack: str, entry: Any) -> Route:
    return Route(stack, entry.network, int(entry.prefixLength), entry.gateway or "")
