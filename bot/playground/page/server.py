"""The page's server: serves the built page, keeps every browser up to date, lets people do things. Loopback only."""

from __future__ import annotations

import asyncio
import json
import logging
import mimetypes
from importlib import resources
from pathlib import Path
from typing import Any, Final

from aiohttp import WSMsgType, web

from bot.errors import ColdmigrateError, UserError
from bot.playground.page import said
from bot.playground.page.audience import Audience
from bot.playground.page.drops import Drops
from bot.playground.page.gate import gate, lay_down_rules
from bot.playground.page.gestures import Gestures
from bot.playground.page.onlooker import Onlooker
from bot.playground.page.orders import Orders
from bot.playground.page.slack_parts import ModalState, SlackParts
from bot.playground.page.stagehands import Stagehands
from bot.playground.page.world_part import WorldPart
from bot.playground.slack.player import SlackPlayer
from bot.playground.slack.refusal import ApiRefusalError
from bot.playground.vcenter.player import RunningWorld

Json = dict[str, Any]
HOST: Final = "127.0.0.1"
HEARTBEAT: Final = 30.0
LONGEST_GESTURE: Final = 512 * 1024
AT_ONCE: Final = 32
"""So many gestures of one browser may be under way; the next one waits."""

_GOODBYE: Final = 0.5
log = logging.getLogger(__name__)


class PageServer:
    """Serves one page for a workspace and a world that are played in this event loop."""

    def __init__(
        self,
        slack: SlackPlayer,
        world: RunningWorld,
        stagehands: Stagehands,
        *,
        manifest: Json | None = None,
        port: int = 0,
    ) -> None:
        self._slack = slack
        self._port = port
        self._runner: web.AppRunner | None = None
        self._listening: asyncio.Task[None] | None = None
        self._sockets: set[web.WebSocketResponse] = set()
        modals: dict[str, ModalState] = {}
        down: set[str] = set()
        self._world = world
        self._audience = Audience(SlackParts(slack, manifest or {}, modals), WorldPart(world, stagehands, down=down))
        self._orders = Orders(slack, world, stagehands, down=down, changed=self._audience.world_changed)
        self._gestures = Gestures(slack, self._orders, modals=modals, changed=self._audience.slack_changed)
        users = [user.id for user in slack.workspace.users.values()]
        self._drops = Drops(slack.person, users, sent=self._gestures.sent)
        stagehands.on_change(self._audience.world_changed)

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}/"

    async def start(self) -> None:
        """Listen. OSError when the port is taken."""
        for user in list(self._slack.workspace.users.values()):
            if not user.is_bot:
                self._slack.workspace.direct_channel(user.id)
        app = web.Application(middlewares=[gate], client_max_size=LONGEST_GESTURE)
        app.on_response_prepare.append(lay_down_rules)
        app.add_routes(
            [
                web.get("/", self._page),
                web.get(r"/assets/{name:[\w.-]+}", self._asset),
                web.get("/ui/socket", self._socket, allow_head=False),
                web.post("/ui/files", self._drops.take),
                web.get("/ui/files/{file_id}/{name}", self._drops.give, allow_head=False),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GOODBYE)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self._port).start()
        self._port = self._runner.addresses[0][1]
        bells = self._audience.listen(self._slack, self._world, on_slack=self._orders.slack_moved)
        self._listening = asyncio.create_task(bells, name="page")

    async def stop(self) -> None:
        """Say goodbye to every browser and stop listening. May be called twice."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
            self._listening = None
        if self._sockets:
            await asyncio.wait([asyncio.create_task(socket.close(code=1001)) for socket in self._sockets])
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _page(self, _request: web.Request) -> web.StreamResponse:
        return _file("index.html")

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        return _file("assets", request.match_info["name"])

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=LONGEST_GESTURE, timeout=_GOODBYE)
        await socket.prepare(request)
        onlooker = Onlooker(socket, self._audience.make)
        self._sockets.add(socket)
        self._audience.add(onlooker)
        try:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(onlooker.watch())
                slots = asyncio.Semaphore(AT_ONCE)
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        await slots.acquire()
                        doing = group.create_task(self._answer(onlooker, message.data))
                        doing.add_done_callback(lambda _: slots.release())
                watching.cancel()
        finally:
            self._audience.remove(onlooker)
            self._sockets.discard(socket)
        return socket

    async def _answer(self, onlooker: Onlooker, text: str) -> None:
        """Do what the page asks and tell it how that went; what cannot even be numbered is answered with a note."""
        try:
            number, sent = _read(text)
        except UserError as error:
            await onlooker.say(_note(str(error)))
            return
        try:
            answer: Json = {"ok": True, "result": await self._perform(onlooker, said.gesture_of(sent))}
        except (ColdmigrateError, ApiRefusalError) as refusal:
            answer = {"ok": False, "error": str(refusal)}
        except Exception:  # a defect of ours: it must cost neither the connection nor the truth
            log.exception("the page could not do what it was asked")
            answer = {"ok": False, "error": "The demo itself failed at this; its log says how."}
        await onlooker.say(json.dumps({"type": "did", "id": number, **answer}))

    async def _perform(self, onlooker: Onlooker, gesture: said.Gesture) -> Json:
        if isinstance(gesture, said.Look):
            self._gestures.check(gesture)
            before = onlooker.look or gesture.model_copy(update={"home": False})
            onlooker.turn(gesture)
            return await self._gestures.perform(gesture, before)
        if onlooker.look is None:
            raise UserError("Say who you are first: look.")
        result = await self._gestures.perform(gesture, onlooker.look)
        if result.get("error"):
            await onlooker.say(_note(f"The app did not answer this: {result['error']}."))
        return result


def _read(text: str) -> tuple[int, Json]:
    """The number of a gesture, and the rest of it."""
    try:
        sent = json.loads(text)
    except (ValueError, RecursionError):
        raise UserError("This is not JSON.") from None
    if not isinstance(sent, dict) or not isinstance(sent.get("id"), int):
        raise UserError("A gesture is an object with a number as its id.")
    return sent.pop("id"), sent


def _note(text: str) -> str:
    return json.dumps({"type": "note", "level": "error", "text": text})


def _file(*names: str) -> web.StreamResponse:
    path = Path(str(resources.files("bot.playground.page"))).joinpath("static", *names)
    if not path.is_file():
        raise web.HTTPNotFound(text=f"There is no {names[-1]}: the page was not built.")
    kind, _ = mimetypes.guess_type(path.name)
    return web.FileResponse(path, headers={"Content-Type": kind or "application/octet-stream"})
