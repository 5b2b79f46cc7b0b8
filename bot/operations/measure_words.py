"""A measurement in words for people: what was measured, from which interface, counts with their intervals. No verdict:
what it means for a failure is said elsewhere, with the reasons.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from bot.migration.intervals import in_words
from bot.migration.measured import Connection, NicCounters, PathMeasurement, Pings, When
from bot.migration.path import Leg, PathKind
from bot.slack.port import Section

WHEN: Final = {
    When.BEFORE: "before the copy",
    When.DURING: "while the copy ran",
    When.AFTER: "after the copy",
    When.ASKED: "because somebody asked",
}

LIMITS: Final = (
    "Whether a port is open on the way cannot be measured from a host: esxcli makes no TCP connection. That the"
    " destination listens says that its service runs, and not that anything reaches it. Packets are ICMP: a network may"
    " treat TCP otherwise."
)

_MOST_LINES: Final = 12
_SECOND: Final = timedelta(seconds=1)


def in_a_sentence(measured: PathMeasurement) -> str:
    """The whole of it for a notification."""
    way = f"{measured.source_host} to {measured.target_host}"
    if measured.small is None:
        return f"Nothing could be measured from {way}: {' '.join(measured.unread) or 'no packet was sent.'}"
    by = f" ({measured.path.words})" if measured.path else ""
    size = "" if measured.full is None else f"; full size, {_in_short(measured.full)}"
    return f"Measured from {way}{by}: small packets, {in_words(measured.small.lost, measured.small.sent)}{size}."


def flow_in_a_sentence(measured: PathMeasurement) -> str:
    """What a look at a copy that slows down saw: its connections, and small packets. Empty: nothing could be seen."""
    seen = [f"{one.local} to {one.foreign} is {one.state}, {_waiting(one)}" for one in _of_sender(measured)]
    if measured.small is not None:
        seen.append(f"small packets: {in_words(measured.small.lost, measured.small.sent)}")
    return f"{'; '.join(seen)}." if seen else ""


def _of_sender(measured: PathMeasurement) -> Iterator[Connection]:
    return (one for one in measured.own_connections if one.host == measured.source_host)


def sections(measured: PathMeasurement) -> tuple[Section, ...]:
    """The parts of a reply; those of which nothing is known are left out."""
    parts = (
        Section("Packets", _what(measured), tuple(_packets(measured))),
        Section("Connections on TCP 902 and 8000", lines=tuple(_connections(measured))),
        Section("Network cards", lines=tuple(_nics(measured))),
        Section("Names and listeners", lines=tuple(_names(measured))),
        Section("Could not be looked at", lines=measured.unread),
        Section("What this cannot show", LIMITS if measured.listening else ""),
    )
    return tuple(part for part in parts if part.text or part.lines)


def _what(measured: PathMeasurement) -> str:
    at = f"{measured.at:%Y-%m-%d %H:%M:%S} UTC, {WHEN[measured.when]}"
    if measured.path is None:
        return f"{at}. From {measured.source_host} to the name {measured.target_host}; the path is not known."
    return f"{at}. {measured.path.words}: {_way(measured.path.data)}."


def _way(leg: Leg) -> str:
    stack = f", stack {leg.source.netstack}" if leg.source.netstack != "defaultTcpipStack" else ""
    return f"{leg.source.device} {leg.source.address}{stack}, to {leg.target.device} {leg.target.address}"


def _packets(measured: PathMeasurement) -> Iterator[str]:
    for pings in (measured.small, measured.full):
        if pings is not None:
            yield _line(pings)
    if measured.sizes:
        yield _largest(measured)
    if measured.control is not None and measured.path is not None:
        yield f"control of NFC, {_way(measured.path.control)}: {_line(measured.control)}"


def _line(pings: Pings) -> str:
    times = [time for time in (pings.rtt_min, pings.rtt_avg, pings.rtt_max) if time is not None]
    trip = f"; round trip {'/'.join(f'{time / _SECOND * 1000:.3g}' for time in times)} ms" if times else ""
    return f"{pings.size} bytes{', not to be fragmented' if pings.whole else ''}: {_in_short(pings)}{trip}"


def _in_short(pings: Pings) -> str:
    if pings.too_long:
        return "not sent: larger than its interface takes, or than the host has learnt of the path"
    return in_words(pings.lost, pings.sent)


def _largest(measured: PathMeasurement) -> str:
    passes, stops = measured.passes_whole, measured.stops_whole
    if passes is None:
        return f"no size passes whole; the smallest that was tried has {stops} bytes"
    return f"{passes} bytes is the largest tried that passes whole" + (f"; {stops} does not" if stops else "")


def _connections(measured: PathMeasurement) -> Iterator[str]:
    own = measured.own_connections
    yield from (_connection(one) for one in own[:_MOST_LINES])
    if others := len(measured.connections) - len(own):
        yield f"{others} of others (backups, replication, other copies), or not known to be this copy's"


def _connection(one: Connection) -> str:
    return f"{one.host}: {one.local} to {one.foreign} {one.state}, {_waiting(one)}"


def _waiting(one: Connection) -> str:
    return f"{one.send_queue} bytes wait to be sent" if one.send_queue else "nothing waits to be sent"


def _nics(measured: PathMeasurement) -> Iterator[str]:
    deltas = {(one.host, one.nic): one for one in measured.nic_deltas()}
    for nic in measured.nics[:_MOST_LINES]:
        link = "up" if nic.up else "DOWN"
        yield f"{nic.host} {nic.nic} {link}: since it booted {_counted(nic)}{_lately(measured, deltas, nic)}"


def _lately(measured: PathMeasurement, deltas: dict[tuple[str, str], NicCounters], nic: NicCounters) -> str:
    delta = deltas.get((nic.host, nic.nic))
    if delta is None or measured.nics_apart is None:
        return ""
    span = f"{measured.nics_apart / _SECOND:.0f} s"
    return f"; of the {delta.received} packets received in the last {span} {_counted(delta)}"


def _counted(nic: NicCounters) -> str:
    if not nic.faults:
        return "none damaged or dropped"
    return f"{nic.crc_errors} CRC errors, {nic.receive_errors + nic.transmit_errors} errors, {_dropped(nic)} dropped"


def _dropped(nic: NicCounters) -> int:
    return nic.receive_dropped + nic.transmit_dropped


def _names(measured: PathMeasurement) -> Iterator[str]:
    ends = (measured.source_host, measured.target_host)
    for host, other in (ends, ends[::-1]):
        if host in measured.resolves:
            yield f"{host} {'finds' if measured.resolves[host] else 'does NOT find'} the address of {other}"
    for port, listens in sorted(measured.listening.items()):
        udt = measured.path is not None and measured.path.kind is PathKind.UDT and port == measured.path.data.port
        what = "data of UDT" if udt else "NFC"
        yield f"{measured.target_host} {'listens' if listens else 'does NOT listen'} on TCP {port} ({what})"
