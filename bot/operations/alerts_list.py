"""What is wrong now, what is muted, and what a person may do about it: lists for one person alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from bot.incidents.incident import Case, Client, IncidentId, Mute, ScopeKind
from bot.migration.eta import in_words as span_in_words
from bot.migration.request import JobId
from bot.operations.alert_card import look_of, mute_of, state_of, title_of
from bot.operations.alerts_rights import incidents_of, may_at, visible
from bot.operations.alerts_scope import in_words, known_hosts, may_see_scope
from bot.operations.counter import Counter
from bot.operations.port import Answer, Entry, IncidentGlance, MuteGlance, Person
from bot.operations.rights import Verb

LISTED: Final = 20
NOWHERE: Final = "Alerts go nowhere in Slack, and nobody is woken: '/nfcalerts here' says where they should go."
_HELP: Final = {
    Verb.SEE: (
        "/nfcalerts list            what is wrong now, and what is muted",
        "/nfcalerts status          which hosts are read, and how far behind",
    ),
    Verb.ALERTS: (
        "/nfcalerts mute <host> 2h [reason]",
        "                           nothing new is said of it: 1h to 30d, or",
        "                           until the 'morning'; it is watched still",
        "    in place of the host:  vm <name>, link <site> <site>, all,",
        "                           cause <name>, client <name>, incident <id>",
        "/nfcalerts unmute <host>   or what else was muted",
        "Acknowledge, Mute, Resolve you may click these",
    ),
    Verb.DIAGNOSE: ("Diagnose                   reads both ends' logs around an incident",),
}
_HUSHED: Final = {"observe": "the mode is 'observe'"}
_EVERYWHERE: Final = (
    "/nfcalerts here            alerts come to this channel",
    "/nfcalerts off             no alerts in Slack",
)


async def alerts_list(counter: Counter, who: Person) -> Answer:
    """Incidents that have not ended, newest first, and mutes, as far as they may see them."""
    await counter.rights.require(who, Verb.SEE, None)
    glances, more = await incident_glances(counter, who, limit=LISTED)
    now = await counter.queue.now()
    entries = [
        Entry(
            f"{one.look.sign} {one.title}",
            f"{one.state}; last seen {span_in_words(now - one.last)} ago ({one.incident})",
            one.link,
        )
        for one in glances
    ]
    count = len(glances) + more
    said = f"{count} incident{'s' if count != 1 else ''} now" if count else "No incident now"
    rest = [f"and {more} more"] if more else []
    muted = [
        Entry(f"🔕 {one.what}", f"muted for another {span_in_words(one.until - now)} by", person=one.by)
        for one in await mute_glances(counter, who)
    ]
    return Answer(f"{said}. {await _place(counter)}", rest, entries=[*entries, *muted])


async def incident_glances(counter: Counter, who: Person, *, limit: int) -> tuple[Sequence[IncidentGlance], int]:
    """Those that have not ended and that they may see, and how many more there are."""
    incidents = incidents_of(counter)
    live = [case for case in await incidents.live() if not case.standing.state.ended]
    seen = await visible(counter, who, live)
    mutes = await incidents.mutes()
    shown = seen[:limit]
    links = await asyncio.gather(*(counter.outbox.link_to(JobId(case.incident.id)) for case in shown))
    return [_glance(case, mutes, link) for case, link in zip(shown, links, strict=True)], len(seen) - len(shown)


async def mute_glances(counter: Counter, who: Person) -> Sequence[MuteGlance]:
    """All mutes that hold, if they may see what these are about."""
    mutes = await incidents_of(counter).mutes()
    may = await may_at(counter, who, Verb.SEE)
    hosts = await known_hosts(counter) if mutes else ()
    shown = [mute for mute in mutes if await may_see_scope(counter, may, mute.scope, hosts)]
    return [MuteGlance(f"{await _what(counter, mute)}{_why(mute)}", mute.until, mute.by) for mute in shown[:LISTED]]


async def alerts_help(counter: Counter, who: Person) -> Answer:
    """Only what they may do."""
    allowed = await counter.rights.allowed(who)
    lines = [line for verb, texts in _HELP.items() if verb in allowed for line in texts]
    if not lines:
        return Answer(
            f"You ({who.user_id}) may do nothing about alerts yet. "
            "Ask the people who keep coldmigrate.toml for a [[rights]] entry."
        )
    everywhere = _EVERYWHERE if Verb.ALERTS in allowed else ()
    return Answer("What you may do about alerts.", [*lines, *everywhere, "/nfcalerts help            this"])


def _glance(case: Case, mutes: Sequence[Mute], link: str) -> IncidentGlance:
    incident = case.incident
    mute = mute_of(incident, mutes)
    why = "" if case.standing.channel else _silent(case, mute)
    state = f"{state_of(case, mute)}{f'; no message: {why}' if why else ''}"
    return IncidentGlance(incident.id, title_of(incident), look_of(case, mutes), state, incident.last, link)


def _silent(case: Case, mute: Mute | None) -> str:
    """Why it has no message. A mute is told by the state, and in full below the incidents."""
    incident = case.incident
    if incident.client is Client.OURS:
        return f"it is told in the thread of migration {incident.job}" if incident.job else "it is a migration of ours"
    return "" if mute is not None else _HUSHED.get(case.standing.hushed, case.standing.hushed)


async def _what(counter: Counter, mute: Mute) -> str:
    """What it is about; of an incident its title, for nobody knows ids by heart."""
    if mute.scope.kind is ScopeKind.INCIDENT:
        case = await incidents_of(counter).get(IncidentId(mute.scope.name))
        if case is not None:
            return f"{title_of(case.incident)} ({mute.scope.name})"
    return in_words(mute.scope)[:1].upper() + in_words(mute.scope)[1:]


def _why(mute: Mute) -> str:
    return f" ({mute.why})" if mute.why else ""


async def _place(counter: Counter) -> str:
    if not await alert_channel(counter):
        return NOWHERE
    return "" if counter.alerting.speaks else "The mode is 'observe': one digest a day, and no message for each."


async def alert_channel(counter: Counter) -> str:
    """Where alerts go: what somebody said with `here` or `off` goes before the config. Empty: nowhere."""
    place = await incidents_of(counter).place()
    return place.channel if place is not None else counter.alerting.channel
