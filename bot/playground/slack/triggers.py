"""Trigger ids: three seconds and one use to open a view in front of the person who did something."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from bot.playground.slack.clock import Clock
from bot.playground.slack.refusal import ApiRefusalError

LIFETIME = timedelta(seconds=3)


@dataclass(slots=True)
class _Trigger:
    user: str
    expires: float
    used: bool = False


class Triggers:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._issued: dict[str, _Trigger] = {}

    def issue(self, user: str) -> str:
        trigger_id = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        self._issued[trigger_id] = _Trigger(user, self._clock.steady() + LIFETIME.total_seconds())
        return trigger_id

    def spend(self, trigger_id: str) -> str:
        """The user it belongs to. Refused if unknown, late, or used before."""
        trigger = self._issued.get(trigger_id)
        if trigger is None:
            raise ApiRefusalError("invalid_trigger_id")
        if trigger.used:
            raise ApiRefusalError("exchanged_trigger_id")
        if self._clock.steady() > trigger.expires:
            raise ApiRefusalError("expired_trigger_id")
        trigger.used = True
        return trigger.user
