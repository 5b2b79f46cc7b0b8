"""Type-ahead in the form: what Slack asks at each key, answered from the inventory that is at hand."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from slack_bolt.context.ack.async_ack import AsyncAck

from bot.errors import ColdmigrateError
from bot.operations.port import Person, Verbs
from handlers.slack.form import CHOICES, opened_in, vm_options

log = logging.getLogger(__name__)

DEADLINE: Final = timedelta(seconds=2)
"""Slack shows "no results" after three seconds, whatever comes then."""
LONGEST_QUERY: Final = 100


class TypeAhead:
    """The listener. Whatever goes wrong, an empty list is better than an error that nobody can read there."""

    def __init__(self, verbs: Verbs) -> None:
        self._verbs = verbs

    async def vms(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        who = Person(user_id=str(body["user"]["id"]), channel=opened_in(body.get("view") or {}))
        query = str(body.get("value") or "")[:LONGEST_QUERY]
        try:
            async with asyncio.timeout(DEADLINE.total_seconds()):
                choices = await self._verbs.vms_like(who, query, limit=CHOICES)
        except (ColdmigrateError, TimeoutError) as error:
            log.info("No VMs to choose from: %s", error or "no answer in time")
            choices = ()
        await ack(options=vm_options(choices))
