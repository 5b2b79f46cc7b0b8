"""/nfcalerts: parse, call one operation, ack with its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.operations.port import Answer, Person, Verbs
from handlers.slack.boundary import as_message
from handlers.slack.deliveries import Deliveries
from handlers.slack.parse_alerts import (
    AlertsHelp,
    AlertsHere,
    AlertsOff,
    AlertsStatus,
    ListAlerts,
    MuteIt,
    UnmuteIt,
    parse_alerts,
)


class AlertsCommand:
    """The listener."""

    def __init__(self, verbs: Verbs, deliveries: Deliveries) -> None:
        self._verbs = verbs
        self._deliveries = deliveries

    async def typed(self, ack: AsyncAck, command: Mapping[str, Any]) -> None:
        told = await self._deliveries.once("order", str(command["trigger_id"]), lambda: self._carried_out(command))
        await ack(**as_message(told.answer))

    async def _carried_out(self, command: Mapping[str, Any]) -> Answer:
        channel = str(command["channel_id"])
        who = Person(user_id=str(command["user_id"]), channel=channel)
        match parse_alerts(str(command.get("text") or "")):
            case AlertsHere():
                return await self._verbs.alerts_here(who, channel)
            case AlertsOff():
                return await self._verbs.alerts_off(who)
            case MuteIt(order=order):
                return await self._verbs.mute(who, order)
            case UnmuteIt(scope=scope):
                return await self._verbs.unmute(who, str(scope))
            case ListAlerts() | AlertsStatus() | AlertsHelp() as request:
                return await self._told(who, request)
            case other:
                assert_never(other)

    async def _told(self, who: Person, request: ListAlerts | AlertsStatus | AlertsHelp) -> Answer:
        match request:
            case ListAlerts():
                return await self._verbs.alerts_list(who)
            case AlertsStatus():
                return await self._verbs.alerts_status(who)
            case AlertsHelp():
                return await self._verbs.alerts_help(who)
            case other:
                assert_never(other)
