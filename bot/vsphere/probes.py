"""What hosts say of the network by esxcli, in domain types: pings, connections, uplinks. Looks; judges nothing.

Odd names are the real ones' (`Recieved`). Round trips are taken for microseconds although their names end in `MS`:
of the published replies one has 512 and one 0, and nobody could compare yet (docs/verify.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from bot.diagnosis.facts import DEFAULT_STACK
from bot.migration.facts import Vmk
from bot.migration.measured import Connection, NicCounters, Pings, port_of
from bot.migration.path import Leg
from bot.vsphere.esxcli import KIND, Esxcli, Row, rows_of
from bot.vsphere.port import FaultError
from bot.vsphere.session import Connected

INTERVAL: Final = timedelta(milliseconds=100)
"""Between two packets of one ping. 200 of them take 20 s: enough to meet a bad second, and short enough to wait for."""

_HEADERS: Final = 28
_LONGEST: Final = 64
_TOO_LONG: Final = "message too long"
_UNKNOWN_NAME: Final = ("unknown host", "not known", "resolve", "resolution", "lookup", "look up", "no address")
"""Words of the libc and of ping for a name without an address; which of them a release says is not published."""


def time_for(count: int) -> timedelta:
    """How long so many packets take to send."""
    return INTERVAL * max(count - 1, 0)


def ping(esxcli: Esxcli, connected: Connected, host: str, leg: Leg, *, count: int, size: int, whole: bool) -> Pings:
    """Send echo requests as `HostProbes.ping` says."""
    given = {"count": count, "size": max(size - _HEADERS, 0), "df": whole, "interval": f"{INTERVAL.total_seconds():g}"}
    try:
        summary = _summary(esxcli, connected, host, {"host": leg.target.address, **given, **_leaving_by(leg.source)})
    except FaultError as error:
        if error.kind == KIND and _TOO_LONG in str(error).lower():
            return Pings(sent=0, received=0, size=size, whole=whole, too_long=True)
        raise
    sent, received = _count(summary, "transmitted"), _count(summary, "recieved", "received")
    return Pings(
        sent=sent,
        received=min(received, sent),  # an answer that came twice is not two
        size=size,
        whole=whole,
        rtt_min=_round_trip(summary, "roundtripminms") if received else None,
        rtt_avg=_round_trip(summary, "roundtripavgms") if received else None,
        rtt_max=_round_trip(summary, "roundtripmaxms") if received else None,
    )


def resolves(esxcli: Esxcli, connected: Connected, host: str, name: str) -> bool:
    """Ping a name once: whoever can say that nobody answered has found an address."""
    try:
        _summary(esxcli, connected, host, {"host": name, "count": 1})
    except FaultError as error:
        if error.kind == KIND and any(word in str(error).lower() for word in _UNKNOWN_NAME):
            return False
        raise
    return True


def connections(
    esxcli: Esxcli, connected: Connected, host: str, *, ports: Sequence[int], netstack: str
) -> list[Connection]:
    """Return TCP connections as `HostProbes.connections` says."""
    stack = {} if netstack == DEFAULT_STACK else {"netstack": netstack}
    reply = esxcli.run(connected, host, "network ip connection list", given={"type": "tcp", **stack})
    rows = [_plain(row) for row in rows_of(reply)]
    # Asked for TCP alone, govmomi's simulator lists UDP too; who knows which release of ESXi does.
    found = (_connection(host, row) for row in rows if str(row.get("proto", "tcp")).lower().startswith("tcp"))
    return [one for one in found if {port_of(one.local), port_of(one.foreign)} & set(ports)]


def nic_counters(esxcli: Esxcli, connected: Connected, host: str) -> list[NicCounters]:
    """Return the counters of all uplinks, in the host's order; one that is down and keeps none is left out."""
    found = []
    for nic in map(_plain, rows_of(esxcli.run(connected, host, "network nic list"))):
        name, up = str(nic.get("name", "")), str(nic.get("linkstatus") or nic.get("link") or "").lower() == "up"
        try:
            found.append(_counters(esxcli, connected, host, name, up=up))
        except FaultError as error:
            if up or error.kind != KIND:
                raise
    return found


def _counters(esxcli: Esxcli, connected: Connected, host: str, name: str, *, up: bool) -> NicCounters:
    rows = rows_of(esxcli.run(connected, host, "network nic stats get", given={"nicname": name}))
    stats = _plain(rows[0]) if rows else {}
    return NicCounters(
        host=host,
        nic=name,
        up=up,
        received=_count(stats, "packetsreceived"),
        sent=_count(stats, "packetssent"),
        receive_errors=_count(stats, "totalreceiveerrors"),
        crc_errors=_count(stats, "receivecrcerrors"),
        receive_dropped=_count(stats, "receivepacketsdropped"),
        transmit_dropped=_count(stats, "transmitpacketsdropped"),
        transmit_errors=_count(stats, "totaltransmiterrors"),
    )


def _leaving_by(source: Vmk) -> dict[str, str]:
    """By the interface; with the stack where it is in one of its own, for a ping does not look into others."""
    interface = {"interface": source.device} if source.device else {}
    return interface | ({} if source.netstack in {"", DEFAULT_STACK} else {"netstack": source.netstack})


def _summary(esxcli: Esxcli, connected: Connected, host: str, given: dict[str, object]) -> Row:
    rows = rows_of(esxcli.run(connected, host, "network diag ping", given=given))
    summary = _plain(rows[0]).get("summary") if rows else None
    if not isinstance(summary, dict):
        raise FaultError(f"The ping of {host} came back without a summary.", kind=KIND)
    return _plain(summary)


def _connection(host: str, row: Row) -> Connection:
    return Connection(
        host=host,
        local=_text(row, "localaddress"),
        foreign=_text(row, "foreignaddress"),
        state=_text(row, "state"),
        send_queue=_count(row, "sendq"),
        receive_queue=_count(row, "recvq"),
        world=_text(row, "worldname"),
    )


def _text(row: Row, name: str) -> str:
    """Return a short text: whatever a host sends here ends up in a job's record."""
    return str(row.get(name, ""))[:_LONGEST]


def _plain(row: Row) -> dict[str, Any]:
    """Return a row by names in lower case: releases have not always agreed on capitals."""
    return {name.lower(): value for name, value in row.items()}


def _round_trip(summary: Row, name: str) -> timedelta | None:
    return timedelta(microseconds=_count(summary, name)) if name in summary else None


def _count(row: Row, *names: str) -> int:
    """Return the number under the first of these names. FaultError where there is none: missing is not zero."""
    text = next((str(row[name]) for name in names if name in row), "")
    if not text.isdecimal():
        raise FaultError(f"The reply of esxcli has no number under {names[0]}.", kind=KIND)
    return int(text)
