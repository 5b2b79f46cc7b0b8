"""What the channel hears of incidents: who gets a message, who is told besides, and when a message is drawn anew.

All of it may be done again by the next judge: a message is edited in place, and the rest is said once by its key.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot.errors import OutsideError
from bot.incidents.incident import Case, Client, IncidentId, Mute, State
from bot.incidents.policy import Hushed, Loudness, SinkPolicy, sinks_for, speaks
from bot.incidents.port import AlertPlace, Escalations, Incidents
from bot.jobs.port import JobQueue
from bot.migration.request import JobId
from bot.operations.alert_card import cause_in_words, host_name, mute_of, show_alert
from bot.slack.port import Outbox, Reply, Section

MOST_LINES: Final = 6
REMEMBERED: Final = 5_000

log = logging.getLogger(__name__)


async def nobody() -> Sequence[str]:
    """Nobody is known to be on call."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerTools:
    """What speaking needs. `place` is where the config has alerts go, `on_call` who would be woken now."""

    incidents: Incidents
    escalations: Escalations
    outbox: Outbox
    queue: JobQueue
    place: AlertPlace
    loudness: Loudness
    sinks: Sequence[SinkPolicy] = ()
    on_call: Callable[[], Awaitable[Sequence[str]]] = nobody


@dataclass(slots=True)
class Speaker:
    """Knows what it drew last, so that an incident that stays as it is costs nothing."""

    tools: SpeakerTools
    _drawn: dict[IncidentId, object] = field(default_factory=dict)
    _given_up: dict[IncidentId, Case] = field(default_factory=dict)
    """Of which nothing can be told by a defect of ours, until they change."""

    async def speak(self, cases: Sequence[Case], *, now: datetime, anew: bool = False) -> None:
        """Say of these incidents what is to be said now. `anew`: whatever was drawn, draw it again."""
        if anew:
            self._drawn.clear()
        mutes = await self.tools.incidents.mutes()
        place = await self.tools.incidents.place() or self.tools.place
        for case in cases:
            if self._given_up.get(case.incident.id) != case:
                await self._try(case, mutes, place.channel, now)
        for old in list(self._drawn)[:-REMEMBERED]:
            del self._drawn[old]
        self._given_up = {case.incident.id: case for case in cases if case.incident.id in self._given_up}

    async def _try(self, case: Case, mutes: Sequence[Mute], channel: str, now: datetime) -> None:
        """One that cannot be told keeps no other from being told."""
        try:
            await self._one(case, mutes, channel, now)
            self._given_up.pop(case.incident.id, None)
        except OutsideError:
            raise
        except Exception:
            log.exception("Incident %s cannot be told.", case.incident.id)
            self._given_up[case.incident.id] = case

    async def _one(self, case: Case, mutes: Sequence[Mute], channel: str, now: datetime) -> None:
        if case.incident.client is Client.OURS and not case.standing.channel:
            await self._tell_job(case)
        elif case.standing.channel:
            await self._draw(case, mutes, now)
        elif channel and not case.standing.state.ended:
            await self._begin(case, mutes, channel, now)

    async def _begin(self, case: Case, mutes: Sequence[Mute], channel: str, now: datetime) -> None:
        """Give it its message, if it is to have one by now."""
        said = speaks(case, loudness=self.tools.loudness, mutes=mutes, now=now, sinks=self.tools.sinks)
        if isinstance(said, Hushed):
            if said.reason != case.standing.hushed:
                await self.tools.incidents.hush(case.incident.id, said.reason)
            return
        spoken = await self.tools.incidents.spoken(case.incident.id, channel)
        if spoken is not None and spoken.standing.channel:
            log.info("Incident %s is told in %s: %s", case.incident.id, channel, case.incident.cause)
            await self._draw(spoken, mutes, now)

    async def _draw(self, case: Case, mutes: Sequence[Mute], now: datetime) -> None:
        looks = (case, None if case.standing.state.ended else mute_of(case.incident, mutes))
        if self._drawn.get(case.incident.id) == looks:
            return
        on_call: Sequence[str] = ()
        if case.standing.state is State.OPEN:
            for sink in sinks_for(case, self.tools.sinks, now=now):
                await self.tools.escalations.arrange(case.incident.id, sink.name, at=sink.due)
            on_call = await self.tools.on_call() if self.tools.sinks else ()
        else:
            await self.tools.escalations.look_again(case.incident.id)
        escalations, outbox = self.tools.escalations, self.tools.outbox
        incidents = self.tools.incidents
        await show_alert(incidents, outbox, case.incident.id, escalations=escalations, on_call=on_call)
        self._drawn[case.incident.id] = looks

    async def _tell_job(self, case: Case) -> None:
        """Of a migration of ours its thread hears, once: its card and its verdict say the rest."""
        incident = case.incident
        if incident.id in self._drawn or not incident.job:
            return
        job = await self.tools.queue.get(JobId(incident.job))
        if job is not None and job.channel:
            hosts = ", ".join(host_name(host) for host in list(incident.hosts)[:MOST_LINES])
            said = f"The watch sees NFC errors of this migration on {hosts}: {cause_in_words(incident.cause)}."
            lines = Section("", "", incident.verdict.lines[:MOST_LINES])
            await self.tools.outbox.reply(job.id, job.channel, Reply(f"watch-{incident.id}", said, [lines], quiet=True))
        self._drawn[incident.id] = True
