"""Everybody who looks at the page, and the bells that tell them when something changed. Nothing here polls.

Whatever is the same for all is made once for all, and only if somebody looks.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from bot.playground.page.onlooker import PERSONAL, Onlooker, Part
from bot.playground.page.said import Look
from bot.playground.page.slack_parts import SlackParts
from bot.playground.page.world_part import WorldPart, universe_of
from bot.playground.slack.player import SlackPlayer
from bot.playground.vcenter.changes import Changes
from bot.playground.vcenter.player import RunningWorld

Json = dict[str, Any]
A_LONG_TIME: Final = timedelta(hours=1)
"""The players' bells want to know how long to wait; silence means nothing, so it is waited out again."""

OF_SLACK: Final = frozenset(Part) - {Part.WORLD}
OF_THE_WORLD: Final = frozenset({Part.WORLD})


class Audience:
    """All onlookers, and the parts that they are shown."""

    def __init__(self, slack: SlackParts, world: WorldPart) -> None:
        self._slack_parts = slack
        self._world_part = world
        self._onlookers: set[Onlooker] = set()
        self._made: dict[Part, str] = {}
        self._clock: asyncio.TimerHandle | None = None

    def add(self, onlooker: Onlooker) -> None:
        self._onlookers.add(onlooker)
        onlooker.tell(frozenset(Part) - PERSONAL)

    def remove(self, onlooker: Onlooker) -> None:
        self._onlookers.discard(onlooker)

    async def listen(self, slack: SlackPlayer, world: RunningWorld, *, on_slack: Callable[[], None]) -> None:
        """Hear all bells, for ever. `on_slack` is called after every change in Slack."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._hear_slack(slack, on_slack))
                for player in world.players.values():
                    group.create_task(self._hear(player.estate.inventory.changes))
                for _, _, link in universe_of(world).links.each():
                    group.create_task(self._hear(link.changes))
        finally:
            self._look_again_when(None)

    def slack_changed(self) -> None:
        self._tell(OF_SLACK)

    def world_changed(self) -> None:
        self._tell(OF_THE_WORLD)

    def make(self, part: Part, look: Look | None) -> str:
        """A part as JSON."""
        if part in PERSONAL:
            return json.dumps(self._personal(part, look)) if look else "null"
        if part not in self._made:
            self._made[part] = self._shared(part)
        return self._made[part]

    def _personal(self, part: Part, look: Look) -> Any:
        makers: dict[Part, Callable[[Look], Any]] = {
            Part.CHANNEL: self._slack_parts.channel,
            Part.THREAD: self._slack_parts.thread,
            Part.VIEWS: self._slack_parts.views,
            Part.HOME: self._slack_parts.home,
        }
        return makers[part](look)

    def _shared(self, part: Part) -> str:
        if part is Part.TRAFFIC:
            return self._slack_parts.traffic()
        if part is Part.WORLD:
            self._look_again_when(self._world_part.stale_after())
            return json.dumps(self._world_part.value())
        return json.dumps(self._slack_parts.tally() if part is Part.TALLY else self._slack_parts.workspace())

    def _look_again_when(self, stale: timedelta | None) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
        if stale is not None:
            self._clock = asyncio.get_running_loop().call_later(stale.total_seconds(), self.world_changed)

    def _tell(self, parts: frozenset[Part]) -> None:
        for part in parts:
            self._made.pop(part, None)
        for onlooker in self._onlookers:
            onlooker.tell(parts)

    async def _hear_slack(self, slack: SlackPlayer, on_slack: Callable[[], None]) -> None:
        changes = slack.workspace.changes
        while True:
            seen = changes.last
            if await changes.wait_after(seen, A_LONG_TIME):
                on_slack()
                self.slack_changed()

    async def _hear(self, changes: Changes) -> None:
        while True:
            seen = changes.revision
            await changes.wait(beyond=seen, seconds=A_LONG_TIME.total_seconds())
            if changes.revision > seen:
                self.world_changed()
