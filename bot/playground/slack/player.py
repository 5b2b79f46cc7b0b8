"""The simulated Slack as one thing that starts and stops: joins the parts of this room and serves them on loopback."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from aiohttp import web

from bot.playground.slack import (
    block_methods,
    chat_methods,
    control_api,
    conversation_methods,
    files,
    people_methods,
    response_urls,
    web_api,
)
from bot.playground.slack.calls import Method
from bot.playground.slack.changes import Json
from bot.playground.slack.clock import Clock
from bot.playground.slack.control_api import ControlApi
from bot.playground.slack.default_workspace import make_workspace
from bot.playground.slack.deliveries import Deliveries
from bot.playground.slack.events import Events
from bot.playground.slack.faults import Faults
from bot.playground.slack.file_methods import FileMethods
from bot.playground.slack.files import Files
from bot.playground.slack.http_mode import HttpMode
from bot.playground.slack.interactions import Interactions
from bot.playground.slack.person import Person
from bot.playground.slack.rates import RateLimits
from bot.playground.slack.response_urls import ResponseUrls
from bot.playground.slack.sockets import ACK_DEADLINE, SocketMode
from bot.playground.slack.stream_methods import StreamMethods
from bot.playground.slack.switches import Switches
from bot.playground.slack.tally import Tally
from bot.playground.slack.tokens import Tokens
from bot.playground.slack.triggers import Triggers
from bot.playground.slack.view_methods import ViewMethods
from bot.playground.slack.views import Views
from bot.playground.slack.web_api import WebApi, connections_open
from bot.playground.slack.wiretap import Wiretap
from bot.playground.slack.workspace import Listener

HOST = "127.0.0.1"
SOCKET_PATH = "/socket"
LARGEST_BODY = 32 * 2**20
PLAYER_FILE = "players-slack.json"


class SlackPlayer:
    """A Slack for one app. Usable inside a test's own loop and, through `play_slack`, as a process.

    `person` is what people do and see, `switches` what the world does, `tally` what was measured. With a `manifest`
    the app is installed with the scopes, events and commands that this names and no others.
    """

    referees: ClassVar[list[Listener]] = []
    """Who hears, as by `on_said`, what is said to every player made from now on in this process."""

    def __init__(
        self,
        *,
        port: int = 0,
        ack_deadline: timedelta = ACK_DEADLINE,
        rate_limits: bool = True,
        manifest: Json | None = None,
        tokens: Tokens | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._port = port
        self._runner: web.AppRunner | None = None
        self._tokens = tokens or Tokens()
        self.clock = clock or Clock()
        self.tally = Tally()
        self.workspace = make_workspace(self.clock, manifest=manifest)
        self.workspace.on_said.extend(self.referees)
        self._wiretap = Wiretap(self.clock)
        self._sockets = SocketMode(
            app_id=self.workspace.app.id,
            clock=self.clock,
            tally=self.tally,
            changes=self.workspace.changes,
        )
        self._http = HttpMode(self.clock)
        self._deliveries = Deliveries(
            sockets=self._sockets,
            http=self._http,
            tally=self.tally,
            changes=self.workspace.changes,
            wiretap=self._wiretap,
        )
        self._events = Events(self.workspace, self._deliveries)
        self._triggers = Triggers(self.clock)
        self._views = Views(self.workspace)
        self._response_urls = ResponseUrls(self.workspace, self._wiretap)
        self._files = Files(self.workspace, self._tokens)
        self._limits = RateLimits(self.clock)
        self._faults = Faults()
        self.workspace.witnesses.append(self._events)
        self.person = Person(
            workspace=self.workspace,
            interactions=Interactions(self.workspace, self._deliveries),
            events=self._events,
            triggers=self._triggers,
            response_urls=self._response_urls,
            views=self._views,
            files=self._files,
        )
        self.switches = Switches(
            workspace=self.workspace,
            sockets=self._sockets,
            events=self._events,
            tokens=self._tokens,
            limits=self._limits,
            faults=self._faults,
            tally=self.tally,
            clock=self.clock,
            files=self._files,
            deliveries=self._deliveries,
            http=self._http,
        )
        self.switches.ack_deadline(ack_deadline)
        self.switches.rate_limits(enforced=rate_limits)

    @property
    def origin(self) -> str:
        """Where it listens, without a path."""
        return f"http://{HOST}:{self._port}"

    @property
    def api_url(self) -> str:
        """What a Slack client takes as its base URL."""
        return f"{self.origin}/api/"

    @property
    def control_url(self) -> str:
        return self.origin + control_api.PREFIX

    @property
    def bot_token(self) -> str:
        return self._tokens.bot

    @property
    def app_token(self) -> str:
        return self._tokens.app

    @property
    def traffic(self) -> list[Json]:
        """What crossed the wire lately, oldest first: `n`, `at`, `way`, `what`, `body`, `answer`; no token is in it."""
        return self._wiretap.exchanges()

    @property
    def on_said(self) -> list[Listener]:
        """Called with (kind, payload) for everything the app sends to be seen and this Slack takes.

        The kinds: "message", "ephemeral", "response_url" and "view".
        """
        return self.workspace.on_said

    @property
    def signing_secret(self) -> str:
        """What an app that is reached by HTTP checks signatures with."""
        return self._http.signing_secret

    async def start(self) -> None:
        """Listen. The port is known afterwards if it was left to the system."""
        app = web.Application(client_max_size=LARGEST_BODY)
        app.add_routes(self._routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self._port).start()
        self._port = self._runner.addresses[0][1]
        self._response_urls.origin = self._files.origin = self.origin

    async def stop(self) -> None:
        """Close all connections and stop listening. May be called twice."""
        self._files.close()
        await self._events.close()
        await self._deliveries.close()
        await self._sockets.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _api_methods(self) -> dict[str, Method]:
        return {
            **chat_methods.METHODS,
            **conversation_methods.METHODS,
            **people_methods.METHODS,
            **block_methods.METHODS,
            **StreamMethods().methods(),
            **FileMethods(self._files).methods(),
            **ViewMethods(self._views, self._triggers).methods(),
            "apps.connections.open": connections_open(self._ticket_url),
        }

    def _routes(self) -> list[web.RouteDef]:
        api = WebApi(
            workspace=self.workspace,
            tokens=self._tokens,
            limits=self._limits,
            faults=self._faults,
            tally=self.tally,
            wiretap=self._wiretap,
            methods=self._api_methods(),
        )
        control = ControlApi(
            workspace=self.workspace, person=self.person, switches=self.switches, wiretap=self._wiretap
        )
        verb = control_api.PREFIX + "{verb}"
        return [
            web.get(web_api.PATH, api.handle, allow_head=False),
            web.post(web_api.PATH, api.handle),
            web.get(SOCKET_PATH, self._sockets.accept, allow_head=False),
            web.post(response_urls.PATH, self._response_urls.handle),
            web.post(files.UPLOAD_PATH, self._files.receive),
            *(web.get(path, self._files.serve, allow_head=False) for path in files.DOWNLOAD_PATHS),
            web.get(verb, control.handle, allow_head=False),
            web.post(verb, control.handle),
        ]

    def _ticket_url(self) -> str:
        ticket = self._sockets.issue_ticket()
        return f"ws://{HOST}:{self._port}{SOCKET_PATH}?ticket={ticket}&app_id={self.workspace.app.id}"


async def play_slack(
    directory: Path, *, port: int = 0, manifest: Json | None = None, ready: Callable[[SlackPlayer], None] | None = None
) -> None:
    """Play until SIGTERM or SIGINT. Where it is stands in `directory`/players-slack.json, for its owner's eyes.

    `ready` is called once, when the file is there.
    """
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    player = SlackPlayer(port=port, manifest=manifest)
    await player.start()
    try:
        _announce(player, directory / PLAYER_FILE)
        if ready is not None:
            ready(player)
        await ended.wait()
    finally:
        await player.stop()


def _announce(player: SlackPlayer, file: Path) -> None:
    """All at once: whoever sees the file can read all of it."""
    written = {
        "api_url": player.api_url,
        "bot_token": player.bot_token,
        "app_token": player.app_token,
        "control_url": player.control_url,
    }
    draft = file.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    draft.replace(file)
