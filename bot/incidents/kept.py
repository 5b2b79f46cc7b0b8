"""Incidents in Redis. The scripts decide; here they are asked, and their answers read. Writes the keys of its room."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from bot.incidents.incident import Case, Change, IncidentId, Mute, Scope, State
from bot.incidents.port import AlertPlace, Incidents
from bot.incidents.records import FORM, Reading, arguments, ms, mute_text, mutes_in, pairs, place_in
from bot.store import keys
from bot.store.client import Store
from bot.store.scripts import Argument, Script, load, milliseconds

KEPT: Final = timedelta(days=90)
"""How long an incident is kept after its end."""

SHOWN: Final = timedelta(days=1)
"""How long one that ended stands among those that live, if it was resolved or has a message."""

MOST_ENDED: Final = 2_000

_CONSTANTS: Final = f"local KEPT, SHOWN = {milliseconds(KEPT)}, {milliseconds(SHOWN)}"


def _script(name: str) -> Script:
    return load("bot.incidents", f"scripts/{name}", libraries=("scripts/standing",), constants=_CONSTANTS)


_COMMIT: Final = _script("commit")
_LIVE: Final = _script("live")
_SINCE: Final = _script("since")
_SPOKEN: Final = _script("spoken")
_HUSH: Final = _script("hush")
_MOVE: Final = _script("move")
_MUTE: Final = _script("mute")
_UNMUTE: Final = _script("unmute")
_MUTES: Final = _script("mutes")
_PLACE: Final = _script("place")


class RedisIncidents(Incidents):
    """See the door for what is promised."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._reading = Reading()

    async def begin(self, epoch: str) -> str:  # noqa: ARG002 - that it still holds is looked at with every commit
        return await self._store.execute_command("HGET", keys.JUDGE, "after") or ""

    async def commit(self, epoch: str, *, after: str, changes: Sequence[Change]) -> bool:
        return bool(await self._ask(_COMMIT, epoch, after, FORM, *arguments(changes)))

    async def live(self) -> Sequence[Case]:
        return self._reading.cases(await self._ask(_LIVE), remember=True)

    async def get(self, incident: IncidentId) -> Case | None:
        fields = await self._store.hash(keys.incident(incident))
        return self._reading.case(fields) if fields else None

    async def ended_since(self, moment: datetime) -> Sequence[Case]:
        cases = self._reading.cases(await self._ask(_SINCE, ms(moment), MOST_ENDED))
        return sorted(cases, key=lambda case: (case.standing.opened_at, case.incident.id))[-MOST_ENDED:]

    async def spoken(self, incident: IncidentId, channel: str) -> Case | None:
        return self._case(await self._ask(_SPOKEN, incident, channel, durable=True))

    async def hush(self, incident: IncidentId, why: str) -> None:
        await self._ask(_HUSH, incident, why)

    async def move(self, incident: IncidentId, to: State, *, by: str) -> Case | None:
        return self._case(await self._ask(_MOVE, incident, to.value, by, durable=True))

    async def mute(self, mute: Mute) -> None:
        await self._ask(_MUTE, str(mute.scope), ms(mute.until), mute_text(mute), durable=True)

    async def unmute(self, scope: Scope) -> bool:
        return bool(await _UNMUTE(self._store, str(scope), durable=True))  # asked twice, it would deny what it did

    async def mutes(self) -> Sequence[Mute]:
        return mutes_in(await self._ask(_MUTES))

    async def place(self) -> AlertPlace | None:
        return place_in(await self._store.hash(keys.ALERTS))

    async def set_place(self, channel: str, *, by: str) -> None:
        await self._ask(_PLACE, channel, by, durable=True)

    async def _ask(self, script: Script, *args: Argument, durable: bool = False) -> Any:
        """For what may be asked twice: what was done already is done again, or nothing is."""
        return await script(self._store, *args, repeatable=True, durable=durable)

    def _case(self, flat: Sequence[str]) -> Case | None:
        return self._reading.case(pairs(flat)) if flat else None
