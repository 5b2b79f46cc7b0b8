"""Hear nothing of something for a while, and hear of it again. A mute outlives what it is about, and every restart."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Final

from bot.errors import UserError
from bot.incidents.incident import Incident, IncidentId, Mute, Scope, ScopeKind
from bot.incidents.policy import mutes_of
from bot.migration.calendar import moment_of
from bot.migration.eta import in_words as span_in_words
from bot.operations.alert_card import host_name, short, title_of
from bot.operations.alerts_rights import case_for, incidents_of, redraw
from bot.operations.alerts_scope import EXAMPLE, in_words, known_scope, may_mute, require_scope, written
from bot.operations.counter import Counter
from bot.operations.port import Answer, MuteOrder, Person
from bot.operations.rights import Verb

SHORTEST: Final = timedelta(hours=1)
LONGEST: Final = timedelta(days=30)
MORNING: Final = time(8)
_DRAWN: Final = 10
_HOSTS: Final = 5
_VMS: Final = 5
_WHY: Final = 200


async def mute(counter: Counter, who: Person, order: MuteOrder) -> Answer:
    """Nothing new is said of it until then. UserError for what is not known, or for too short or too long."""
    incidents = incidents_of(counter)
    await counter.rights.require(who, Verb.ALERTS, None)  # the names of hosts and VMs are not for everybody
    scope = await known_scope(counter, written(order.scope) if isinstance(order.scope, str) else order.scope)
    await require_scope(counter, who, scope)
    if scope.kind is ScopeKind.INCIDENT:
        scope = Scope(
            ScopeKind.INCIDENT, (await case_for(counter, who, Verb.ALERTS, IncidentId(scope.name))).incident.id
        )
    now = await counter.queue.now()
    until = _until(counter, order.span, now)
    why = " ".join(order.why.split())[:_WHY]
    await incidents.mute(Mute(scope, until, who.user_id, now, why))
    moment = counter.calendar.in_words(until)
    await counter.queue.note_act(by=who.user_id, verb="mute", on=str(scope), why=f"until {moment}. {why}".strip())
    await _redraw_muted(counter, scope)
    return Answer(f"Muted: {in_words(scope)}, until {moment}. It is still watched; /nfcalerts list shows all mutes.")


async def unmute(counter: Counter, who: Person, typed: str) -> Answer:
    """Hear of it again. UserError if it is not muted."""
    incidents = incidents_of(counter)
    await counter.rights.require(who, Verb.ALERTS, None)
    asked = written(typed)
    scope = _muted(asked, [mute.scope for mute in await incidents.mutes()])
    if scope.kind is not ScopeKind.INCIDENT or await incidents.get(IncidentId(scope.name)) is not None:
        await require_scope(counter, who, scope)
    if not await incidents.unmute(scope):
        raise _not_muted(asked, [])
    await counter.queue.note_act(by=who.user_id, verb="unmute", on=str(scope), why="")
    await _redraw_muted(counter, scope)
    return Answer(f"No longer muted: {in_words(scope)}.")


async def mute_choices(counter: Counter, who: Person, incident: IncidentId) -> Sequence[tuple[str, str]]:
    """What of an incident they may mute: in words, and as `Scope` is written. The incident itself comes first."""
    case = await case_for(counter, who, Verb.ALERTS, incident)
    offered = [(words, scope) for words, scope in _offered(case.incident)]
    return [(words, str(scope)) for words, scope in offered if await may_mute(counter, who, scope)]


def _offered(incident: Incident) -> list[tuple[str, Scope]]:
    hosts = [host_name(host) for host in incident.hosts]
    found = [(f"This incident: {title_of(incident)}", Scope(ScopeKind.INCIDENT, incident.id))]
    if len(hosts) <= _HOSTS:
        found += [(f"The host {host}", Scope(ScopeKind.HOST, host)) for host in hosts]
    if len(incident.vms) <= _VMS:
        found += [(f"The VM {vm}", Scope(ScopeKind.VM, vm)) for vm in incident.vms]
    links = [Scope(ScopeKind.LINK, incident.link)] if incident.link else []
    rest = [*links, Scope(ScopeKind.CAUSE, incident.cause), Scope(ScopeKind.CLIENT, incident.client)]
    return found + [(in_words(scope)[:1].upper() + in_words(scope)[1:], scope) for scope in rest]


async def _redraw_muted(counter: Counter, scope: Scope) -> None:
    """Draw what this mute keeps quiet, or did; of many the newest: a click has two seconds. The judge does the rest."""
    if scope.kind is ScopeKind.INCIDENT:
        await redraw(counter, IncidentId(scope.name))
        return
    incidents = incidents_of(counter)
    others = [mute for mute in await incidents.mutes() if mute.scope != scope]
    shown = [case for case in await incidents.live() if case.standing.channel and not case.standing.state.ended]
    touched = [case.incident.id for case in shown if _is_kept_by(case.incident, scope, others)]
    await asyncio.gather(*(redraw(counter, incident) for incident in touched[:_DRAWN]))


def _is_kept_by(incident: Incident, scope: Scope, others: Sequence[Mute]) -> bool:
    this = Mute(scope, incident.last + LONGEST, "", incident.last)
    return this in mutes_of(incident, [*others, this], now=incident.first)


def _until(counter: Counter, span: timedelta | None, now: datetime) -> datetime:
    if span is None:
        return _morning(counter, now)
    if not SHORTEST <= span <= LONGEST:
        raise UserError(
            f"A mute lasts from one hour to {LONGEST.days} days; this would be {_words(span)}.",
            example=EXAMPLE,
        )
    return now + span


def _words(span: timedelta) -> str:
    return f"{span.days} days" if span > LONGEST else span_in_words(span)


def _morning(counter: Counter, now: datetime) -> datetime:
    """The next time that clocks show it, as the config's zone has it, and that is not at once."""
    zone = counter.calendar.zone
    today = (now + SHORTEST).astimezone(zone).date()
    mornings = (moment_of(datetime.combine(today + timedelta(days=days), MORNING), zone) for days in range(3))
    return next(moment for moment in mornings if moment >= now + SHORTEST)


def _muted(asked: Scope, muted: Sequence[Scope]) -> Scope:
    """The mute that was meant: a host's name may be short, and capitals do not count."""
    wanted = asked.name.casefold()
    same = [scope for scope in muted if scope.kind is asked.kind]
    for scope in same:
        names = {scope.name.casefold(), "~".join(reversed(scope.name.casefold().split("~")))}
        if wanted in names or wanted.replace(" ", "_") in names:
            return scope
    found = [scope for scope in same if asked.kind is ScopeKind.HOST and short(scope.name.casefold()) == wanted]
    if len(found) != 1:
        raise _not_muted(asked, muted)
    return found[0]


def _not_muted(asked: Scope, muted: Sequence[Scope]) -> UserError:
    listed = ", ".join(in_words(scope) for scope in muted[:_HOSTS])
    rest = f" Muted {'is' if len(muted) == 1 else 'are'}: {listed}." if listed else " Nothing is muted."
    return UserError(
        f"{in_words(asked)[:1].upper()}{in_words(asked)[1:]} is not muted.{rest}", example="/nfcalerts list"
    )
