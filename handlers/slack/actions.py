"""Clicks on a card's buttons: read what the button carries, call one operation, tell the clicker alone.

A click is worth no more than the right of whoever makes it: the operations check that anew every time. It also says
which message is a job's card, whatever was written down when that was posted.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, Final, Literal, assert_never, get_args

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import UserError
from bot.incidents.incident import IncidentId
from bot.migration.request import JobId
from bot.operations.aftercare_record import Act
from bot.operations.port import Answer, Person, Verbs
from bot.operations.shutdown_answer import ShutdownAnswer
from bot.slack.buttons import PREFIX
from bot.slack.client import calling
from bot.slack.port import ButtonKind, Inbox
from handlers.slack.boundary import as_message
from handlers.slack.deliveries import Deliveries
from handlers.slack.mute_form import mute_view

log = logging.getLogger(__name__)

OURS: Final = re.compile(rf"{re.escape(PREFIX)}.+")
_VALUE: Final = re.compile(r"(?P<job>[a-z2-7]{8})(?: (?P<fingerprint>[0-9a-f]{16}))?")
_HoldKind = Literal[ButtonKind.RELEASE, ButtonKind.OTHER_HOST, ButtonKind.CANCEL_WAITING]
_ANSWERS: Final = {
    ButtonKind.WAIT_ON: ShutdownAnswer.WAIT_ON,
    ButtonKind.POWER_OFF: ShutdownAnswer.POWER_OFF,
}
_ACTS: Final = {
    ButtonKind.POWER_ON_SOURCE: Act.POWER_ON_SOURCE,
    ButtonKind.DELETE_LEFTOVERS: Act.DELETE_LEFTOVERS,
    ButtonKind.EVIDENCE: Act.EVIDENCE,
    ButtonKind.MEASURE: Act.MEASURE,
}
_IncidentKind = Literal[
    ButtonKind.ACKNOWLEDGE, ButtonKind.RESOLVE, ButtonKind.MUTE, ButtonKind.DIAGNOSE_INCIDENT, ButtonKind.LINES
]
_ON_INCIDENTS: Final = frozenset(get_args(_IncidentKind))
_OUTDATED: Final = "This button is from an older version of the bot and does nothing any more."


class Actions:
    """The listener for every button of ours, those of older versions too: no click goes unanswered."""

    def __init__(self, verbs: Verbs, inbox: Inbox, deliveries: Deliveries) -> None:
        self._verbs = verbs
        self._inbox = inbox
        self._deliveries = deliveries

    async def clicked(
        self,
        ack: AsyncAck,
        body: Mapping[str, Any],
        action: Mapping[str, Any],
        respond: AsyncRespond,
        client: AsyncWebClient,
    ) -> None:
        """Carry it out, then ack: a click that was acked is kept. The words follow by themselves, once."""
        told = await self._deliveries.once(
            "click", _delivery(body, action), lambda: self._carried_out(body, action, client)
        )
        await ack()
        if told.answer.text and not told.again:
            await self._tell(told.answer, respond)

    async def _carried_out(  # noqa: PLR0911 - a table
        self, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> Answer:
        kind = _kind(action)
        found = _VALUE.fullmatch(str(action.get("value") or ""))
        if kind is None or found is None:
            raise UserError(_OUTDATED, example="/coldmigrate list")
        job = JobId(found["job"])
        channel = str(body["channel"]["id"])
        await self._recognise(job, channel, body, what="Incident" if kind in _ON_INCIDENTS else "Job")
        who = Person(user_id=str(body["user"]["id"]), channel=channel)
        delivery = _delivery(body, action)
        match kind:
            case ButtonKind.APPROVE | ButtonKind.APPROVE_STOP | ButtonKind.FORCE:
                stop = kind is ButtonKind.APPROVE_STOP
                return await self._verbs.approve(who, job, found["fingerprint"] or "", stop=stop)
            case ButtonKind.CANCEL:
                return await self._verbs.cancel(who, job)
            case ButtonKind.RETRY | ButtonKind.RETRY_WHEN_CLEAN:
                clean = kind is ButtonKind.RETRY_WHEN_CLEAN
                return await self._verbs.retry(who, channel, job, dedupe=delivery, when_clean=clean)
            case ButtonKind.RELEASE | ButtonKind.OTHER_HOST | ButtonKind.CANCEL_WAITING:
                return await self._on_hold(who, job, kind)
            case ButtonKind.WAIT_ON | ButtonKind.POWER_OFF:
                return await self._verbs.answer(who, job, _ANSWERS[kind])
            case ButtonKind.POWER_ON_SOURCE | ButtonKind.DELETE_LEFTOVERS | ButtonKind.EVIDENCE | ButtonKind.MEASURE:
                shown = found["fingerprint"] or ""
                return await self._verbs.aftercare(who, job, _ACTS[kind], fingerprint=shown, dedupe=delivery)
            case ButtonKind.MUTE:
                return await self._ask_how_long(who, IncidentId(job), client, trigger=str(body["trigger_id"]))
            case ButtonKind.ACKNOWLEDGE | ButtonKind.RESOLVE | ButtonKind.DIAGNOSE_INCIDENT | ButtonKind.LINES:
                return await self._on_incident(who, IncidentId(job), kind, dedupe=delivery)
            case other:
                assert_never(other)

    async def _on_hold(self, who: Person, hold: JobId, kind: _HoldKind) -> Answer:
        match kind:
            case ButtonKind.RELEASE:
                return await self._verbs.release(who, hold)
            case ButtonKind.OTHER_HOST:
                return await self._verbs.other_host(who, hold)
            case ButtonKind.CANCEL_WAITING:
                return await self._verbs.cancel_waiting(who, hold)
            case other:
                assert_never(other)

    async def _on_incident(
        self,
        who: Person,
        incident: IncidentId,
        kind: Literal[ButtonKind.ACKNOWLEDGE, ButtonKind.RESOLVE, ButtonKind.DIAGNOSE_INCIDENT, ButtonKind.LINES],
        *,
        dedupe: str,
    ) -> Answer:
        match kind:
            case ButtonKind.ACKNOWLEDGE:
                return await self._verbs.acknowledge(who, incident)
            case ButtonKind.RESOLVE:
                return await self._verbs.resolve(who, incident)
            case ButtonKind.DIAGNOSE_INCIDENT:
                return await self._verbs.diagnose_incident(who, incident, dedupe=dedupe)
            case ButtonKind.LINES:
                return await self._verbs.incident_lines(who, incident)
            case other:
                assert_never(other)

    async def _ask_how_long(self, who: Person, incident: IncidentId, client: AsyncWebClient, *, trigger: str) -> Answer:
        """Open the form, while the trigger lives; what follows comes with the form."""
        choices = await self._verbs.mute_choices(who, incident)
        with calling("views.open"):
            view = mute_view(incident, choices, channel=who.channel)
            await client.views_open(trigger_id=trigger, view=view)
        return Answer("")

    async def _recognise(self, job: JobId, channel: str, body: Mapping[str, Any], *, what: str) -> None:
        """Let the message say whether it is the job's card. UserError for what nobody knows any more."""
        message = body.get("message") or {}  # an ephemeral one is kept nowhere, and is never a card
        ts = str(message.get("ts") or "")
        if not ts:
            return
        reply = str(message.get("thread_ts") or ts) != ts
        if await self._inbox.clicked(job, channel, "" if reply else ts):
            return
        text, blocks = str(message.get("text") or ""), message.get("blocks") or []
        await self._inbox.retire(job, channel, ts, text=text, blocks=blocks)
        raise UserError(
            f"{what} {job} is not known any more: it ended long ago, or Redis was emptied. I take its buttons away.",
            example="/coldmigrate list" if what == "Job" else "/nfcalerts list",
        )

    async def _tell(self, answer: Answer, respond: AsyncRespond) -> None:
        """To the clicker alone, beside the card. The response_url works in channels that the bot is not in."""
        sent = await respond(**as_message(answer), replace_original=False)
        if sent.status_code != 200:  # noqa: PLR2004 - done is done; that nobody read about it is only worth a line
            log.warning("A click was carried out, but its answer was refused: HTTP %s %s", sent.status_code, sent.body)


def _delivery(body: Mapping[str, Any], action: Mapping[str, Any]) -> str:
    """What tells this click from any other, the same person's next click on the same button too."""
    message = str((body.get("message") or {}).get("ts", ""))
    return str(body.get("trigger_id") or f"{message}:{action.get('action_ts', '')}:{body['user']['id']}")


def _kind(action: Mapping[str, Any]) -> ButtonKind | None:
    name = str(action.get("action_id", "")).removeprefix(PREFIX)
    return ButtonKind(name) if name in set(ButtonKind) else None
