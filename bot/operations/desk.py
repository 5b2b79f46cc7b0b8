"""All verbs of people behind the one door that handlers know (`bot.operations.port.Verbs`)."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import Final

from bot.errors import OutsideError, RefusedError
from bot.incidents.incident import IncidentId
from bot.migration.request import JobId
from bot.operations.aftercare_record import Act
from bot.operations.aftercare_verb import aftercare
from bot.operations.alerts_decide import acknowledge, alerts_here, alerts_off, resolve
from bot.operations.alerts_list import alerts_help, alerts_list
from bot.operations.alerts_look import diagnose_incident, incident_lines
from bot.operations.alerts_mute import mute, mute_choices, unmute
from bot.operations.alerts_status import alerts_status
from bot.operations.answer_shutdown import answer_shutdown
from bot.operations.approve import approve
from bot.operations.batch_decide import approve_batch, cancel_batch, find_batch, retry_batch, show_batch_record
from bot.operations.batch_request import may_migrate, request_batch
from bot.operations.canary import send_canary
from bot.operations.cancel import cancel
from bot.operations.counter import Counter
from bot.operations.handover import handover
from bot.operations.holds_other_host import other_host
from bot.operations.holds_verbs import cancel_waiting, hold_link, release, release_link
from bot.operations.home import home
from bot.operations.offer import target_sites, vms_like
from bot.operations.option import Option
from bot.operations.options import offered_options
from bot.operations.port import Answer, BatchOrder, Home, MigrateOrder, MuteOrder, Person, Question, VmChoice
from bot.operations.report import help_for, jobs, show
from bot.operations.request_diagnosis import may_diagnose, request_diagnosis
from bot.operations.request_migration import request_migration
from bot.operations.retry import retry
from bot.operations.shutdown_answer import ShutdownAnswer

REFUSED: Final = "refused"
MOST_SAID: Final = 300
"""Characters of what somebody typed, and of what they were told, in the audit log."""


class Desk:
    """The verbs, with what they need. What each promises is said where it lives."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter

    async def migrate(self, who: Person, channel: str, order: MigrateOrder, *, dedupe: str) -> Answer:
        asked = request_migration(self._counter, who, channel, order, dedupe=dedupe)
        return await self._accounted("migrate", who, f"{order.vm} to {order.site}", asked)

    async def may_migrate(self, who: Person, channel: str) -> None:
        await may_migrate(self._counter, who, channel)

    async def migrate_many(self, who: Person, channel: str, order: BatchOrder, *, dedupe: str) -> Answer:
        asked = request_batch(self._counter, who, channel, order, dedupe=dedupe)
        name = f"@{order.list}" if order.list else order.file_name
        return await self._accounted("migrate", who, f"{name} to {order.all.site}", asked)

    async def approve(self, who: Person, job: JobId, fingerprint: str, *, stop: bool = False) -> Answer:
        if (batch := await find_batch(self._counter, job)) is not None:
            asked = approve_batch(self._counter, who, batch, fingerprint, stop=stop)
            return await self._accounted("approve", who, job, asked)
        return await self._accounted("approve", who, job, approve(self._counter, who, job, fingerprint))

    async def cancel(self, who: Person, job: JobId) -> Answer:
        if (batch := await find_batch(self._counter, job)) is not None:
            return await self._accounted("cancel", who, job, cancel_batch(self._counter, who, batch))
        return await self._accounted("cancel", who, job, cancel(self._counter, who, job))

    async def retry(self, who: Person, channel: str, job: JobId, *, dedupe: str, when_clean: bool = False) -> Answer:
        if (batch := await find_batch(self._counter, job)) is not None:
            again = retry_batch(self._counter, who, channel, batch, dedupe=dedupe, when_clean=when_clean)
        else:
            again = retry(self._counter, who, channel, job, dedupe=dedupe, when_clean=when_clean)
        return await self._accounted("retry", who, job, again)

    async def answer(self, who: Person, job: JobId, answer: ShutdownAnswer) -> Answer:
        return await self._accounted(answer, who, job, answer_shutdown(self._counter, who, job, answer))

    async def aftercare(self, who: Person, job: JobId, act: Act, *, fingerprint: str = "", dedupe: str) -> Answer:
        asked = aftercare(self._counter, who, job, act, fingerprint=fingerprint, dedupe=dedupe)
        return await self._accounted(act, who, job, asked)

    async def hold_link(self, who: Person, channel: str, ends: tuple[str, str], *, why: str) -> Answer:
        asked = hold_link(self._counter, who, channel, ends, why=why)
        return await self._accounted("hold", who, "~".join(ends), asked)

    async def send_canary(
        self, who: Person, channel: str, ends: tuple[str, str], *, host: str | None = None, dedupe: str
    ) -> Answer:
        asked = send_canary(self._counter, who, channel, ends, host=host, dedupe=dedupe)
        return await self._accounted("canary", who, "~".join(ends), asked)

    async def release_link(self, who: Person, ends: tuple[str, str]) -> Answer:
        return await self._accounted("release", who, "~".join(ends), release_link(self._counter, who, ends))

    async def handover(self, who: Person, ends: tuple[str, str] | None = None) -> Answer:
        return await handover(self._counter, who, ends)

    async def release(self, who: Person, hold: JobId) -> Answer:
        return await self._accounted("release", who, hold, release(self._counter, who, hold))

    async def other_host(self, who: Person, hold: JobId) -> Answer:
        return await self._accounted("other host", who, hold, other_host(self._counter, who, hold))

    async def cancel_waiting(self, who: Person, hold: JobId) -> Answer:
        return await self._accounted("cancel waiting", who, hold, cancel_waiting(self._counter, who, hold))

    async def may_diagnose(self, who: Person, channel: str) -> None:
        await may_diagnose(self._counter, who, channel)

    async def diagnose(self, who: Person, question: Question, *, dedupe: str) -> Answer:
        asked = request_diagnosis(self._counter, who, question, dedupe=dedupe)
        return await self._accounted("diagnose", who, question.typed or "a log", asked)

    async def acknowledge(self, who: Person, incident: IncidentId) -> Answer:
        return await self._accounted("acknowledge", who, incident, acknowledge(self._counter, who, incident))

    async def resolve(self, who: Person, incident: IncidentId) -> Answer:
        return await self._accounted("resolve", who, incident, resolve(self._counter, who, incident))

    async def mute(self, who: Person, order: MuteOrder) -> Answer:
        return await self._accounted("mute", who, str(order.scope), mute(self._counter, who, order))

    async def unmute(self, who: Person, scope: str) -> Answer:
        return await self._accounted("unmute", who, scope, unmute(self._counter, who, scope))

    async def mute_choices(self, who: Person, incident: IncidentId) -> Sequence[tuple[str, str]]:
        return await mute_choices(self._counter, who, incident)

    async def incident_lines(self, who: Person, incident: IncidentId) -> Answer:
        return await self._accounted("lines", who, incident, incident_lines(self._counter, who, incident))

    async def diagnose_incident(self, who: Person, incident: IncidentId, *, dedupe: str) -> Answer:
        asked = diagnose_incident(self._counter, who, incident, dedupe=dedupe)
        return await self._accounted("diagnose", who, incident, asked)

    async def alerts_here(self, who: Person, channel: str) -> Answer:
        return await self._accounted("alerts here", who, channel, alerts_here(self._counter, who, channel))

    async def alerts_off(self, who: Person) -> Answer:
        return await self._accounted("alerts off", who, "", alerts_off(self._counter, who))

    async def alerts_list(self, who: Person) -> Answer:
        return await alerts_list(self._counter, who)

    async def alerts_status(self, who: Person) -> Answer:
        return await alerts_status(self._counter, who)

    async def alerts_help(self, who: Person) -> Answer:
        return await alerts_help(self._counter, who)

    async def jobs(self, who: Person) -> Answer:
        return await jobs(self._counter, who)

    async def show(self, who: Person, job: JobId) -> Answer:
        if (batch := await find_batch(self._counter, job)) is not None:
            return await show_batch_record(self._counter, who, batch)
        return await show(self._counter, who, job)

    async def help(self, who: Person) -> Answer:
        return await help_for(self._counter, who)

    async def target_sites(self, who: Person) -> Sequence[str]:
        return await target_sites(self._counter, who)

    async def options(self, who: Person) -> Sequence[Option]:
        return await offered_options(self._counter, who)

    async def vms_like(self, who: Person, query: str, *, limit: int) -> Sequence[VmChoice]:
        return await vms_like(self._counter, who, query, limit=limit)

    async def home(self, who: Person) -> Home:
        return await home(self._counter, who)

    async def _accounted(self, verb: str, who: Person, on: str, asked: Awaitable[Answer]) -> Answer:
        """What was done is in the audit log by itself; what was refused is written there here, if Redis answers."""
        try:
            return await asked
        except RefusedError as error:
            with suppress(OutsideError):
                said = str(error)[:MOST_SAID]
                await self._counter.queue.note_act(
                    by=who.user_id, verb=REFUSED, on=on[:MOST_SAID], why=f"{verb}: {said}"
                )
            raise
