"""Whether an incident is spoken of, and who besides the channel is told. Pure.

A mute is by what it is about, not by the message that it was clicked on: so it outlives the incident, and the bot.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.incidents.incident import Case, Client, Incident, Mute, Scope, ScopeKind, State
from bot.incidents.likeness import name_of
from bot.migration.calendar import Span, Window

ANY: Final = "*"
_WEEK: Final = 8  # days, so that today's weekday comes again whatever the time


class Mode(StrEnum):
    """OBSERVE: a digest a day, and nothing else."""

    OBSERVE = "observe"
    ALERT = "alert"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """What the config says: whose failures are spoken of one by one, and when nothing new is said at all."""

    mode: Mode = Mode.OBSERVE
    clients: Collection[Client] = frozenset({Client.MIGRATION, Client.OTHER})
    quiet: Sequence[Window] = ()


@dataclass(frozen=True, slots=True)
class Speak:
    """It gets a message."""


@dataclass(frozen=True, slots=True)
class Hushed:
    """It gets none, and why; `until`: when that ends by itself."""

    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkPolicy:
    """Of what one sink is told, and how long after the message. `hours`: empty for always."""

    name: str
    causes: Collection[str] = (ANY,)
    sites: Collection[str] = (ANY,)
    hours: Sequence[Window] = ()
    after: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Due:
    """This sink is to be told then, if nobody has acknowledged by that time."""

    name: str
    due: datetime


def speaks(
    case: Case, *, loudness: Loudness, mutes: Iterable[Mute], now: datetime, sinks: Iterable[SinkPolicy] = ()
) -> Speak | Hushed:
    """Whether it gets a message now. What is hushed may be asked about again: mutes and quiet hours end.

    Quiet hours hold nothing back of which one of the `sinks` is to be told before they end: who is woken needs it.
    """
    if case.standing.state.ended:
        return Hushed("it is over")
    incident = case.incident
    return (
        _undeserving(incident, loudness)
        or _muted(incident, mutes, now)
        or _unheard(case, loudness, sinks, now)
        or Speak()
    )


def would_speak(case: Case, *, loudness: Loudness) -> bool:
    """Whether it deserves a message by what is known of it: in alert mode, with nothing muted, by day."""
    bare = replace(loudness, mode=Mode.ALERT, quiet=())
    live = replace(case.standing, state=State.OPEN)
    return isinstance(speaks(replace(case, standing=live), loudness=bare, mutes=(), now=case.incident.last), Speak)


def mutes_of(incident: Incident, mutes: Iterable[Mute], *, now: datetime) -> Sequence[Mute]:
    """The mutes that hold it: one that covers it, or several that cover each of its hosts, VMs or links."""
    held = [mute for mute in mutes if mute.until > now]
    names = {_folded(mute.scope): mute for mute in held}
    for scopes in _covers(incident):
        found = [names[scope] for scope in map(_folded, scopes) if scope in names]
        if scopes and len(found) == len(scopes):
            return tuple(dict.fromkeys(found))
    return ()


def sinks_for(case: Case, policies: Iterable[SinkPolicy], *, now: datetime) -> Sequence[Due]:
    """Whom to tell of an open incident that has a message, and when: in hours of theirs."""
    standing = case.standing
    if standing.state is not State.OPEN:
        return ()
    begin = max(filter(None, (standing.spoken_at, standing.at)), default=now)
    wanted = (policy for policy in policies if _is_for(policy, case.incident))
    return [Due(policy.name, next_open(policy.hours, begin + policy.after)) for policy in wanted]


def next_open(windows: Sequence[Window], moment: datetime) -> datetime:
    """`moment` if one of the windows is open then, or if there is none, else when the next one opens."""
    if not windows or any(span.holds(moment) for span in _spans(windows, moment)):
        return moment
    return min((span.start for span in _spans(windows, moment) if span.start > moment), default=moment)


def quiet_until(windows: Sequence[Window], moment: datetime) -> datetime | None:
    """When quiet hours end that hold now; None if none do."""
    end = moment
    while longer := max((span.end for span in _spans(windows, end) if span.holds(end)), default=None):
        end = longer
        if end - moment > timedelta(days=_WEEK):
            break  # windows that cover the whole week never end
    return None if end == moment else end


def _undeserving(incident: Incident, loudness: Loudness) -> Hushed | None:
    if incident.client is Client.OURS:
        return Hushed(f"ours: in the thread of job {incident.job}" if incident.job else "ours")
    if loudness.mode is Mode.OBSERVE:
        return Hushed("observe")
    if incident.storm:
        return None
    if incident.client not in loudness.clients:
        return Hushed(f"{incident.client}: [alerts].clients does not name it, and it is no cluster of hosts")
    return None if incident.failed else Hushed("no operation surely failed yet, and it is no cluster of hosts")


def _muted(incident: Incident, mutes: Iterable[Mute], now: datetime) -> Hushed | None:
    held = mutes_of(incident, mutes, now=now)
    if not held:
        return None
    until = min(mute.until for mute in held)
    scopes = ", ".join(str(mute.scope) for mute in held[:3]) + (" ..." if len(held) > 3 else "")  # noqa: PLR2004
    return Hushed(f"{scopes} muted by {held[0].by} until {_when(until)}", until)


def _unheard(case: Case, loudness: Loudness, sinks: Iterable[SinkPolicy], now: datetime) -> Hushed | None:
    until = quiet_until(loudness.quiet, now)
    if until is None or any(sink.due < until for sink in sinks_for(case, sinks, now=now)):
        return None
    return Hushed(f"quiet hours until {_when(until)}", until)


def _covers(incident: Incident) -> Iterator[Sequence[Scope]]:
    """Sets of scopes; whoever mutes all of a set mutes the incident."""
    yield [Scope(ScopeKind.ALL)]
    yield [Scope(ScopeKind.INCIDENT, incident.id)]
    yield [Scope(ScopeKind.CAUSE, incident.cause)]
    yield [Scope(ScopeKind.CLIENT, incident.client)]
    yield [Scope(ScopeKind.LINK, link) for link in incident.links]
    yield [Scope(ScopeKind.HOST, name_of(host)) for host in incident.hosts]
    yield [Scope(ScopeKind.VM, vm) for vm in incident.vms]


def _folded(scope: Scope) -> Scope:
    return Scope(scope.kind, scope.name.casefold())


def _is_for(policy: SinkPolicy, incident: Incident) -> bool:
    sites = ANY in policy.sites or bool({*policy.sites} & {*incident.sites})
    return sites and (ANY in policy.causes or incident.cause.value in policy.causes)


def _spans(windows: Iterable[Window], moment: datetime) -> Iterator[Span]:
    return (span for window in windows for span in window.spans(moment, days=_WEEK))


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
