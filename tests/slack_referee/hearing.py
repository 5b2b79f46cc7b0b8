"""Hears what the app says to every simulated Slack of this process, and says what is wrong with it.

Used by all tests (`tests/fixtures_judgement.py`) and by `judged_demo`, so that no message of ours goes unjudged.
"""

from __future__ import annotations

from typing import Any

from bot.playground.slack.player import SlackPlayer
from tests.slack_referee.judge import faults_of_message, faults_of_view

Json = dict[str, Any]


class Hearing:
    """Listens to every player that is made after `begin`. What was heard is kept until `verdict` is asked for."""

    def __init__(self) -> None:
        self.count = 0
        self._heard: list[tuple[str, Json]] = []

    def begin(self) -> None:
        """From now on, whoever makes the player."""
        SlackPlayer.referees.append(self.hear)

    def hear(self, kind: str, payload: Json) -> None:
        self.count += 1
        self._heard.append((kind, payload))

    def forget(self) -> None:
        self._heard.clear()

    def verdict(self) -> list[str]:
        """Every fault of what was heard since the last time, with its kind and the message's beginning."""
        heard, self._heard = self._heard, []
        faults = [
            f"{kind} {_named(payload)}: {fault}"
            for kind, payload in heard
            for fault in (faults_of_view(payload) if kind == "view" else faults_of_message(payload))
        ]
        return list(dict.fromkeys(faults))


def _named(payload: Json) -> str:
    title = payload.get("title")
    said = payload.get("text") or (title.get("text") if isinstance(title, dict) else "") or payload.get("type") or ""
    return repr(str(said)[:60])
