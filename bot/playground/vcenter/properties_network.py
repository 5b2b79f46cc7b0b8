"""How a host's interfaces, NICs and TCP/IP stacks look in the property collector: `config.network` and its services."""

from __future__ import annotations

from ipaddress import IPv4Network

from bot.playground.esxi.machine import DEFAULT_STACK, PROVISIONING, Interface, Machine, Route, Uplink
from bot.playground.vcenter.wire import Data

_SERVICES = ("management", "vmotion", PROVISIONING)


def network_config(machine: Machine) -> Data:
    """Return HostConfigInfo.network."""
    return Data(
        "HostNetworkInfo",
        vnic=[_vnic(interface) for interface in machine.interfaces],
        pnic=[_pnic(uplink) for uplink in machine.uplinks],
        routeTableInfo=Data("HostIpRouteTableInfo", ipRoute=[_entry(route) for route in _rows(machine, DEFAULT_STACK)]),
        netStackInstance=[_stack(machine, stack) for stack in machine.stacks],
    )


def vnic_services(machine: Machine) -> Data:
    """Return HostConfigInfo.virtualNicManagerInfo: which interface serves what."""
    return Data(
        "HostVirtualNicManagerInfo",
        netConfig=[
            Data(
                "VirtualNicManagerNetConfig",
                nicType=service,
                multiSelectAllowed=True,
                candidateVnic=[_vnic(interface) for interface in machine.interfaces],
                selectedVnic=[
                    f"{service}.{_key(interface)}" for interface in machine.interfaces if service in interface.services
                ]
                or None,
            )
            for service in _SERVICES
        ],
    )


def _key(interface: Interface) -> str:
    return f"key-vim.host.VirtualNic-{interface.name}"


def _vnic(interface: Interface) -> Data:
    address = Data("HostIpConfig", dhcp=False, ipAddress=interface.address, subnetMask=interface.netmask)
    spec = Data(
        "HostVirtualNicSpec", ip=address, mac=interface.mac, mtu=interface.mtu, netStackInstanceKey=interface.stack
    )
    return Data("HostVirtualNic", device=interface.name, key=_key(interface), portgroup=interface.portgroup, spec=spec)


def _pnic(uplink: Uplink) -> Data:
    speed = Data("PhysicalNicLinkInfo", speedMb=uplink.speed, duplex=True) if uplink.up else None
    return Data(
        "PhysicalNic",
        key=f"key-vim.host.PhysicalNic-{uplink.name}",
        device=uplink.name,
        pci=uplink.pci,
        driver="i40en",
        linkSpeed=speed,
        wakeOnLanSupported=False,
        mac=uplink.mac,
    )


def _stack(machine: Machine, stack: str) -> Data:
    first = next(interface for interface in machine.interfaces if interface.stack == stack)
    device = None if stack == DEFAULT_STACK else first.name
    route = Data("HostIpRouteConfig", defaultGateway=first.gateway, gatewayDevice=device)
    static = [
        Data("HostIpRouteOp", changeOperation="add", route=_entry(row)) for row in _rows(machine, stack) if row.static
    ]
    table = Data("HostIpRouteTableConfig", ipRoute=static or None)
    return Data("HostNetStackInstance", key=stack, name=stack, ipRouteConfig=route, routeTableConfig=table)


def _rows(machine: Machine, stack: str) -> list[Route]:
    return [route for name, route in machine.routes if name == stack]


def _entry(route: Route) -> Data:
    """Return a row as vSphere spells it: the default route as 0.0.0.0/0."""
    default = route.network == "default"
    return Data(
        "HostIpRouteEntry",
        network="0.0.0.0" if default else route.network,  # noqa: S104 - a route, nothing is bound
        prefixLength=0 if default else IPv4Network(f"0.0.0.0/{route.netmask}").prefixlen,
        gateway=route.gateway,
        deviceName=route.interface,
    )
