"""Which changes count as made: those that more than one machine, or a disk, is known to have. No connection here.

Redis answers a write before its replicas have it, so a primary that dies may take an acknowledged change along. WAIT
on the same connection asks for the replicas, WAITAOF for the disks; neither makes the write undone if too few answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from redis.exceptions import ResponseError

from bot.errors import UnconfirmedError
from bot.store import keys

REPLICAS_WITHIN: Final = timedelta(seconds=1)
DISKS_WITHIN: Final = timedelta(seconds=2)
"""An append-only file that is synced every second is up to a second behind."""

Command = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Durability:
    """What a durable change waits for: so many replicas, and the append-only files of all of them and the primary."""

    replicas: int = 0
    disk: bool = False

    @property
    def wanted(self) -> bool:
        """Whether anything is waited for."""
        return bool(self.replicas or self.disk)

    def commands(self) -> list[Command]:
        """What follows a change on its connection.

        The first is a write of no meaning: WAIT looks at this connection's last write, and a change that is asked for
        again writes nothing, so its first, unconfirmed half would be forgotten.
        """
        commands: list[Command] = [("SET", keys.CONFIRMED, "")]
        if self.replicas:
            commands.append(("WAIT", self.replicas, _milliseconds(REPLICAS_WITHIN)))
        if self.disk:
            commands.append(("WAITAOF", 1, self.replicas, _milliseconds(DISKS_WITHIN)))
        return commands

    def check(self, answers: Sequence[Any], where: str) -> None:
        """Raises `UnconfirmedError` if what `commands` answered is less than what was asked for."""
        refused = next((answer for answer in answers if isinstance(answer, ResponseError)), None)
        if refused is not None:
            raise self._unconfirmed(where, f"it could not be confirmed ({refused})")
        _, *counts = answers
        if self.replicas and counts[0] < self.replicas:
            raise self._unconfirmed(where, f"only {counts[0]} of {self.replicas} replicas confirmed it in time")
        if self.disk and (counts[-1][0] < 1 or counts[-1][1] < self.replicas):
            raise self._unconfirmed(where, f"it is not known to be on disk, there and on {self.replicas} replicas")

    def _unconfirmed(self, where: str, what: str) -> UnconfirmedError:
        return UnconfirmedError(
            f"Redis at {where} made the change, but {what}. Asking again does no harm. "
            "If this goes on, check the replicas (`coldmigrate doctor`)."
        )


def _milliseconds(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
