"""The form as people meet it: opened by a command without arguments, a shortcut or a button; filled in; submitted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import OutsideError, UserError
from bot.operations.port import Answer, Person, Verbs
from bot.slack.client import calling
from bot.slack.plaintext import clean_clip
from handlers.slack.boundary import answered, as_message
from handlers.slack.deliveries import Deliveries
from handlers.slack.form import form_view, read_form, said_view
from handlers.slack.parse import Empty, parse

log = logging.getLogger(__name__)

LONGEST_ERROR: Final = 500


async def nothing_typed(command: Mapping[str, Any]) -> bool:
    """Whether a command has no arguments, as far as Bolt's choice of a listener is concerned."""
    try:
        return isinstance(parse(str(command.get("text") or "")), Empty)
    except UserError:
        return False


class Forms:
    """The listeners. A trigger_id lives for three seconds, so a form is opened before anything is acked."""

    def __init__(self, verbs: Verbs, deliveries: Deliveries) -> None:
        self._verbs = verbs
        self._deliveries = deliveries

    async def asked(self, ack: AsyncAck, command: Mapping[str, Any], client: AsyncWebClient) -> None:
        """The command alone: the form, or in the ack why there is none."""
        who = Person(user_id=str(command["user_id"]), channel=str(command["channel_id"]))
        trigger = str(command["trigger_id"])
        told = await self._deliveries.once("order", trigger, lambda: self._opened(client, who, trigger))
        await ack(**as_message(told.answer))

    async def opened(self, ack: AsyncAck, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        """A shortcut or a button: the form, or why there is none, in a modal or else in a direct message."""
        await ack()
        who = Person(user_id=str(body["user"]["id"]), channel="")
        trigger = str(body["trigger_id"])
        told = await self._deliveries.once("form", trigger, lambda: self._opened(client, who, trigger))
        if told.answer.text and not told.again:
            await self._say(client, who, trigger, told.answer)

    async def submitted(self, ack: AsyncAck, body: Mapping[str, Any], view: Mapping[str, Any]) -> None:
        """Draft it, then ack. What is wrong stands under the VM, and what was filled in stays.

        However often one form is submitted, it is drafted once: its id recognises it.
        """
        taken: list[Answer] = []

        async def drafted() -> Answer:
            filled = read_form(view)
            who = Person(user_id=str(body["user"]["id"]), channel=filled.opened_in)
            taken.append(await self._verbs.migrate(who, filled.channel, filled.order, dedupe=str(view["id"])))
            return taken[0]

        answer = await answered(drafted())
        if taken:
            await ack(response_action="update", view=said_view(answer.text))
        else:
            await ack(response_action="errors", errors={"vm": clean_clip(answer.text, LONGEST_ERROR, lines=True)})

    async def _say(self, client: AsyncWebClient, who: Person, trigger: str, answer: Answer) -> None:
        """There is no message to answer beside, and what kept the form closed may keep every modal closed."""
        try:
            with calling("views.open"):
                await client.views_open(trigger_id=trigger, view=said_view(answer.text))
        except OutsideError as error:
            log.warning("%s It is told in a direct message.", error)
            shown = as_message(answer)
            with calling("chat.postMessage", about=who.user_id):
                await client.chat_postMessage(channel=who.user_id, text=shown["text"], blocks=shown["blocks"])

    async def _opened(self, client: AsyncWebClient, who: Person, trigger: str) -> Answer:
        sites, options = await asyncio.gather(self._verbs.target_sites(who), self._verbs.options(who))
        with calling("views.open"):
            view = form_view(sites, options=options, channel=who.channel)
            await client.views_open(trigger_id=trigger, view=view)
        return Answer("")
