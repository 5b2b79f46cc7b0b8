"""From what the diagnosis calls an incident to a failure of this fleet: hosts by name, links by site. Pure."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from bot.diagnosis.causes import CAUSE_IN_WORDS, Basis, Cause, Role
from bot.diagnosis.opid import is_internal
from bot.diagnosis.verdict import Evidence, Incident, NextCheck
from bot.hostlog.line import HostKey
from bot.hostlog.roll import Roll, WatchedHost
from bot.incidents.client import client_of, job_of
from bot.incidents.identity import failure_id
from bot.incidents.incident import Failure, Verdict

MOST_LINES: Final = 12
MOST_SENTENCES: Final = 6
MOST_OPERATIONS: Final = 50
LONGEST_LINE: Final = 400
LONGEST_TEXT: Final = 1_200
LONGEST_NAME: Final = 255
"""Of what lines name; an incident keeps hundreds of names, and a line may hold anything."""

BASIS_IN_WORDS: Final = {
    Basis.LOG: "from the hosts' logs alone",
    Basis.BOTH_ENDS: "from the logs of both ends",
    Basis.MEASURED: "measured",
}

_SURE_ENDS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"\[VpxNfcClient\] File transfer +failed",
        r"\[NfcCopy\] NFC transfer of .+ (?:aborted|failed)\b",
        r"\[VpxLRO\] (?:-- ERROR task-|Unexpected Exception: vim\.fault\.)",
        r"Migration considered a failure by the VMX",
        r"\bFailed to transfer file \[",
        r"\bsnapshot must be canceled\b",
    )
)
"""Lines that only an operation writes that has failed; a line of NFC itself may be followed by another try."""

_DATASTORE: Final = (
    re.compile(r"\[(?P<name>[^\[\]\n]{1,80})\] [^\[\]\n@]{1,255}/[^\[\]\n@]{1,255}?\.(?:vmdk|vmx|nvram|vswp)\b"),
    re.compile(r"/vmfs/volumes/(?P<name>[^/\s'\"]{1,80})/"),
)
_NAME: Final = re.compile(r"(?<![\w.-])[A-Za-z0-9](?:[\w-]*\.)+[\w-]*\w(?![\w-])")
"""An address, or a name with dots: a short one may be any word."""

_WEIGHT: Final = {Role.DECISIVE: 0, Role.SYMPTOM: 1, Role.UNWINDING: 2, Role.CONTEXT: 3}


def failure_of(incident: Incident, *, roll: Roll, now: datetime) -> Failure:
    """The failure that the diagnosis found, with all that is known of its hosts.

    A time that is still to come was stamped by a clock that is wrong, and counts as now.
    """
    watched = [roll.named(name) for name in incident.hosts]
    hosts = tuple(dict.fromkeys(_keys(incident.hosts, watched)))
    peer = _peer(incident.peer, roll) or (None if incident.peer else _mentioned(incident.evidence, hosts, roll))
    sites = _sites((*watched, peer))
    last = min(incident.last or now, now)
    return Failure(
        id=failure_id(incident, hosts),
        cause=incident.cause,
        confidence=incident.confidence,
        basis=incident.basis,
        client=client_of(incident),
        first=min(incident.first or now, last),
        last=last,
        hosts=hosts,
        lines=incident.lines,
        verdict=verdict_of(incident),
        stage=incident.stage,
        op_ids=tuple(op_id[:LONGEST_NAME] for op_id in incident.op_ids[:MOST_OPERATIONS] if not is_internal(op_id)),
        task=_name(incident.task),
        vm=_name(incident.vm),
        peer=_name(_bare(incident.peer)) or (peer.name if peer else None),
        peer_host=peer.key if peer else None,
        sites=sites,
        link="~".join(sites) if len(sites) == 2 else None,  # noqa: PLR2004 - a link has two ends
        job=job_of(incident.op_ids),
        failed=True if surely_failed(incident.evidence) else None,
        datastore=_datastore(incident),
    )


def located(failure: Failure, *, vm: str, other_end: str, roll: Roll) -> Failure:
    """The failure with what somebody else knows of it: its VM, and the name of its other end. Empty: nothing."""
    peer = roll.named(other_end) if other_end and failure.peer_host is None else None
    sites = tuple(sorted({*failure.sites, *_sites([peer])}))
    return replace(
        failure,
        vm=failure.vm or vm or None,
        peer=failure.peer or other_end or None,
        peer_host=failure.peer_host or (peer.key if peer else None),
        sites=sites,
        link="~".join(sites) if len(sites) == 2 else failure.link,  # noqa: PLR2004 - a link has two ends
    )


def verdict_of(incident: Incident) -> Verdict:
    """The diagnosis, cut to what a message and a page need."""
    return Verdict(
        headline=headline(incident.cause, incident.confidence, incident.basis),
        explanation=_cut(incident.explanation, LONGEST_TEXT),
        known=_sentences(incident.known),
        next_checks=_sentences(map(_check, incident.next_checks)),
        links=tuple(incident.links[:MOST_SENTENCES]),
        lines=tuple(_shown(incident.evidence)),
    )


def headline(cause: Cause, confidence: float, basis: Basis) -> str:
    """The cause in one sentence, no surer than it is."""
    if cause is Cause.UNDETERMINED:
        return "The logs show the failure, but do not say why."
    return f"Probable cause: {CAUSE_IN_WORDS[cause]} ({confidence:.0%} sure, {BASIS_IN_WORDS[basis]})."


def surely_failed(lines: Iterable[Evidence]) -> bool:
    """Whether a line says that the operation ended by it."""
    return any(pattern.search(line.text) for line in lines for pattern in _SURE_ENDS)


def _keys(names: Iterable[str], watched: Iterable[WatchedHost | None]) -> Iterator[HostKey]:
    """A host that nobody knows keeps the name that the lines have for it."""
    return (host.key if host else HostKey(f"/{name}") for name, host in zip(names, watched, strict=True))


def _peer(told: str | None, roll: Roll) -> WatchedHost | None:
    name = _bare(told)
    return (roll.at(name) or roll.named(name)) if name else None


def _mentioned(evidence: Iterable[Evidence], hosts: Container[HostKey], roll: Roll) -> WatchedHost | None:
    """The only other host of ours that the lines mention, though the one that decides may not."""
    words = {word for line in evidence for word in _NAME.findall(line.text)}
    found = {known.key: known for word in words if (known := roll.at(word) or roll.named(word))}
    others = [host for key, host in found.items() if key not in hosts]
    return others[0] if len(others) == 1 else None


def _name(told: str | None) -> str | None:
    return told[:LONGEST_NAME] if told else None


def _bare(peer: str | None) -> str:
    """A name or address without what surrounds it in a line: brackets and a port."""
    name = (peer or "").strip().strip("\"',;")
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0] if name.count(":") == 1 else name


def _sites(hosts: Iterable[WatchedHost | None]) -> tuple[str, ...]:
    return tuple(sorted({host.site for host in hosts if host and host.site}))


def _datastore(incident: Incident) -> str | None:
    texts = [line.text for line in sorted(incident.evidence, key=lambda line: _WEIGHT[line.role])]
    found = (pattern.search(text) for text in texts for pattern in _DATASTORE)
    return next((hit["name"] for hit in found if hit), None)


def _shown(evidence: Iterable[Evidence]) -> Iterator[str]:
    """The weightiest lines in their order, each with where it stands and what it is."""
    lines = list(evidence)
    best = sorted(range(len(lines)), key=lambda place: (_WEIGHT[lines[place].role], place))[:MOST_LINES]
    for line in (lines[place] for place in sorted(best)):
        yield _cut(f"{line.file}:{line.line} [{line.role.value}] {line.text}", LONGEST_LINE)


def _check(check: NextCheck) -> str:
    where = f" ({check.where})" if check.where else ""
    return f"{check.what}{where}: {check.command}" if check.command else f"{check.what}{where}"


def _sentences(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(_cut(text, LONGEST_LINE) for text in list(texts)[:MOST_SENTENCES])


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
