"""What people decide about incidents: that somebody is on it, that it is over, and where alerts go.

Each is written down before it is shown, and may be asked for twice: the message always shows how it stands.
"""

from __future__ import annotations

from typing import Final

from bot.errors import UserError
from bot.incidents.incident import Case, IncidentId, State
from bot.operations.alert_card import SILENCE, title_of
from bot.operations.alerts_rights import case_for, incidents_of, redraw, require_everywhere
from bot.operations.counter import Counter, require_place
from bot.operations.port import Answer, Person
from bot.operations.rights import Verb

_RESOLVED: Final = "Resolved. A copy that dies from now on opens it again; more lines of one that had died only count."


async def acknowledge(counter: Counter, who: Person, incident: IncidentId) -> Answer:
    """Somebody is on it: nobody else is woken. UserError for what is over."""
    case = await case_for(counter, who, Verb.ALERTS, incident)
    if case.standing.state.ended:
        await redraw(counter, case.incident.id)
        raise UserError(f"{_over(case)} There is nothing left to acknowledge.")
    return await _moved(counter, who, case, State.ACKNOWLEDGED, "You have it: nobody else is woken.")


async def resolve(counter: Counter, who: Person, incident: IncidentId) -> Answer:
    """It is over. Should it come back, its message says so."""
    case = await case_for(counter, who, Verb.ALERTS, incident)
    return await _moved(counter, who, case, State.RESOLVED, _RESOLVED)


async def alerts_here(counter: Counter, who: Person, channel: str) -> Answer:
    """From now on alerts go to this channel. UserError if the bot is not in it."""
    incidents = incidents_of(counter)
    await require_everywhere(counter, who, Verb.ALERTS, "Where alerts go is one decision for all sites")
    await require_place(counter.channels, who, channel)
    await incidents.set_place(channel, by=who.user_id)
    await counter.queue.note_act(by=who.user_id, verb="alerts here", on=channel, why="")
    speaks = "" if counter.alerting.speaks else " The mode is 'observe': that is one digest a day, and nothing else."
    return Answer(f"Alerts come here from now on. Those that are open stay where they are.{speaks}")


async def alerts_off(counter: Counter, who: Person) -> Answer:
    """From now on alerts go nowhere in Slack."""
    incidents = incidents_of(counter)
    await require_everywhere(counter, who, Verb.ALERTS, "Where alerts go is one decision for all sites")
    await incidents.set_place("", by=who.user_id)
    await counter.queue.note_act(by=who.user_id, verb="alerts off", on="", why="")
    return Answer(
        "No new alert comes to Slack from now on, and nobody is woken. '/nfcalerts here' turns them on again."
    )


async def _moved(counter: Counter, who: Person, case: Case, to: State, said: str) -> Answer:
    found = case.incident.id
    after = await incidents_of(counter).move(found, to, by=who.user_id)
    if after is None:
        raise UserError(f"There is no incident '{found}' any more.", example="/nfcalerts list")
    ours = after.standing.state is to and after.standing.by == who.user_id
    if ours and case.standing.state is not to:
        await counter.queue.note_act(by=who.user_id, verb=_VERBS[to], on=found, why=title_of(case.incident))
    await redraw(counter, found)
    return Answer(said) if ours else _too_late(after)


def _too_late(case: Case) -> Answer:
    """Somebody was faster."""
    by = case.standing.by
    if case.standing.state.ended:
        return Answer(f"Nothing changed. {_over(case)}", people=[by])
    return Answer(f"Nothing changed: {by or 'somebody'} has acknowledged it already.", people=[by])


def _over(case: Case) -> str:
    by = case.standing.by
    return f"It is over already: {by} resolved it." if by != SILENCE else "It is over: nothing more of it was seen."


_VERBS = {State.ACKNOWLEDGED: "acknowledge", State.RESOLVED: "resolve"}
