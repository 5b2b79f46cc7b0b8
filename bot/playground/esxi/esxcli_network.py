"""The network commands of esxcli: pings over the world's links, connections of copies, NICs, interfaces, routes.

Pings are drawn from dice that are seeded per host, and go faster than one a second: a play is short.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from bot.playground.esxi.esxcli import CliError, Flow, Order, Reply, Row, command
from bot.playground.esxi.machine import DEFAULT_STACK, Interface, Uplink

_HEADERS = 28
"""What IP and ICMP add to the size that a ping is given."""
_IP_HEADER = 20
_USUAL_PING = 56
_USUAL_COUNT = 3
_LAN = timedelta(microseconds=180)
_GIVES_UP_AFTER = timedelta(milliseconds=200)
_TYPES = {"ip", "tcp", "udp", "all"}
_RULESETS = {
    "sshServer": False, "sshClient": False, "nfsClient": False, "dhcp": True, "dns": True, "snmp": True,
    "ntpClient": True, "CIMHttpServer": True, "CIMHttpsServer": True, "CIMSLP": True, "iSCSI": False,
    "vpxHeartbeats": True, "updateManager": True, "faultTolerance": True, "webAccess": True, "vMotion": True,
    "vSphereClient": True, "NFC": True, "HBR": True, "ftpClient": False, "httpClient": False, "syslog": False,
    "DVSSync": True, "IKED": False, "esxupdate": False,
}  # fmt: skip
"""Rule sets of a host as it is installed; outbound SSH and HTTP are closed (VMware Ports and Protocols)."""


@command("network.diag", "ping", "host", "count", "size", "df", "interface", "netstack", "interval", "ttl", "wait",
         "ipv4", "ipv6", "debug", "nexthop")  # fmt: skip
def ping(order: Order) -> Reply:
    """Send echo requests. RoundtripMinMS and its kin are microseconds, whatever their names say: see the notes."""
    address = _looked_up(order, order.required("host"))
    count = order.number("count", _USUAL_COUNT, least=1)
    packet = order.number("size", _USUAL_PING) + _HEADERS
    interface = _leaving_by(order, address)
    whole = order.flag("df")
    if whole and packet > interface.mtu:
        raise CliError("sendto() failed (Message too long)")
    way = order.around.way(interface, address)
    fragments = max(-(-(packet - _HEADERS) // (interface.mtu - _HEADERS)), 1)
    lost = 1 - (1 - way.loss) ** fragments if way.answers and not (whole and packet > way.mtu) else 1.0
    dice = order.machine.dice
    base = max(way.rtt, _LAN) / timedelta(microseconds=1)
    times = {n: int(base * dice.uniform(1.0, 1.12)) for n in range(count) if dice.random() >= lost}
    trace = [_echo(address, n, packet=packet, took=took) for n, took in times.items()]
    summary = {
        "Duplicated": 0,
        "HostAddr": address,
        "PacketLost": round(100 * (count - len(times)) / count),
        "Recieved": len(times),
        "RoundtripAvgMS": sum(times.values()) // len(times) if times else 0,
        "RoundtripMaxMS": max(times.values(), default=0),
        "RoundtripMinMS": min(times.values(), default=0),
        "Transmitted": count,
    }
    busy = max(way.rtt, _LAN) * 2 if times else _GIVES_UP_AFTER
    return Reply([{"Summary": summary, "Trace": trace}], "VimEsxCLInetworkdiagpingPingOutput", busy)


def _looked_up(order: Order, name: str) -> str:
    found = order.around.look_up(name)
    if found is None:
        raise CliError(f"Unknown host {name}")  # invented: which words a release has for it is not published
    return found


def _echo(address: str, number: int, *, packet: int, took: int) -> Row:
    return {
        "Detail": "",
        "Dup": False,
        "Host": address,
        "ICMPSeq": number,
        "ReceivedBytes": packet - _IP_HEADER,
        "RoundtripTimeMS": took,
        "TTL": 64,
    }


def _leaving_by(order: Order, address: str) -> Interface:
    """Return the interface that a ping leaves by: the one that is named, of the stack that is named."""
    machine, name, stack = order.machine, order.text("interface"), order.text("netstack")
    if stack is not None and stack not in machine.stacks:
        raise CliError(f"Unable to find TCP/IP stack instance {stack}: Not found")
    here = [interface for interface in machine.interfaces if interface.stack == (stack or DEFAULT_STACK)]
    if name is not None:
        found = next((interface for interface in here if interface.name == name), None)
        if found is None:  # it may exist in another stack, which this ping does not look into
            raise CliError(f"Unknown interface '{name}': Invalid argument")
        return found
    return next((interface for interface in here if _near(interface, address)), here[0])


def _near(interface: Interface, address: str) -> bool:
    return address.replace(".", "").isdecimal() and address.count(".") == 3 and interface.shares_wire_with(address)  # noqa: PLR2004 - dots of IPv4


@command("network.ip.connection", "list", "type", "netstack")
def connections(order: Order) -> Reply:
    """List the connections of one stack, of the default one if none is named. Services listen in all of them."""
    kind = order.text("type") or "all"
    if kind not in _TYPES:
        raise CliError("Invalid data constraint for parameter 'type'.")
    here = {interface.address: interface.stack for interface in _chosen(order)}
    stack = order.text("netstack") or DEFAULT_STACK
    rows: list[Row] = []
    if kind != "udp":
        flows = [flow for flow in order.around.flows() if here.get(flow.local.rpartition(":")[0], "") == stack]
        rows += [_connection("tcp", flow, flow.state) for flow in flows]
        rows += [_connection("tcp", flow, "LISTEN") for flow in _listening(order)]
    if kind != "tcp":
        rows.append(_connection("udp", Flow("0.0.0.0:123", "0.0.0.0:0", 0, "ntpd"), ""))
    return Reply(rows, "VimEsxCLInetworkipconnectionlistIpConnection")


def _listening(order: Order) -> Iterator[Flow]:
    modern = int(order.machine.logs.version.partition(".")[0]) >= 8  # noqa: PLR2004 - from 8.0 on nfcd owns 902 (KB 420991)
    if order.around.nfc_listens or not modern:
        yield Flow("0.0.0.0:902", "0.0.0.0:0", 0, "nfcd" if modern else "busybox")
    for local, world in (
        ("0.0.0.0:443", "envoy" if modern else "rhttpproxy"),
        ("0.0.0.0:8000", ""),
        ("127.0.0.1:8307", "hostd-worker"),
        ("127.0.0.1:8089", "vpxa-worker"),
    ):
        yield Flow(local, "0.0.0.0:0", 0, world)


def _connection(protocol: str, flow: Flow, state: str) -> Row:
    return {
        "CCAlgo": "newreno" if protocol == "tcp" else "",
        "ForeignAddress": flow.foreign,
        "LocalAddress": flow.local,
        "Proto": protocol,
        "RecvQ": 0,
        "SendQ": flow.queued,
        "State": state,
        "WorldID": 2_098_900 + len(flow.world),
        "WorldName": flow.world,
    }


@command("network.nic", "list")
def nics(order: Order) -> Reply:
    return Reply([_nic(uplink) for uplink in order.machine.uplinks], "VimEsxCLInetworkniclistNIC")


def _nic(uplink: Uplink) -> Row:
    state = "Up" if uplink.up else "Down"
    return {
        "AdminStatus": "Up",
        "Description": "Intel(R) Ethernet Controller X710 for 10GbE SFP+",
        "Driver": "i40en",
        "Duplex": "Full" if uplink.up else "Half",
        "Link": state,
        "LinkStatus": state,
        "MACAddress": uplink.mac,
        "MTU": 1500,
        "Name": uplink.name,
        "PCIDevice": uplink.pci,
        "Speed": uplink.speed if uplink.up else 0,
    }


@command("network.nic.stats", "get", "nicname")
def nic_stats(order: Order) -> Reply:
    """Count what a NIC has seen. Loss on the way between sites is not among it: only a sick NIC or cable is."""
    name = order.required("nicname")
    uplink = order.machine.uplink(name)
    if uplink is None:
        raise CliError(f"Could not find NIC {name}")
    order.machine.count_traffic(order.around.now, copied=order.around.copied())
    received, sent, damaged = int(uplink.received), int(uplink.sent), int(uplink.crc_errors)
    still = dict.fromkeys(("Receiveframeerrors", "ReceiveFIFOerrors", "Receivemissederrors", "Totaltransmiterrors",
                           "Transmitabortederrors", "Transmitcarriererrors", "TransmitFIFOerrors",
                           "Transmitheartbeaterrors", "Transmitwindowerrors"), 0)  # fmt: skip
    row: Row = {
        "Broadcastpacketsreceived": received // 50,
        "Broadcastpacketssent": sent // 200,
        "Bytesreceived": received * 900,
        "Bytessent": sent * 900,
        "Multicastpacketsreceived": received // 80,
        "Multicastpacketssent": sent // 400,
        "NICName": name,
        "Packetsreceived": received,
        "Packetssent": sent,
        "ReceiveCRCerrors": damaged,
        "Receivelengtherrors": 0,
        "Receiveovererrors": 0,
        "Receivepacketsdropped": damaged // 20,
        "Totalreceiveerrors": damaged,
        "Transmitpacketsdropped": 0,
        **still,
    }
    return Reply([row], "VimEsxCLInetworknicstatsgetNICStats")


def _chosen(order: Order) -> list[Interface]:
    """Return the interfaces of the stack that is named, or of the default one."""
    stack = order.text("netstack")
    if stack is not None and stack not in order.machine.stacks:
        raise CliError(f"Unable to find TCP/IP stack instance {stack}: Not found")
    return [interface for interface in order.machine.interfaces if stack is None or interface.stack == stack]


@command("network.ip.interface", "list", "netstack")
def interfaces(order: Order) -> Reply:
    rows: list[Row] = [
        {
            "Enabled": True,
            "ExternalID": "N/A",
            "MACAddress": interface.mac,
            "MTU": interface.mtu,
            "Name": interface.name,
            "NetstackInstance": interface.stack,
            "OpaqueNetworkID": "N/A",
            "OpaqueNetworkType": "N/A",
            "PortID": 67_108_873 + index,
            "Portgroup": interface.portgroup,
            "Portset": "vSwitch0",
            "RXDispQueueSize": 2,
            "TSOMSS": 65_535,
            "VDSConnection": 0,
            "VDSName": "N/A",
            "VDSPort": "N/A",
            "VDSUUID": "N/A",
        }
        for index, interface in enumerate(_chosen(order))
    ]
    return Reply(rows, "VimEsxCLInetworkipinterfacelistNetworkInterface")


@command("network.ip.interface.ipv4", "get", "interfacename", "netstack")
def addresses(order: Order) -> Reply:
    name = order.text("interfacename")
    chosen = [interface for interface in _chosen(order) if name in {None, interface.name}]
    if not chosen:
        raise CliError(f"Interface {name} not found")
    rows: list[Row] = [
        {
            "AddressType": "STATIC",
            "DHCPDNS": False,
            "Gateway": interface.gateway,
            "IPv4Address": interface.address,
            "IPv4Broadcast": interface.broadcast,
            "IPv4Netmask": interface.netmask,
            "Name": interface.name,
        }
        for interface in chosen
    ]
    return Reply(rows, "VimEsxCLInetworkipinterfaceipv4getIPv4Interface")


@command("network.ip.netstack", "list")
def stacks(order: Order) -> Reply:
    rows: list[Row] = [{"Key": stack, "Name": stack, "State": 4660} for stack in order.machine.stacks]
    return Reply(rows, "VimEsxCLInetworkipnetstacklistNetStack")


@command("network.ip.route.ipv4", "list", "netstack")
def routes(order: Order) -> Reply:
    stack = order.text("netstack") or DEFAULT_STACK
    if stack not in order.machine.stacks:
        raise CliError(f"Unable to find TCP/IP stack instance {stack}: Not found")
    rows: list[Row] = [
        {
            "Gateway": route.gateway,
            "Interface": route.interface,
            "Netmask": route.netmask,
            "Network": route.network,
            "Source": "MANUAL",
        }
        for of_stack, route in order.machine.routes
        if of_stack == stack
    ]
    return Reply(rows, "VimEsxCLInetworkiprouteipv4listIPv4Route")


@command("network.firewall.ruleset", "list", "rulesetid")
def rulesets(order: Order) -> Reply:
    wanted = order.text("rulesetid")
    if wanted is not None and wanted not in _RULESETS:
        raise CliError(f"Invalid Ruleset Id {wanted}")
    rows: list[Row] = [
        {"Enabled": enabled, "Name": name} for name, enabled in _RULESETS.items() if wanted in {None, name}
    ]
    return Reply(rows, "VimEsxCLInetworkfirewallrulesetlistRuleset")
