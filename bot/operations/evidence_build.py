"""From what a job kept to an evidence pack. Pure: the same record, controls and chart, the same pack.

Only what was counted is shown as measured; what nobody looked at is listed as not known. No text of anybody is trusted
here: whoever draws the pack makes it safe.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from bot.jobs.port import Job
from bot.migration.intervals import in_words
from bot.migration.machine import Phase
from bot.migration.measured import NicCounters, PathMeasurement, Pings
from bot.migration.path import Leg
from bot.migration.plan import Plan
from bot.migration.size import gib
from bot.operations.evidence_ask import Flow, ask_for
from bot.operations.evidence_capture import capture_commands
from bot.operations.evidence_controls import Controlled
from bot.operations.evidence_pack import Control, Count, Counter, Line, Pack, Queue, Side
from bot.operations.evidence_record import Examined, examined_of
from bot.operations.measure_words import LIMITS, WHEN
from bot.operations.record import approved_plan, copied_of, intent_of, measured_of

LINES: Final = 60
_RESET: Final = ("connection reset by peer", "econnreset", "rst packet", "tcp rst")
_ZERO: Final = timedelta()
NOT_KNOWN: Final = "not known"
RETRANSMISSIONS: Final = "Retransmissions of the copy's own TCP session: no host tells them without a capture."


@dataclass(frozen=True, slots=True)
class Material:
    """What a pack is made of beside the job: `chart` and what it shows, the controls, and the moment."""

    job: Job
    now: datetime
    controls: Sequence[Controlled] = ()
    chart: bytes | None = field(default=None, repr=False)
    chart_says: str = ""
    asked_at: datetime | None = None


def build(material: Material) -> Pack:
    """Put it together. BugError when this version cannot read the job."""
    job, plan = material.job, approved_plan(material.job)
    looks, examined, incident = measured_of(job), examined_of(job), chief_incident(job)
    broke = broke_at(job, incident)
    return Pack(
        job=job.id,
        vm=plan.request.vm.name,
        source_site=plan.source.site or plan.source.datacenter,
        target_site=plan.target.site or plan.target.datacenter,
        made_at=material.now,
        cause=str(incident.get("cause", "")),
        ask=_ask(plan, str(incident.get("cause", "")), looks, broke),
        flow=tuple(_flow(plan, looks)),
        times=tuple(_times(job, plan, incident, examined)),
        counts=tuple(count for look in looks for count in _counts(look)),
        controls=tuple(map(_control, material.controls)),
        sides=tuple(_sides(examined)),
        queues=tuple(_queues(looks)),
        counters=tuple(_counters(looks)),
        lines=tuple(_lines(incident)),
        ruled_out=tuple(_ruled_out(incident)),
        unknown=tuple(_unknown(incident, looks, material)),
        commands=capture_commands(plan),
        chart=material.chart,
        chart_says=material.chart_says,
        asked_at=material.asked_at,
    )


def chief_incident(job: Job) -> Mapping[str, Any]:
    """The verdict that was given, as the contract of diagnoses has it; empty where there was none."""
    try:
        found = json.loads(job.data.get("verdict") or "{}").get("incidents", [])
    except (ValueError, AttributeError):
        return {}
    weights = ((one.get("match") == "exact", one.get("confidence", 0), one) for one in found)
    return max(weights, key=lambda weighed: weighed[:2], default=(False, 0, {}))[2]


def broke_at(job: Job, incident: Mapping[str, Any]) -> datetime:
    """When it broke: by the log lines, else when its task was seen to have ended."""
    if said := incident.get("last") or incident.get("first"):
        return datetime.fromisoformat(str(said))
    return next((step.at for step in reversed(job.steps) if step.state is Phase.VERIFYING), job.updated)


def _ask(plan: Plan, cause: str, looks: Sequence[PathMeasurement], broke: datetime) -> Sequence[str]:
    if plan.path is None:
        way = f"from {plan.source.host} to {plan.target.host} around {broke:%Y-%m-%d %H:%M:%S} UTC"
        return (f"Please check what became of the copy {way}: drops, resets, changes of route or link state.",)
    passes = next((look.passes_whole for look in reversed(looks) if look.stops_whole), None)
    return ask_for(cause, Flow(plan.path.data, plan.source.host, plan.target.host, broke, passes))


# ---- the flow and its times


def _flow(plan: Plan, looks: Sequence[PathMeasurement]) -> Iterator[tuple[str, str]]:
    yield "Copy", f"{plan.request.vm.name}, {gib(plan.size)}, {plan.source.host} to {plan.target.host}"
    if plan.path is None:
        yield "Path", "not known: the hosts' interfaces could not be read"
        return
    leg = plan.path.data
    ports = dict.fromkeys(
        one.local for look in looks for one in look.own_connections if one.host == look.source_host and one.send_queue
    )
    seen = f"source port seen: {', '.join(ports)}" if ports else "its source port was not seen"
    yield "Flow", f"TCP {leg.source.address} to {leg.target.address}:{leg.port}; {seen}"
    yield "Source", _end(leg.source.device, plan.source.host, leg.source.netstack, leg.source.mtu)
    yield "Destination", _end(leg.target.device, plan.target.host, leg.target.netstack, leg.target.mtu)
    yield "Carried by", f"{plan.path.words}: {plan.path.why}"
    if plan.path.control != leg:
        yield "Control", f"TCP {plan.path.control.source.address} to {_door(plan.path.control)}"
    yield "VLAN", "not known here: it is set on the port group or the switch"


def _end(device: str, host: str, stack: str, mtu: int) -> str:
    return f"{device} of {host}, MTU {mtu}, TCP/IP stack {stack}"


def _door(leg: Leg) -> str:
    return f"{leg.target.address}:{leg.port}"


def _times(job: Job, plan: Plan, incident: Mapping[str, Any], examined: Examined | None) -> Iterator[tuple[str, str]]:
    began = next((step.at for step in reversed(job.steps) if step.state is Phase.ATTACHED), None)
    ended = next((step.at for step in reversed(job.steps) if step.state is Phase.VERIFYING), None)
    copied = copied_of(job)
    yield "Copy began", _moment(began)
    if copied is not None and copied.since is not None:
        yield "Last progress", _moment(copied.since)
    for label, key in (("First line of the failure", "first"), ("Last line of the failure", "last")):
        if incident.get(key):
            yield label, _moment(datetime.fromisoformat(str(incident[key])))
    yield "Task ended", _moment(ended)
    if copied is not None:
        done = plan.size * copied.percent // 100
        yield "Before the break", f"about {gib(done)} of {gib(plan.size)} ({copied.percent} %, as vCenter counts it)"
    yield "Who sent RST or FIN", _who_closed(incident)
    yield "Operation", intent_of(job).op_id if job.data.get("intent") else NOT_KNOWN
    yield "Clocks", _clocks(plan, examined)


def _clocks(plan: Plan, examined: Examined | None) -> str:
    if examined is None:
        return "their offsets were not measured"
    vcenter = f"vCenter {plan.request.vm.vcenter} {_apart(examined.ahead)} our queue's clock"
    hosts = [
        f"{host} {_apart(examined.offsets.get(host, _ZERO))} that vCenter"
        for host in (plan.source.host, plan.target.host)
    ]
    return "; ".join((vcenter, *hosts))


def _apart(offset: timedelta) -> str:
    seconds = offset.total_seconds()
    if abs(seconds) < 1:
        return "is within a second of"
    return f"is {abs(seconds):.1f} s {'ahead of' if seconds > 0 else 'behind'}"


def _who_closed(incident: Mapping[str, Any]) -> str:
    texts = [str(line.get("text", "")).casefold() for line in incident.get("evidence", ())]
    if any(sign in text for text in texts for sign in _RESET):
        return "a log line tells that a reset came in; who sent it is not known without a capture on both ends"
    return "not known: no log line tells, and nothing was captured"


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} UTC" if at else NOT_KNOWN


# ---- what was measured


def _counts(look: PathMeasurement) -> Iterator[Count]:
    if look.path is None:
        way = f"{look.source_host} to the name {look.target_host}"
    else:
        way = _way(look.source_host, look.target_host, look.path.data)
    for pings in (look.small, look.full, *look.sizes):
        if pings is not None:
            yield _count(look.at, WHEN[look.when], way, pings)
    if look.control is not None and look.path is not None:
        way = _way(look.source_host, look.target_host, look.path.control)
        yield _count(look.at, WHEN[look.when], way, look.control)


def _way(host: str, to: str, leg: Leg) -> str:
    return f"{host} {leg.source.device} {leg.source.address} to {to} {leg.target.device} {leg.target.address}"


def _count(at: datetime, when: str, way: str, pings: Pings) -> Count:
    words = "not sent: larger than the interface takes" if pings.too_long else in_words(pings.lost, pings.sent)
    trip = f"{pings.rtt_avg / timedelta(milliseconds=1):.3g} ms" if pings.rtt_avg is not None else ""
    what = f"{pings.size} bytes{', not to be fragmented' if pings.whole else ''}"
    return Count(at, when, what, way, pings.sent, pings.lost, words, trip)


def _control(one: Controlled) -> Control:
    if one.way is None or one.pings is None:
        return Control(one.what, one.tells, None, one.why)
    way = _way(one.way.host, one.way.to, one.way.leg)
    return Control(one.what, one.tells, _count(one.at, "as a control", way, one.pings))


def _queues(looks: Iterable[PathMeasurement]) -> Iterator[Queue]:
    for look in looks:
        for one in look.own_connections:
            yield Queue(look.at, one.host, one.local, one.foreign, one.state, one.send_queue)


def _counters(looks: Sequence[PathMeasurement]) -> Iterator[Counter]:
    """The longest stretch that each uplink was counted over: from the first look that read it to the last."""
    first: dict[tuple[str, str], tuple[datetime, NicCounters]] = {}
    last: dict[tuple[str, str], tuple[datetime, NicCounters]] = {}
    for look in sorted(looks, key=lambda look: look.at):
        until = look.at + (look.nics_apart or _ZERO)
        for at, nics in ((look.at, look.nics_before), (until, look.nics)):
            for nic in nics:
                first.setdefault((nic.host, nic.nic), (at, nic))
                last[nic.host, nic.nic] = (at, nic)
    for name, (until, nic) in last.items():
        since, earlier = first[name]
        delta = nic.since(earlier) if since < until else None
        if delta is not None:
            errors = max(delta.receive_errors, delta.crc_errors) + delta.transmit_errors
            dropped = delta.receive_dropped + delta.transmit_dropped
            packets = delta.received + delta.sent
            yield Counter(nic.host, nic.nic, nic.up, since, until, packets, delta.crc_errors, errors, dropped)


# ---- what was read


def _sides(examined: Examined | None) -> Iterator[Side]:
    if examined is None or examined.elimination is None:
        return
    for row in examined.elimination.rows:
        yield Side(row.part.value, row.state.value, row.why, ", ".join(row.evidence))


def _ruled_out(incident: Mapping[str, Any]) -> Iterator[str]:
    """What the verdict rules out, without the counts: those stand in their own table, all of them."""
    counted = [str(one.get("text", "")) for one in incident.get("measured", ()) if one.get("check") == "probe.loss"]
    for sentence in map(str, incident.get("ruled_out", ())):
        if not any(text and text in sentence for text in counted):
            yield sentence


def _lines(incident: Mapping[str, Any]) -> Iterator[Line]:
    for one in incident.get("evidence", ())[:LINES]:
        at, number = str(one.get("moment") or ""), one.get("line", 0)
        yield Line(at, str(one.get("file", "")), int(number), str(one.get("role", "")), str(one.get("text", "")))


def _unknown(incident: Mapping[str, Any], looks: Sequence[PathMeasurement], material: Material) -> Iterator[str]:
    """Each sentence once."""
    said = [str(one) for one in incident.get("unreadable", ())]
    said += [one for look in looks for one in look.unread]
    said += [f"{one.what}: {one.why}" for one in material.controls if one.pings is None]
    if not material.controls:
        said.append("No controls were measured for this pack.")
    said.append(
        "Retransmissions and windows of the copy's own TCP session: a host does not tell them without a capture."
    )
    said.append(LIMITS)
    yield from dict.fromkeys(said)
