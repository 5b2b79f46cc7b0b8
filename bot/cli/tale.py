"""What every story of the demo is told with: it types, reads and clicks as a person would, and checks what is true.

A referee that is not the bot (the simulated vCenter's own inventory) says where the VMs are; a story is told well only
if both agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol

from bot.playground.pager.board import PagerIncident
from bot.playground.slack.control import SlackControl
from bot.playground.slack.render import render_thread

CHANNEL: Final = "#migrations"
ALERTS: Final = "#nfc-alerts"
PATIENCE: Final = timedelta(seconds=90)
"""For one step of the story on a slow machine."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where the referee sees a VM, and whether it is on."""

    site: str
    host: str
    datastore: str
    power: str = field(default="", compare=False)


class Scene(Protocol):
    """What happens around the people in Slack, and what referees see of it."""

    @property
    def slack(self) -> SlackControl: ...

    @property
    def paged(self) -> Sequence[PagerIncident]:
        """What PagerDuty was told of, and how that stands."""
        ...

    async def where(self, vm: str) -> Whereabouts:
        """Where the simulated vCenter itself has the VM."""
        ...

    def relocate_by_hand(self, vm: str, site: str) -> str:
        """Let somebody else move a VM in the vSphere Client; the task's id."""
        ...

    async def advance(self, by: timedelta) -> None:
        """Let time pass for everybody."""
        ...


@dataclass(slots=True)
class Tale:
    """What is told on a scene, and what was found wrong there. `say` gets the transcript, piece by piece."""

    scene: Scene
    say: Callable[[str], None]
    wrong: list[str] = field(default_factory=list)

    @property
    def slack(self) -> SlackControl:
        return self.scene.slack

    async def where(self, vm: str) -> Whereabouts:
        """Where the referee sees it."""
        return await self.scene.where(vm)

    async def play(self) -> list[str]:
        """Tell it all. What is returned is what did not happen as it should; empty means that all of it did."""
        raise NotImplementedError

    async def _migrate(self, vm: str, site: str) -> list[Json]:
        """Type, approve, wait for the end, print the thread."""
        ts = await self._planned(vm, site)
        await self._approve(ts)
        await self.slack.wait_for(lambda: self._ended(ts), PATIENCE)
        self.say(await self._shown(ts))
        return await self.slack.thread(CHANNEL, ts)

    async def _planned(self, vm: str, site: str) -> str:
        """Type, and wait for the plan; its card."""
        seen = {message["ts"] for message in await self.slack.history(CHANNEL)}
        line = f"/coldmigrate {vm} {site}"
        self.say(f"alice types: {line}")
        outcome = await self.slack.command("alice", CHANNEL, line)
        self.say(f"only alice reads: {outcome.text or outcome.error}\n")
        ts: str = await self.slack.wait_for(lambda: self._new_card(seen), PATIENCE)
        await self.slack.wait_for(lambda: self._button(ts, "cm.approve"), PATIENCE)
        self.say(await self._shown(ts))
        return ts

    async def _approve(self, ts: str) -> None:
        approve = await self._button(ts, "cm.approve") or {"text": {"text": "nothing"}}
        self.say(f"\nalice clicks [{approve['text']['text']}]\n")
        await self.slack.click("alice", CHANNEL, ts, "cm.approve")

    async def _new_card(self, seen: set[str]) -> str | None:
        fresh = [m["ts"] for m in await self.slack.history(CHANNEL) if m["ts"] not in seen and m.get("blocks")]
        return fresh[0] if fresh else None

    async def _button(self, ts: str, action: str, channel: str = CHANNEL) -> Json | None:
        message = await self.slack.message(channel, ts)
        elements: list[Json] = [
            e for b in message.get("blocks", ()) for e in b.get("elements", ()) if isinstance(e, dict)
        ]
        return next((element for element in elements if element.get("action_id") == action), None)

    async def _ended(self, ts: str) -> bool:
        """The card has no Cancel any more and the thread has its last word."""
        if await self._button(ts, "cm.cancel"):
            return False
        told = {payload_of(message).get("reply") for message in (await self.slack.thread(CHANNEL, ts))[1:]}
        if told.isdisjoint({"failed", "verdict"}):
            return "end" in told
        return "ways" in told and await self._button(ts, "cm.retry") is not None

    async def channel(self) -> str:
        """Everything in the channels, as it stands."""
        every = [(channel, await self.slack.history(channel)) for channel in (CHANNEL, ALERTS)]
        return "\n".join([await self._shown(m["ts"], channel) for channel, messages in every for m in messages])

    async def _alerts(self) -> list[Json]:
        """The messages of the channel that hears of failures of others."""
        return [message for message in await self.slack.history(ALERTS) if message.get("blocks")]

    async def _check_told_in_its_thread_alone(self, ts: str, vm: str) -> None:
        """The watch has seen a migration of ours die: its thread hears of that, and no other channel."""
        await self.slack.wait_for(lambda: self._watch_says(ts), PATIENCE)
        self._check(not await self._alerts(), f"{ALERTS} was told of {vm}, which is ours")
        self._check(not self.scene.paged, f"PagerDuty was told of {vm}, which is ours")

    async def _watch_says(self, ts: str) -> bool:
        return any("The watch sees NFC errors" in m.get("text", "") for m in await self.slack.thread(CHANNEL, ts))

    async def _shown(self, ts: str, channel: str = CHANNEL) -> str:
        return render_thread(await self.slack.thread(channel, ts), names=await self.slack.names())

    def _title(self, text: str) -> None:
        self.say(f"\n=== {text} ===\n")

    def _check(self, true: object, otherwise: str) -> None:
        if not true:
            self.wrong.append(otherwise)


def payload_of(message: Json) -> Json:
    """What a message of the bot says of itself to the bot."""
    found: Json = (message.get("metadata") or {}).get("event_payload", {})
    return found


def words_of(message: Json) -> str:
    """All that a person reads in a message."""
    return f"{message.get('text', '')}\n{message.get('blocks', '')}"
