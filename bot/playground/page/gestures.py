"""Carries out what people do on the page, as their Slack clients would: everything goes through the player's Person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, assert_never

from bot.errors import UserError
from bot.playground.page import said
from bot.playground.page.orders import Orders
from bot.playground.page.said import Look
from bot.playground.page.slack_parts import ModalState
from bot.playground.page.typed import sent_text
from bot.playground.slack.outcome import Outcome
from bot.playground.slack.player import SlackPlayer
from bot.playground.slack.records import ChannelKind

Json = dict[str, Any]


class Gestures:
    """What `perform` returns is the `result` of the gesture. `modals` is what clients know of open modals."""

    def __init__(
        self, slack: SlackPlayer, orders: Orders, *, modals: dict[str, ModalState], changed: Callable[[], None]
    ) -> None:
        self._slack = slack
        self._person = slack.person
        self._orders = orders
        self._modals = modals
        self._changed = changed

    def check(self, look: Look) -> None:
        """Refused with UserError unless this person is there and can see that channel."""
        user = self._slack.workspace.user(look.user)
        channel = self._slack.workspace.channel(look.channel)
        if channel.kind is not ChannelKind.PUBLIC and user.id not in channel.members:
            raise UserError(f"{user.name} is not in that conversation.")

    async def perform(self, gesture: said.Gesture, look: Look) -> Json:  # noqa: C901, PLR0911, PLR0912 - a line per gesture
        """Do it as the person who looks. Refused with UserError for what a client would not let them do."""
        user, person, g = look.user, self._person, gesture
        match g:
            case said.Look():
                self._turn(g, before=look)
                return {}
            case said.Command():
                outcome = await person.command(user, g.channel, g.line)
                return {"error": outcome.error, "text": outcome.text}
            case said.Post():
                return {"ts": person.post(user, g.channel, self.sent(g.text), thread_ts=g.thread_ts)}
            case said.React():
                return {"stands": person.react(user, g.channel, g.ts, g.name)}
            case said.Click():
                return _told(await person.click(user, g.channel, g.ts, g.action_id, block_id=g.block_id, value=g.value))
            case said.ViewClick():
                return await self._touch(user, g.view_id, g)
            case said.HomeClick():
                return await self._touch(user, self._home(user), g)
            case said.SubmitView():
                return await self._submit(user, g)
            case said.CloseView():
                return _told(await person.close_view(user, g.view_id))
            case said.Options():
                return await self._options(user, g)
            case said.Shortcut():
                return _told(await person.shortcut(user, g.callback_id))
            case said.MessageShortcut():
                return _told(await person.message_shortcut(user, g.channel, g.ts, g.callback_id))
            case said.WorldOrder():
                await self._orders.carry_out(g)
                return {}
            case _:
                assert_never(g)

    async def _touch(self, user: str, view_id: str, control: said.ViewClick | said.HomeClick) -> Json:
        person, c = self._person, control
        return _told(await person.click_in_view(user, view_id, c.action_id, block_id=c.block_id, value=c.value))

    async def _options(self, user: str, menu: said.Options) -> Json:
        """A menu that says neither in which view nor in which message it stands is on the Home tab."""
        where: dict[str, str | None] = {"channel": menu.channel, "ts": menu.ts}
        if menu.channel is None or menu.ts is None:
            where = {"view_id": menu.view_id or self._home(user)}
        return await self._person.type_ahead(user, menu.action_id, menu.query, block_id=menu.block_id, **where)

    def _home(self, user: str) -> str:
        """The id of this person's Home tab."""
        for view in self._person.views(user):
            if view["type"] == "home":
                return str(view["id"])
        raise UserError("The app has no Home tab for this person yet.")

    def _turn(self, look: Look, *, before: Look) -> None:
        """Look elsewhere. Who turns to the Home tab opens it, as often as that happens."""
        if look.home and (not before.home or before.user != look.user):
            self._person.open_home(look.user)

    async def _submit(self, user: str, gesture: said.SubmitView) -> Json:
        state = self._modals[gesture.view_id] = ModalState()
        with self._loading(state):
            outcome = await self._person.submit_view(user, gesture.view_id, gesture.values)
        if outcome.errors:
            state.errors = dict(outcome.errors)
            self._changed()
            return {"error": None}  # they are told where they belong, in the modal
        self._modals.pop(gesture.view_id, None)
        return _told(outcome)

    @contextmanager
    def _loading(self, state: ModalState) -> Iterator[None]:
        state.loading = True
        self._changed()
        try:
            yield
        finally:
            state.loading = False
            self._changed()

    def sent(self, typed: str) -> str:
        """What a client sends for typed text."""
        return sent_text(typed, {user.name: user.id for user in self._slack.workspace.users.values()})


def _told(outcome: Outcome) -> Json:
    return {"error": outcome.error}
