"""The act of the usual story that nobody in Slack began: somebody else's copy dies, and whoever is on call hears of it.

Checked against the simulated Slack and the simulated PagerDuty: one message, one page, and each of them told once.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

from bot.cli.tale import ALERTS, PATIENCE, Json, Tale, words_of
from bot.playground.pager.board import PagerIncident

OTHERS: Final = "cache01"
ON_CALL: Final = "Carol Example"
UNANSWERED: Final = timedelta(minutes=1)
"""What `after_minutes` of the stage's config says."""


class AlertAct(Tale):
    """Its part of a tale; whoever tells one mixes it in."""

    async def _an_alert(self) -> None:
        self._title(f"dave, who has never heard of all this, moves {OTHERS} to site2 in the vSphere Client")
        before = await self.where(OTHERS)
        self.scene.relocate_by_hand(OTHERS, "site2")
        ts = str((await self.slack.wait_for(self._alert, PATIENCE))["ts"])
        self.say(await self._shown(ts, ALERTS))
        await self._check_message(ts)
        page = await self._nobody_answers(ts)
        await self._carol_takes_it(ts, page)
        await self._check_once(page)
        after = await self.where(OTHERS)
        self._check(after == before, f"{OTHERS} was at {before} and is at {after}")

    async def _alert(self) -> Json | None:
        """The message, once it names the VM: vCenter's events do, and no line of a host."""
        return next((one for one in await self._alerts() if OTHERS in words_of(one)), None)

    async def _check_message(self, ts: str) -> None:
        said = words_of(await self.slack.message(ALERTS, ts))
        for part in ("Packet loss between site1 and site2", "a migration that I did not start", "esx-site1-", ON_CALL):
            self._check(part in said, f"the alert of {OTHERS} does not say {part!r}")
        self._check(not self.scene.paged, "PagerDuty was told before anybody could acknowledge")

    async def _nobody_answers(self, ts: str) -> PagerIncident:
        """A minute passes, and PagerDuty calls."""
        self.say("\nA minute passes, and nobody acknowledges.\n")
        await self.scene.advance(UNANSWERED)
        await self.slack.wait_for(lambda: self._thread_says(ts, "Told PagerDuty"), PATIENCE)
        page = self.scene.paged[-1]
        payload = page.events[0]["payload"]
        self.say(f"PagerDuty calls {ON_CALL}: {payload['summary']}")
        said = f"{payload} {page.events[0].get('links')}"
        for part in ("packet_loss", OTHERS, "esx-site1-", "https://"):
            self._check(part in said, f"the page does not say {part!r}")
        await self.slack.wait_for(lambda: self._thread_says(ts, f"on call: {ON_CALL}"), PATIENCE)
        return page

    async def _carol_takes_it(self, ts: str, page: PagerIncident) -> None:
        for action in ("acknowledge", "resolve"):
            await self.slack.wait_for(partial(self._button, ts, f"cm.{action}", ALERTS), PATIENCE)
            self.say(f"carol clicks [{action.title()}]")
            await self.slack.click("carol", ALERTS, ts, f"cm.{action}")
            await self.slack.wait_for(partial(_said_last, page, action), PATIENCE)
            self.say(f"PagerDuty: {page.id} is {page.standing}\n")
        await self.slack.wait_for(lambda: self._alert_says(ts, "Resolved by"), PATIENCE)
        self.say(await self._shown(ts, ALERTS))

    async def _check_once(self, page: PagerIncident) -> None:
        alerts, pages = await self._alerts(), self.scene.paged
        self._check(len(alerts) == 1, f"{ALERTS} has {len(alerts)} messages, and one thing happened")
        self._check(len(pages) == 1, f"PagerDuty has {len(pages)} incidents, and one thing happened")
        actions = [event["event_action"] for event in page.events]
        self._check(actions == ["trigger", "acknowledge", "resolve"], f"PagerDuty was told {actions}")

    async def _alert_says(self, ts: str, text: str) -> bool:
        return text in words_of(await self.slack.message(ALERTS, ts))

    async def _thread_says(self, ts: str, text: str) -> bool:
        return any(text in words_of(message) for message in await self.slack.thread(ALERTS, ts))


async def _said_last(page: PagerIncident, action: str) -> bool:
    said: str = page.events[-1]["event_action"]
    return said == action
