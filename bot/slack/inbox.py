"""What Slack delivered, as Redis remembers it: each delivery is carried out once, and a click mends what it shows."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from bot.migration.request import JobId
from bot.slack.outbox import KEEP
from bot.slack.pointers import retired
from bot.slack.port import Begin, Begun, Inbox
from bot.store.client import Store
from bot.store.scripts import load

REMEMBERED: Final = timedelta(days=1)
_BEGIN: Final = load("bot.slack.scripts", "begin")
_FINISH: Final = load("bot.slack.scripts", "finish")
_CLICKED: Final = load("bot.slack.scripts", "clicked", libraries=["outbox"])
_RETIRE: Final = load("bot.slack.scripts", "retire", libraries=["outbox"])


class RedisInbox(Inbox):
    """See `port.Inbox`. Everything here may be asked twice."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def begin(self, kind: str, delivery: str, *, within: timedelta) -> Begun:
        token = secrets.token_hex(8)
        found = await _BEGIN(self._store, kind, delivery, token, within, REMEMBERED, repeatable=True)
        state, said = found
        return Begun(Begin(state), token=token, said=said)

    async def finish(self, kind: str, delivery: str, begun: Begun, *, said: str) -> None:
        await _FINISH(self._store, kind, delivery, begun.token, said, REMEMBERED, repeatable=True)

    async def clicked(self, job: JobId, channel: str, ts: str) -> bool:
        known = await _CLICKED(self._store, job, channel, ts, KEEP, repeatable=True)
        return bool(known != "unknown job")

    async def retire(
        self, job: JobId, channel: str, ts: str, *, text: str, blocks: Sequence[Mapping[str, Any]]
    ) -> None:
        text, shown = retired(text, blocks)
        await _RETIRE(self._store, job, channel, ts, text, json.dumps(shown, ensure_ascii=False), repeatable=True)
