"""Escalations in Redis: what has to be sent to whom, when, and what came of it. Every change is one script.

A telling is taken under a lease and a fence. Who dies while sending leaves a lease that runs out, and the next one
sends the same again, under the same id: whoever was told twice can see that. Nothing is dropped but for a reason that
is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.incidents.incident import IncidentId
from bot.incidents.port import Action, Escalation
from bot.incidents.telling import Step, Telling, Tellings
from bot.store import keys
from bot.store.client import LONGEST_BLOCK, Store
from bot.store.scripts import load, milliseconds

KEPT: Final = timedelta(days=90)
"""How long it is known what a sink was told, from the last change on."""

LOOK_ANYWAY: Final = timedelta(minutes=1)
"""After that somebody looks how an incident stands, although nobody said so: who should have may have died before."""

TROUBLE: Final = 500
_SHORTEST_WAIT: Final = timedelta(milliseconds=10)

_PACKAGE: Final = "bot.incidents.scripts"
_SHARED: Final = ["escalations"]
_CONSTANTS: Final = f"local KEPT = {milliseconds(KEPT)}"
_ARRANGE: Final = load(_PACKAGE, "escalation_arrange", libraries=_SHARED, constants=_CONSTANTS)
_LOOK: Final = load(_PACKAGE, "escalation_look", libraries=_SHARED, constants=_CONSTANTS)
_TAKE: Final = load(_PACKAGE, "escalation_take", libraries=_SHARED, constants=_CONSTANTS)
_END: Final = load(_PACKAGE, "escalation_end", libraries=_SHARED, constants=_CONSTANTS)
_NEXT: Final = load(_PACKAGE, "escalation_next")


class RedisEscalations(Tellings):
    """See `port.Escalations` and `telling.Tellings`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def arrange(self, incident: IncidentId, sink: str, *, at: datetime) -> None:
        moment = round(at.timestamp() * 1000)
        await _ARRANGE(self._store, incident, sink, moment, repeatable=True, durable=True)

    async def look_again(self, incident: IncidentId) -> None:
        await _LOOK(self._store, incident, repeatable=True)

    async def of(self, incident: IncidentId) -> Sequence[Escalation]:
        sinks = await self._store.execute_command("SMEMBERS", keys.escalated(incident))
        return [found for sink in sorted(sinks) if (found := await self._escalation(incident, sink)) is not None]

    async def _escalation(self, incident: IncidentId, sink: str) -> Escalation | None:
        record = await self._store.hash(keys.escalation(incident, sink))
        if not record:
            return None
        waits = record.get("state") == "live" and not {"said", "refused"} & record.keys()
        return Escalation(
            incident=incident,
            sink=sink,
            due=datetime.fromtimestamp(int(record["at"]) / 1000, UTC) if waits else None,
            said=_action(record.get("said", "")),
            attempts=int(record.get("attempts", 0)),
            trouble=record.get("trouble", ""),
            url=record.get("url", ""),
        )

    async def wait(self, sink: str, *, within: timedelta) -> None:
        left = int(await _NEXT(self._store, sink, repeatable=True))
        span = min(within, LONGEST_BLOCK) if left < 0 else min(within, LONGEST_BLOCK, timedelta(milliseconds=left))
        if span > _SHORTEST_WAIT:  # 0 would mean for ever
            await self._store.blocking.execute_command("BLPOP", keys.escalations_bell(sink), span.total_seconds())

    async def take(self, sink: str, *, lease: timedelta, limit: int) -> Sequence[Telling]:
        found = await _TAKE(self._store, sink, lease, limit)
        return [_telling(sink, *entry) for entry in found]

    async def told(self, telling: Telling, action: Action) -> bool:
        return await self._end(telling, "told", action)

    async def failed(self, telling: Telling, *, delay: timedelta, maybe: bool, trouble: str) -> bool:
        return await self._end(telling, "failed", delay=delay, maybe=maybe, trouble=trouble)

    async def refuse(self, telling: Telling, action: Action, *, trouble: str) -> bool:
        return await self._end(telling, "refused", action, trouble=trouble)

    async def put_off(self, telling: Telling, step: Step, *, note: str = "") -> bool:
        delay = LOOK_ANYWAY if step is Step.REST else timedelta(0)
        return await self._end(telling, step.value, delay=delay, trouble=note)

    async def found(self, telling: Telling, url: str) -> None:
        await self._store.hset(keys.escalation(telling.incident, telling.sink), "url", url)

    async def _end(
        self,
        telling: Telling,
        what: str,
        argument: str = "",
        *,
        delay: timedelta = timedelta(0),
        maybe: bool = False,
        trouble: str = "",
    ) -> bool:
        whose = (telling.incident, telling.sink, telling.fence, telling.seen)
        kept = await _END(self._store, *whose, what, argument, delay, int(maybe), trouble[:TROUBLE], repeatable=True)
        return bool(kept)


def _telling(sink: str, incident: str, ripe: int, failing: str, pairs: Sequence[str]) -> Telling:
    record: Mapping[str, str] = dict(zip(pairs[::2], pairs[1::2], strict=True))
    return Telling(
        incident=IncidentId(incident),
        sink=sink,
        opening=int(record["opening"]),
        fence=record["fence"],
        seen=record.get("looks", "0"),
        over=record["state"] == "over",
        said=_action(record.get("said", "")),
        ripe=bool(ripe),
        doubt="doubt" in record,
        refused=_action(record.get("refused", "")),
        failures=int(record["attempts"]),
        failing=timedelta(milliseconds=int(failing)),
        patience=timedelta(milliseconds=int(record["patience"])),
        url=record.get("url", ""),
    )


def _action(word: str) -> Action | None:
    return Action(word) if word else None
