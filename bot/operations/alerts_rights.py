"""Whose incidents these are: rights go by the sites that an incident is about, and any of them will do.

What is about no site that we know, or about all of them, is for those who have the right everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

from bot.errors import RefusedError, UserError
from bot.incidents.incident import Case, IncidentId
from bot.incidents.port import Incidents
from bot.migration.request import SiteName
from bot.operations.alert_card import show_alert
from bot.operations.counter import Counter
from bot.operations.port import Person
from bot.operations.rights import EVERYWHERE, Verb

_LIFTED_BY: Final = "the people who keep coldmigrate.toml"
_MERGED_DEEP: Final = 8
_DEEDS: Final = {
    Verb.ALERTS: "acknowledge, mute and resolve alerts",
    Verb.SEE: "see what is going on",
    Verb.DIAGNOSE: "ask for diagnoses",
}


def incidents_of(counter: Counter) -> Incidents:
    """Where incidents are kept. UserError when no host is watched."""
    if counter.incidents is None:
        raise UserError("No host's logs are watched here: coldmigrate.toml has no [alerts].")
    return counter.incidents


async def case_for(counter: Counter, who: Person, verb: Verb, incident: IncidentId) -> Case:
    """The incident, or the larger one that it went up in, if they may do this about it. UserError, RefusedError."""
    incidents = incidents_of(counter)
    case = await incidents.get(incident)
    for _ in range(_MERGED_DEEP):
        if case is None or case.standing.into is None:
            break
        case = await incidents.get(case.standing.into)
    if case is None:
        raise UserError(f"There is no incident '{incident}' any more.", example="/nfcalerts list")
    await require_sites(counter, who, verb, case.incident.sites)
    return case


async def require_sites(counter: Counter, who: Person, verb: Verb, sites: Collection[str]) -> None:
    """Pass if they may at one of the sites; without any, if they may everywhere. RefusedError if not."""
    if not sites:
        await require_everywhere(counter, who, verb, "This is about no site that I know")
    elif not any(map(await may_at(counter, who, verb), sites)):
        await counter.rights.require(who, verb, SiteName(min(sites)))


async def require_everywhere(counter: Counter, who: Person, verb: Verb, because: str) -> None:
    """Pass if they may at every site. `because` says why nothing less will do."""
    await counter.rights.require(who, verb, None)
    if not (await may_at(counter, who, verb))(EVERYWHERE):
        raise RefusedError(
            f"{because}, and you ({who.user_id}) may not {_DEEDS[verb]} everywhere: that takes '{verb}' "
            f'with sites = ["{EVERYWHERE}"].',
            lifted_by=_LIFTED_BY,
        )


async def may_at(counter: Counter, who: Person, verb: Verb) -> Callable[[str], bool]:
    """Tells for each site, and for everywhere, whether they may."""
    granted = await counter.rights.sites(who, verb)
    return lambda site: granted(SiteName(site))


async def visible(counter: Counter, who: Person, cases: Iterable[Case]) -> list[Case]:
    """Those that they may see."""
    may = await may_at(counter, who, Verb.SEE)
    return [case for case in cases if any(map(may, case.incident.sites or (EVERYWHERE,)))]


async def redraw(counter: Counter, incident: IncidentId) -> None:
    """How it stands has changed: whoever was woken hears of it, and its message shows it."""
    if counter.escalations is not None:
        await counter.escalations.look_again(incident)
    await show_alert(incidents_of(counter), counter.outbox, incident, escalations=counter.escalations)
