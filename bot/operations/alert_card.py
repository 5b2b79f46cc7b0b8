"""What the message of an incident says. Pure but for `show_alert`, which draws it as things are now.

Whoever changes how an incident stands draws it at once; the judge draws what changed by new lines and by time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from bot.diagnosis.causes import Cause
from bot.hostlog.line import HostKey
from bot.incidents.incident import Case, Client, Incident, IncidentId, Mute, ScopeKind, Standing, State
from bot.incidents.policy import mutes_of
from bot.incidents.port import Action, Escalation, Escalations, Incidents
from bot.migration.request import JobId
from bot.slack.port import AlertCard, AlertLook, Button, ButtonKind, Outbox

SILENCE: Final = ""
"""Who resolved an incident of which nothing more came."""

_NAMED: Final = 4
_HEADLINE: Final = 300
_EXPLANATION: Final = 300
"""As much of it as people read at night; *Lines* tells all of it."""
_MANY: Final = 2
_COLUMNS: Final = ("Host", "Failures", "Lines", "Last seen", "VMs")
_CLIENTS: Final = {
    Client.OURS: "a migration of ours",
    Client.MIGRATION: "a migration that I did not start",
    Client.BACKUP: "backup",
    Client.REPLICATION: "replication",
    Client.OTHER: "not known",
}
_SPELLED: Final = {"dns": "DNS", "tls": "TLS", "nfc": "NFC", "nat": "NAT", "mtu": "MTU", "udt": "UDT", "cbt": "CBT"} | {
    "io": "I/O",
    "dest": "destination",
    "incompat": "incompatible",
}
_LOOKS: Final = {
    State.OPEN: AlertLook.OPEN,
    State.ACKNOWLEDGED: AlertLook.ACKNOWLEDGED,
    State.RESOLVED: AlertLook.RESOLVED,
    State.MERGED: AlertLook.RESOLVED,
}
_READ: Final = (ButtonKind.DIAGNOSE_INCIDENT, ButtonKind.LINES)
_BUTTONS: Final[Mapping[State, Sequence[ButtonKind]]] = {
    State.OPEN: (ButtonKind.ACKNOWLEDGE, ButtonKind.MUTE, ButtonKind.RESOLVE, *_READ),
    State.ACKNOWLEDGED: (ButtonKind.RESOLVE, ButtonKind.MUTE, *_READ),
    State.RESOLVED: _READ,
    State.MERGED: (ButtonKind.LINES,),
}


async def show_alert(
    incidents: Incidents,
    outbox: Outbox,
    incident: IncidentId,
    *,
    escalations: Escalations | None = None,
    on_call: Sequence[str] = (),
) -> None:
    """Draw its message as things are now, and again until what was drawn last is how it is. Nothing if it has none."""
    shown = await _as_it_is(incidents, incident, escalations, on_call)
    while shown is not None:
        await outbox.show_alert(shown)
        now = await _as_it_is(incidents, incident, escalations, on_call)
        if now is None or now == shown:
            return
        shown = now


async def _as_it_is(
    incidents: Incidents, incident: IncidentId, escalations: Escalations | None, on_call: Sequence[str]
) -> AlertCard | None:
    case = await incidents.get(incident)
    if case is None or not case.standing.channel:
        return None
    told = await escalations.of(incident) if escalations is not None else ()
    return alert_card(case, mutes=await incidents.mutes(), escalations=told, on_call=on_call)


def alert_card(
    case: Case, *, mutes: Iterable[Mute] = (), escalations: Iterable[Escalation] = (), on_call: Sequence[str] = ()
) -> AlertCard:
    """The message of an incident that has one, or is to have one in the channel of its standing."""
    incident, standing = case.incident, case.standing
    told = list(escalations)
    mute = mute_of(incident, mutes) if not standing.state.ended else None
    columns, rows = _table(incident)
    return AlertCard(
        subject=JobId(incident.id),
        channel=standing.channel,
        title=title_of(incident),
        look=_look(standing, mute),
        state=state_of(case, mute),
        verdict=_verdict(case),
        facts=[*_facts(incident, told, on_call), *_muted(mute)],
        columns=columns,
        rows=rows,
        note=_note(told),
        buttons=[Button(kind, incident.id) for kind in _BUTTONS[standing.state]],
        person=_person(standing, mute),
        pager=_pager(told),
        ended=standing.state.ended,
        moments=list(_moments(case, mute, told)),
    )


def mute_of(incident: Incident, mutes: Iterable[Mute]) -> Mute | None:
    """The mute that keeps it quiet, of those that hold: its own, or the one of several that ends first."""
    held = mutes_of(incident, mutes, now=incident.first)
    return min(held, key=lambda mute: mute.until, default=None)


def title_of(incident: Incident) -> str:
    """What it is about, in one line: "Packet loss between site1 and site2: 3 hosts, 7 failures"."""
    return f"{cause_in_words(incident.cause)} {_where(incident)}".strip() + f": {_extent(incident)}"


def state_of(case: Case, mute: Mute | None = None) -> str:
    """How it stands, in a few words."""
    incident, standing = case.incident, case.standing
    back = f", came back {_times(incident.flaps)}" if incident.flaps else ""
    match standing.state:
        case State.OPEN:
            return f"muted{back}" if mute is not None else f"open{back}"
        case State.ACKNOWLEDGED:
            return f"acknowledged{back}{', and muted' if mute is not None else ''}"
        case State.RESOLVED:
            return "resolved" if standing.by != SILENCE else "over: nothing more of it was seen"
        case State.MERGED:
            return f"part of a larger incident now{f', {standing.into}' if standing.into else ''}"


def look_of(case: Case, mutes: Iterable[Mute] = ()) -> AlertLook:
    """What its sign says."""
    return _look(case.standing, mute_of(case.incident, mutes))


def cause_in_words(cause: Cause) -> str:
    """A cause as a title begins: "Packet loss", "NFC memory limit"."""
    if cause is Cause.UNDETERMINED:
        return "NFC failures"
    words = " ".join(_SPELLED.get(word, word) for word in cause.value.split("_"))
    return words[:1].upper() + words[1:]


def host_name(host: HostKey) -> str:
    """A host as vCenter has it."""
    return host.partition("/")[2] or host


def short(host: str) -> str:
    """The first part of a host's name; an address stays whole."""
    return host if host.replace(".", "").isdigit() else host.partition(".")[0]


