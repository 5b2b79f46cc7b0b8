"""What wakes somebody, made from an incident: where, what, whose, how bad, and what shows it. Pure.

Names and lines come from outside; here they are made harmless to show and bounded. Each sink has limits of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bot.diagnosis.printable import printable
from bot.hostlog.line import HostKey
from bot.incidents.incident import Case, Client, Incident, Verdict
from bot.incidents.port import Action, Page
from bot.incidents.telling import Telling

HOSTS: Final = 50
VMS: Final = 50
LINES: Final = 10
_NAME: Final = 200
_LINE: Final = 500
_SENTENCE: Final = 600

_OWN_CARE: Final = frozenset({Client.BACKUP, Client.REPLICATION})
"""These try again by themselves."""


def page_of(telling: Telling, action: Action, case: Case | None, *, link: str) -> Page:
    """The message. `case` is None when nobody knows the incident any more: then it is about the key alone."""
    if case is None:
        summary = f"Incident {telling.incident} is not known any more"
        return Page(id=telling.id_of(action), key=telling.key, action=action, summary=summary, severity="info")
    incident = case.incident
    return Page(
        id=telling.id_of(action),
        key=telling.key,
        action=action,
        summary=summary_of(incident),
        severity=severity_of(incident),
        source=source_of(incident),
        cause=incident.cause.value,
        client=incident.client.value,
        at=incident.first,
        verdict=verdict_of(incident.verdict),
        hosts=tuple(_shown(name_of(host), _NAME) for host in busiest(incident)[:HOSTS]),
        vms=tuple(_shown(vm, _NAME) for vm in incident.vms[:VMS]),
        link=link,
        lines=tuple(_shown(line, _LINE) for line in incident.verdict.lines[:LINES]),
    )


def summary_of(incident: Incident) -> str:
    """One line that says enough at three in the morning: what, where, and how much of it."""
    hosts, failures = len(incident.hosts), incident.count
    size = [_counted(hosts, "host"), _counted(failures, "failure")] if hosts > 1 else [_counted(failures, "failure")]
    headline = _shown(incident.verdict.headline, _SENTENCE).rstrip(".")
    return f"{headline}, {where_of(incident)} ({', '.join(size)})"


def where_of(incident: Incident) -> str:
    """The link, or the host, or the sites."""
    if incident.link:
        return f"between {_shown(' and '.join(incident.link.split('~')), _NAME)}"
    if len(incident.hosts) == 1:
        return f"on {_shown(name_of(busiest(incident)[0]), _NAME)}"
    if incident.sites:
        return f"at {_shown(', '.join(incident.sites), _NAME)}"
    return "on several hosts" if incident.hosts else "on a host that is not known"


def source_of(incident: Incident) -> str:
    """What it is about: a link if there is one, else the host that tells the most."""
    hosts = busiest(incident)
    return _shown(incident.link or (name_of(hosts[0]) if hosts else "unknown"), _NAME)


def severity_of(incident: Incident) -> str:
    """Critical: many hosts at once. Error: an operation surely failed that nobody repeats by itself."""
    if incident.storm:
        return "critical"
    return "error" if incident.failed and incident.client not in _OWN_CARE else "warning"


def verdict_of(verdict: Verdict) -> str:
    """The diagnosis as a person reads it on a telephone."""
    parts = [
        _sentences([verdict.headline]),
        _sentences([verdict.explanation]),
        _sentences(verdict.known, "Known: "),
        _sentences(verdict.next_checks[:3], "Check next: "),
    ]
    return " ".join(part for part in parts if part)


def busiest(incident: Incident) -> list[HostKey]:
    """Its hosts, those with the most failures first."""
    return sorted(incident.hosts, key=lambda host: (-incident.hosts[host].failures, host))


def name_of(host: HostKey) -> str:
    """A host's name without its vCenter's."""
    return host.partition("/")[2] or host


def _sentences(texts: Iterable[str], head: str = "") -> str:
    shown = [_shown(text, _SENTENCE).rstrip(".") for text in texts if text]
    return f"{head}{'; '.join(shown)}." if shown else ""


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _shown(text: str, limit: int) -> str:
    text = printable(text[:limit])
    return text if len(text) <= limit else text[: limit - 1] + "…"
