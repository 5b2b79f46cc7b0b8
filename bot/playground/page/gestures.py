"""Carries out what people do on the page, as their Slack clients would: everything goes through the player's Person."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from bot.errors import UserError
from bot.playground.page import said
from bot.playground.page.orders import Orders
from bot.playground.page.said import Look
from bot.playground.page.slack_parts import ModalState
from bot.playground.slack.person import Outcome
from bot.playground.slack.player import SlackPlayer
from bot.playground.slack.records import ChannelKind

Json = dict[str, Any]
AT_NAME: Final = re.compile(r"(?<![\w@])@([\w.-]+)")


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

    async def perform(self, gesture: said.Gesture, look: Look) -> Json:  # noqa: PLR0911 - one line per gesture
        """Do it as the person who looks. Refused with UserError for what a client would not let them do."""
        user, person = look.user, self._person
        match gesture:
            case said.Look():
                self._turn(gesture, before=look)
                return {}
            case said.Command():
                outcome = await person.command(user, gesture.channel, gesture.line)
                return {"error": outcome.error, "text": outcome.text}
            case said.Post():
                text = self._typed(gesture.text)
                return {"ts": person.post(user, gesture.channel, text, thread_ts=gesture.thread_ts)}
            case said.Click():
                place = {"block_id": gesture.block_id, "value": _plain(gesture.value)}
                return _told(await person.click(user, gesture.channel, gesture.ts, gesture.action_id, **place))
            case said.SubmitView():
                return await self._submit(user, gesture)
            case said.Shortcut():
                return _told(await person.shortcut(user, gesture.callback_id))
            case said.MessageShortcut():
                return _told(await person.message_shortcut(user, gesture.channel, gesture.ts, gesture.callback_id))
            case said.WorldOrder():
                await self._orders.carry_out(gesture)
                return {}
            case _:
                raise UserError("That cannot be done here yet.")

    def _turn(self, look: Look, *, before: Look) -> None:
        """Look elsewhere. Who turns to the Home tab opens it, as often as that happens."""
        if look.home and (not before.home or before.user != look.user):
            self._person.open_home(look.user)

    async def _submit(self, user: str, gesture: said.SubmitView) -> Json:
        values = {action: _plain(value) for inputs in gesture.values.values() for action, value in inputs.items()}
        state = self._modals[gesture.view_id] = ModalState()
        with self._loading(state):
            filled = {action: value for action, value in values.items() if value is not None}
            outcome = await self._person.submit_view(user, gesture.view_id, filled)
        ack = outcome.ack or {}
        if ack.get("response_action") == "errors":
            state.errors = {str(block): str(text) for block, text in ack.get("errors", {}).items()}
        else:
            del self._modals[gesture.view_id]
        self._changed()
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

    def _typed(self, text: str) -> str:
        """What a client sends for typed text: the names of people who are there become mentions."""
        ids = {user.name: user.id for user in self._slack.workspace.users.values()}

        def mention(found: re.Match[str]) -> str:
            known = ids.get(found[1])
            return f"<@{known}>" if known else found[0]

        return AT_NAME.sub(mention, text)


def _told(outcome: Outcome) -> Json:
    return {"error": outcome.error}


def _plain(value: said.Chosen) -> str | None:
    """As Person takes values: several as one string with commas."""
    if isinstance(value, list):
        return ",".join(value)
    return None if value is None else str(value)