def link_ends(link: str) -> str:
    """The link "site1~site2" as people say it."""
    return " and ".join(link.split("~"))


def _look(standing: Standing, mute: Mute | None) -> AlertLook:
    return AlertLook.MUTED if mute is not None and standing.state is State.OPEN else _LOOKS[standing.state]


def _where(incident: Incident) -> str:
    hosts = [short(host_name(host)) for host in incident.hosts]
    if incident.link:
        return f"between {link_ends(incident.link)}"
    if len(hosts) == 1 and len(incident.peers) == 1:
        return f"between {hosts[0]} and {short(incident.peers[0])}"
    if len(hosts) == 1:
        return f"on {hosts[0]}"
    return f"at {_some(incident.sites)}" if incident.sites else ""


def _extent(incident: Incident) -> str:
    failures = f"{incident.count} failure{'s' if incident.count != 1 else ''}"
    if len(incident.hosts) > 1:
        return f"{len(incident.hosts)} hosts, {failures}"
    return f"{failures}, {_some(incident.vms)}" if incident.vms else failures


def _verdict(case: Case) -> str:
    """What is wrong, and while it is: what to look at first, and the beginning of why."""
    said = case.incident.verdict
    checks = [] if case.standing.state.ended else [f"Check next: {check}" for check in said.next_checks[:1]]
    return "\n".join(filter(None, (said.headline[:_HEADLINE], *checks, _beginning(said.explanation))))


def _beginning(text: str) -> str:
    """As many whole sentences as there is room for."""
    if len(text) <= _EXPLANATION:
        return text
    whole = text[:_EXPLANATION].rpartition(". ")[0]
    return f"{whole}." if whole else f"{text[:_EXPLANATION]} …"


