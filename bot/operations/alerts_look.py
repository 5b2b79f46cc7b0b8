"""Look closer at an incident: its lines, or a diagnosis of what it is surest about. Both go below its message."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final

from bot.errors import UserError
from bot.incidents.incident import Client, Incident, IncidentId
from bot.migration.request import JobId
from bot.operations.alert_card import host_name, title_of
from bot.operations.alerts_rights import case_for
from bot.operations.counter import Counter
from bot.operations.port import Answer, Person, Question
from bot.operations.request_diagnosis import draft_diagnosis, may_diagnose
from bot.operations.rights import Verb
from bot.operations.verdict_words import listed
from bot.slack.port import CardPlace, Reply, Section

BEFORE: Final = timedelta(minutes=10)
"""What led to a failure is in the lines before it."""

FARTHEST: Final = timedelta(days=31)
"""Further back no host keeps its logs."""


async def incident_lines(counter: Counter, who: Person, incident: IncidentId) -> Answer:
    """The lines that show it, and what follows from them, into its thread; the same lines once."""
    case = await case_for(counter, who, Verb.SEE, incident)
    place, verdict = await _place(counter, case.incident.id), case.incident.verdict
    sections = [
        *([Section("Why", verdict.explanation)] if verdict.explanation else []),
        Section("The lines that show it", "" if verdict.lines else "None was kept.", verdict.lines),
        *listed("Known", verdict.known),
        *listed("Check next", verdict.next_checks),
        *([Section("Read more", ", ".join(verdict.links))] if verdict.links else []),
    ]
    reply = Reply(f"lines-{_digest(*verdict.lines)}", verdict.headline or title_of(case.incident), sections)
    await counter.outbox.reply(JobId(case.incident.id), place.channel, reply)
    return Answer("The lines that show it are in its thread.")


async def diagnose_incident(counter: Counter, who: Person, incident: IncidentId, *, dedupe: str) -> Answer:
    """Ask for a diagnosis of what it is surest about, from shortly before it began; answered in its thread."""
    case = await case_for(counter, who, Verb.DIAGNOSE, incident)
    place = await _place(counter, case.incident.id)
    await may_diagnose(counter, who, place.channel)
    since = await counter.queue.now() - case.incident.first + BEFORE
    question = Question(
        place.channel,
        thread=place.ts,
        typed=await _subject(counter, case.incident),
        since=min(max(since, BEFORE), FARTHEST),
    )
    return await draft_diagnosis(counter, who, question, dedupe=dedupe)


async def _subject(counter: Counter, incident: Incident) -> str:
    """A migration of ours, else a VM that the inventory knows, else the host that tells of most."""
    if incident.client is Client.OURS and incident.job and await counter.queue.get(JobId(incident.job)) is not None:
        return incident.job
    for vm in incident.vms[:1]:
        if await counter.inventory.find(vm):
            return vm
    if not incident.hosts:
        raise UserError("No host of this incident is known, so there is nothing to look into.")
    return host_name(max(incident.hosts, key=lambda host: (incident.hosts[host].failures, incident.hosts[host].lines)))


async def _place(counter: Counter, incident: IncidentId) -> CardPlace:
    if (place := await counter.outbox.place_of(JobId(incident))) is None:
        raise UserError("Its message is not in Slack yet: please click again in a moment.")
    return place


def _digest(*lines: str) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "replace")).hexdigest()[:8]
