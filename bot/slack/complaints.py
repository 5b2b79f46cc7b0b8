"""What Slack refuses for good until a person acts: who that person is, and what they are told, once a day.

What nobody can be told through Slack, because the token itself is gone, is in the log, and in `outbox:trouble`
until Slack takes something again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from bot.slack.blocks import BlockDict, Layout, compose
from bot.slack.client import Fault, SlackError
from bot.slack.plaintext import spoken
from bot.slack.records import Kind, Record
from bot.store import keys
from bot.store.client import Store
from bot.store.scripts import load

log = logging.getLogger(__name__)

AGAIN: Final = timedelta(days=1)
"""How often an admin hears of the same problem in the same place."""

BROKEN_FOR: Final = timedelta(minutes=10)
"""How long a channel takes nothing before the requester is told the end in a direct message."""

_CAN_STILL_SPEAK: Final = frozenset({"missing_scope", "no_permission"})
_NOTE: Final = load("bot.slack.scripts", "note", libraries=["outbox"])


class Complaints:
    """Notes to people about records that Slack refused. `admins` are Slack user ids; without any the log has to do."""

    def __init__(self, store: Store, admins: Sequence[str]) -> None:
        self._store = store
        self._admins = list(admins)

    async def about(self, record: Record, error: SlackError) -> None:
        """Tell whoever can mend it, once a day for each problem and place; at the end, the requester too."""
        if record.kind in (Kind.NOTE, Kind.AMEND):
            return
        if error.fault is Fault.TOKEN and error.code not in _CAN_STILL_SPEAK:
            log.error("Nothing reaches Slack: %s", error)
            await self._store.hset(keys.outbox("trouble"), error.code, str(error))
        elif error.fault in (Fault.PLACE, Fault.TOKEN, Fault.CONTENT):
            await self._tell_admins(record, error)
        if error.fault is Fault.PLACE and record.final and record.age >= BROKEN_FOR:
            await self._tell_requester(record, error)

    async def _tell_admins(self, record: Record, error: SlackError) -> None:
        place = error.method if error.fault is Fault.TOKEN else record.channel
        said = f"Slack refuses what I say, and you can mend that. {error}"
        text, blocks = _note(said, f"About job {record.job}. It is tried again every few minutes, for a day.", [])
        if self._admins:
            await self._queue(f"{error.code}:{place}", record, self._admins, text, blocks)
        else:
            log.error("Nobody is told in Slack, because slack.admins in the config names nobody: %s", error)

    async def _tell_requester(self, record: Record, error: SlackError) -> None:
        kept = [block for block in record.blocks if block.get("type") != "actions"]
        said = f"The channel takes no message of mine ({error.code}), so you read it here."
        _, blocks = _note(said, "An admin of the bot can mend that.", kept)
        await self._queue(f"end:{record.job}", record, [], record.text, blocks)

    async def _queue(
        self, subject: str, record: Record, people: list[str], text: str, blocks: Sequence[BlockDict]
    ) -> None:
        shown = json.dumps(blocks, ensure_ascii=False)
        await _NOTE(self._store, subject, AGAIN, record.job, json.dumps(people), text, shown, repeatable=True)


def _note(said: str, small: str, inside: Sequence[BlockDict]) -> tuple[str, list[BlockDict]]:
    def body(layout: Layout) -> None:
        layout.paragraph(said)

    def ending(layout: Layout) -> None:
        layout.small(small)

    first, *last = compose(body, ending=ending)
    return spoken(said), [first, *inside[:45], *last]
