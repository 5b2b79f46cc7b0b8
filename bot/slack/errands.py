"""Errands in Redis: what Slack told a bot and no bot has done yet. Kept before the ack, done by whichever bot."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from bot.slack.port import Errand, ErrandKind, Errands, TakenErrand
from bot.store.client import Store
from bot.store.scripts import load

log = logging.getLogger(__name__)

REMEMBERED: Final = timedelta(days=1)
"""Slack repeats for minutes; nobody waits for a diagnosis for longer than this."""

_KEEP: Final = load("bot.slack.scripts", "errand_keep")
_TAKE: Final = load("bot.slack.scripts", "errand_take")
_END: Final = load("bot.slack.scripts", "errand_end")
_DONE: Final = -1


class RedisErrands(Errands):
    """See `port.Errands`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, errand: Errand) -> bool:
        # As ASCII: somebody's typing may have left half a character in it, which Redis could not keep.
        told = json.dumps(asdict(errand))
        return bool(await _KEEP(self._store, errand.id, told, REMEMBERED, repeatable=True))

    async def take(self, *, lease: timedelta) -> TakenErrand | None:
        while found := await _TAKE(self._store, lease):
            errand_id, fence, attempt, told = found
            try:
                return TakenErrand(_read(json.loads(told)), fence, int(attempt))
            except (KeyError, TypeError, ValueError) as error:
                log.error("The errand %s cannot be read, and is dropped: %r", errand_id, error)  # noqa: TRY400
                await _END(self._store, errand_id, fence, _DONE, repeatable=True)
        return None

    async def end(self, taken: TakenErrand) -> None:
        await _END(self._store, taken.errand.id, taken.fence, _DONE, repeatable=True)

    async def later(self, taken: TakenErrand, delay: timedelta) -> None:
        await _END(self._store, taken.errand.id, taken.fence, delay, repeatable=True)


def _read(told: dict[str, Any]) -> Errand:
    return Errand(**{**told, "kind": ErrandKind(told["kind"]), "files": tuple(map(str, told["files"]))})
