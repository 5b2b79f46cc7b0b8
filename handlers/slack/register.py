"""The Bolt app and its listeners: which of Slack's payloads goes to whom."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import wraps
from typing import Any, ParamSpec

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.operations.port import Verbs
from bot.slack.alert import OPEN_PAGER
from bot.slack.client import calling
from bot.slack.port import Inbox
from bot.slack.whispers import WebWhispers
from handlers.slack.actions import OURS, Actions
from handlers.slack.alerts import AlertsCommand
from handlers.slack.commands import Commands
from handlers.slack.deliveries import Deliveries
from handlers.slack.diagnose import LOG_SHORTCUT, DiagnoseCommand, Heard
from handlers.slack.errands import Errander
from handlers.slack.fetch import OFFER
from handlers.slack.form import FORM, OPEN, VM
from handlers.slack.home import REFRESH, HomeTab
from handlers.slack.mute_form import MUTE, MuteForm
from handlers.slack.options import TypeAhead
from handlers.slack.parse import COMMAND
from handlers.slack.parse_alerts import ALERTS
from handlers.slack.parse_diagnose import DIAGNOSE
from handlers.slack.views import Forms, nothing_typed

log = logging.getLogger(__name__)
P = ParamSpec("P")


class InFlight:
    """The work that is under way. Bolt and the SDK forget the tasks they start: here they are held, and waited for."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __call__(self, listener: Callable[P, Awaitable[None]]) -> Callable[P, Awaitable[None]]:
        """`listener`, held while it runs. Its signature stays: Bolt passes arguments by name."""

        @wraps(listener)
        async def held(*args: P.args, **kwargs: P.kwargs) -> None:
            task = asyncio.current_task()
            if task is not None:
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            await listener(*args, **kwargs)

        return held

    async def drained(self, within: timedelta) -> bool:
        """Wait until all have ended. False if some have not in time."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=within.total_seconds())
        return not self._tasks


async def build_app(
    client: AsyncWebClient,
    verbs: Verbs,
    inbox: Inbox,
    deliveries: Deliveries,
    errander: Errander,
    *,
    in_flight: InFlight,
) -> AsyncApp:
    """The app with all listeners. LoginError at once if the token is no good, instead of at the first command."""
    authorized = await _authorized(client)

    async def authorize(**_: Any) -> AuthorizeResult:
        return authorized

    app = AsyncApp(
        name="coldmigrate",
        client=_without_token(client),  # Bolt warns of a token beside `authorize`, which hands out the same one
        authorize=authorize,
        request_verification_enabled=False,  # Socket Mode: the connection itself is authenticated
        ssl_check_enabled=False,
        url_verification_enabled=False,
        attaching_function_token_enabled=False,
    )
    forms, home = Forms(verbs, deliveries), HomeTab(verbs)
    app.command(COMMAND, matchers=[nothing_typed])(in_flight(forms.asked))  # the first listener that matches is it
    app.command(COMMAND)(in_flight(Commands(verbs, deliveries).coldmigrate))
    app.shortcut(OPEN)(in_flight(forms.opened))
    app.action(OPEN)(in_flight(forms.opened))
    app.options(VM)(in_flight(TypeAhead(verbs).vms))
    app.view(FORM)(in_flight(forms.submitted))
    app.event("app_home_opened")(in_flight(home.opened))
    app.action(REFRESH)(in_flight(home.refreshed))
    heard = Heard(errander, WebWhispers(client), bot_user=str(authorized.bot_user_id))
    app.command(DIAGNOSE)(in_flight(DiagnoseCommand(verbs, deliveries).typed))
    app.message_shortcut(LOG_SHORTCUT)(in_flight(heard.shortcut))
    app.action(OFFER)(in_flight(heard.button))
    app.event("app_mention", middleware=[heard.mention])(_done)
    app.event("message", middleware=[heard.message])(_done)
    app.event("file_shared", middleware=[heard.file])(_done)
    app.command(ALERTS)(in_flight(AlertsCommand(verbs, deliveries).typed))
    app.view(MUTE)(in_flight(MuteForm(verbs, deliveries).submitted))
    app.action(OPEN_PAGER)(_opened_elsewhere)
    app.action(OURS)(in_flight(Actions(verbs, inbox, deliveries).clicked))
    app.error(_log)
    return app


async def _opened_elsewhere(ack: AsyncAck) -> None:
    """The person's browser did it; Slack tells us all the same."""
    await ack()


async def _done() -> None:
    """Nothing is left to do once an event's middleware has kept what it says."""


async def _authorized(client: AsyncWebClient) -> AuthorizeResult:
    with calling("auth.test"):
        found = await client.auth_test()
    log.info("Signed in to Slack as %s in the workspace %s.", found["user"], found["team"])
    return AuthorizeResult.from_auth_test_response(auth_test_response=found, bot_token=client.token)


def _without_token(client: AsyncWebClient) -> AsyncWebClient:
    return AsyncWebClient(
        base_url=client.base_url, session=client.session, retry_handlers=[], proxy=client.proxy, ssl=client.ssl
    )


async def _log(error: Exception) -> None:
    """What the boundary did not see: Slack's socket or the response_url failed after the work was done."""
    log.error("A listener failed after its work was done: %s", error, exc_info=error)