def _facts(incident: Incident, told: Sequence[Escalation], on_call: Sequence[str]) -> Iterable[tuple[str, str]]:
    yield "Whose copies", _CLIENTS[incident.client]
    yield "Failures", f"{incident.count}{_ended(incident)}; {incident.lines} line{'s' if incident.lines != 1 else ''}"
    if len(incident.hosts) < _MANY and incident.hosts:
        yield "Host", _some([host_name(host) for host in incident.hosts])
    if incident.vms:
        yield "VMs" if len(incident.vms) > 1 else "VM", _some(incident.vms)
    if incident.link:
        yield "Link", link_ends(incident.link)
    elif incident.peers:
        yield "Other end", _some(incident.peers)
    if incident.flaps:
        yield "Came back", _times(incident.flaps)
    if 0 < len(incident.op_ids) <= _NAMED:  # those of a storm tell nobody anything
        yield "opID", _some(incident.op_ids)
    if names := _woken(told):
        yield "Told", names
    if on_call:
        yield "On call", _some(on_call)


def _ended(incident: Incident) -> str:
    if not incident.failed:
        return ""
    return ", which surely ended a copy" if incident.count == 1 else f", of which {incident.failed} surely ended a copy"


def _muted(mute: Mute | None) -> Iterable[tuple[str, str]]:
    if mute is None:
        return
    if mute.scope.kind is not ScopeKind.INCIDENT:
        yield "Muted with it", str(mute.scope)
    if mute.why:
        yield "Muted because", mute.why


def _woken(told: Sequence[Escalation]) -> str:
    return _some([one.sink for one in told if one.said is Action.TRIGGER])


def _table(incident: Incident) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """Nothing for one host, and no column of VMs where none is known."""
    if len(incident.hosts) < _MANY:
        return (), ()
    width = len(_COLUMNS) if any(counted.vms for counted in incident.hosts.values()) else len(_COLUMNS) - 1
    return _COLUMNS[:width], [_row(incident, host)[:width] for host in _by_weight(incident)]


def _row(incident: Incident, host: HostKey) -> Sequence[str]:
    counted = incident.hosts[host]
    last = f"{counted.last:%Y-%m-%d %H:%M} UTC"
    return (host_name(host), str(counted.failures), str(counted.lines), last, _some(counted.vms) or "-")


def _by_weight(incident: Incident) -> list[HostKey]:
    """Those first that tell of most."""
    return sorted(incident.hosts, key=lambda host: (-incident.hosts[host].failures, -incident.hosts[host].lines, host))


def _note(told: Sequence[Escalation]) -> str:
    return "\n".join(f"⚠️ {one.sink} could not be told: {one.trouble}" for one in told if one.trouble)


def _person(standing: Standing, mute: Mute | None) -> tuple[str, str] | None:
    if standing.state is State.ACKNOWLEDGED and standing.by:
        return "Acknowledged by", standing.by
    if standing.state is State.RESOLVED and standing.by:
        return "Resolved by", standing.by
    return ("Muted by", mute.by) if mute is not None else None


def _pager(told: Sequence[Escalation]) -> tuple[str, str] | None:
    """The way to the first who was told and says where."""
    found = next((one for one in told if one.url), None)
    if found is None:
        return None
    return f"Open {'PagerDuty' if '.pagerduty.com/' in found.url else found.sink}", found.url


def _moments(case: Case, mute: Mute | None, told: Sequence[Escalation]) -> Iterable[tuple[str, datetime]]:
    yield "First seen", case.incident.first
    yield "last seen", case.incident.last
    if mute is not None:
        yield "muted until", mute.until
    if case.standing.state is State.OPEN:
        yield from ((f"{one.sink} is told", one.due) for one in told if one.said is None and one.due is not None)
    elif case.standing.at is not None:
        yield str(case.standing.state), case.standing.at


def _some(names: Iterable[str]) -> str:
    """The first few, and how many more there are."""
    every = list(names)
    more = len(every) - _NAMED
    return ", ".join(every[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
