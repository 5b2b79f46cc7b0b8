"""The outbox's writing side: everybody's way to Slack. Needs Redis and no token; what is sent is decided in `drain`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.migration.request import JobId
from bot.slack.blocks import BlockDict
from bot.slack.card import card_message
from bot.slack.port import JobCard, Outbox, Reply
from bot.slack.reply import reply_message
from bot.store.client import Store
from bot.store.scripts import load

KEEP: Final = timedelta(days=100)
"""How long it is known where a card is and which replies it got: longer than a job is kept."""

_SHOW: Final = load("bot.slack.scripts", "show", libraries=["outbox"])
_REPLY: Final = load("bot.slack.scripts", "reply", libraries=["outbox"])
_KEEP_MS: Final = round(KEEP.total_seconds() * 1000)


class RedisOutbox(Outbox):
    """See `port.Outbox`. Both methods return once Redis has it; asking twice does no harm, so they are repeated."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def show(self, card: JobCard) -> None:
        text, blocks = card_message(card)
        outline = _digest(card_message(replace(card, progress=None)))  # what is left is news; progress is chatter
        await _SHOW(
            self._store,
            card.job,
            card.channel,
            int(card.phase.ended),
            outline,
            _digest((text, blocks)),
            text,
            _json(blocks),
            _KEEP_MS,
            repeatable=True,
        )

    async def reply(self, job: JobId, channel: str, reply: Reply) -> None:
        text, blocks = reply_message(job, reply)
        await _REPLY(
            self._store, job, channel, reply.key, int(reply.final), text, _json(blocks), _KEEP_MS, repeatable=True
        )


def _json(blocks: list[BlockDict]) -> str:
    return json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))


def _digest(message: tuple[str, list[BlockDict]]) -> str:
    text, blocks = message
    return hashlib.sha256(f"{text}\n{_json(blocks)}".encode()).hexdigest()[:16]
