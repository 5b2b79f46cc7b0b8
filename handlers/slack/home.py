"""App Home: one person's overview, drawn and published whenever they open the tab or ask for a fresh one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from bot.migration.machine import WORDS
from bot.operations.port import Answer, Home, IncidentGlance, JobGlance, LinkGlance, Person, Verbs
from bot.slack.blocks import ButtonSpec, Layout
from bot.slack.card import EMOJI
from bot.slack.client import calling
from bot.slack.figures import rate
from handlers.slack.boundary import answered
from handlers.slack.form import OPEN

REFRESH: Final = "cm.home.refresh"
_NO_RIGHTS: Final = (
    "You may do nothing here yet. Ask the people who keep coldmigrate.toml for a [[rights]] entry; your Slack id is "
)


class HomeTab:
    """The listeners."""

    def __init__(self, verbs: Verbs) -> None:
        self._verbs = verbs

    async def opened(self, event: Mapping[str, Any], client: AsyncWebClient) -> None:
        if event.get("tab") == "home":
            await self._publish(str(event["user"]), client)

    async def refreshed(self, ack: AsyncAck, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await self._publish(str(body["user"]["id"]), client)

    async def _publish(self, user: str, client: AsyncWebClient) -> None:
        drawn: list[dict[str, Any]] = []

        async def draw() -> Answer:
            found = await self._verbs.home(Person(user_id=user, channel=""))
            drawn.append(home_view(found, user=user, at=datetime.now(UTC)))
            return Answer("")

        answer = await answered(draw())
        with calling("views.publish", about=user):
            await client.views_publish(user_id=user, view=drawn[0] if drawn else _sorry(answer.text))


def home_view(home: Home, *, user: str, at: datetime) -> dict[str, Any]:
    """The tab for this person. Pure."""
    layout = Layout()
    layout.header("Cold migrations")
    if not home.visible_sites:
        layout.paragraph(f"{_NO_RIGHTS}{user}.")
        return _view(layout)
    layout.actions(list(_buttons(home)))
    if home.incidents or home.mutes:
        _alerts(layout, home)
    _listed(layout, "Yours", home.mine, empty="None yet.")
    _listed(layout, "Everybody else's, under way", home.live, empty="None.")
    if home.more_live:
        layout.small(f"and {home.more_live} more: /coldmigrate list")
    if home.links:
        layout.passage("Links, the last day", "", [])
        layout.bullets((link.link, _measured(link)) for link in home.links)
    to = ", ".join(home.target_sites) or "none"
    layout.small(f"Sites you see: {', '.join(home.visible_sites)}. You may migrate to: {to}. As of {at:%H:%M} UTC.")
    return _view(layout)


def _buttons(home: Home) -> Iterator[ButtonSpec]:
    if home.target_sites:
        yield ButtonSpec(OPEN, "Migrate a VM", "form", style="primary")
    yield ButtonSpec(REFRESH, "Refresh", "home")


def _alerts(layout: Layout, home: Home) -> None:
    layout.passage("Alerts", "" if home.incidents else "None is open.", [])
    layout.linked([(f"{one.look.sign} {one.title}", _stands(one), one.link, "") for one in home.incidents])
    if home.mutes:
        layout.passage("Muted", "", [])
        layout.linked(
            [(f"🔕 {one.what}", f"until {one.until:%Y-%m-%d %H:%M} UTC, by", "", one.by) for one in home.mutes]
        )


def _stands(one: IncidentGlance) -> str:
    return f"{one.state}, last seen {one.last:%Y-%m-%d %H:%M} UTC"


def _listed(layout: Layout, heading: str, jobs: Sequence[JobGlance], *, empty: str) -> None:
    layout.passage(heading, "" if jobs else empty, [])
    layout.bullets((f"{EMOJI[job.phase]} {job.title}", _state(job)) for job in jobs)


def _state(job: JobGlance) -> str:
    copied = f", {job.percent} %" if job.percent is not None else ""
    return f"{job.state or WORDS[job.phase]}{copied}, since {job.since:%Y-%m-%d %H:%M} UTC, job {job.job}"


def _measured(link: LinkGlance) -> str:
    lost = f"packets: {link.loss.words}" if link.loss else "not measured"
    usual = f"; copies usually have {rate(link.usual_rate)}" if link.usual_rate else ""
    canary = f"; a canary went well at {link.canary:%Y-%m-%d %H:%M} UTC" if link.canary else ""
    return f"{lost}{usual}{canary}{'; HELD: starts nothing' if link.held else ''}"


def _sorry(text: str) -> dict[str, Any]:
    layout = Layout()
    layout.paragraph(text)
    layout.actions([ButtonSpec(REFRESH, "Try again", "home")])
    return _view(layout)


def _view(layout: Layout) -> dict[str, Any]:
    return View(type="home", blocks=layout.blocks).to_dict()
