"""The control port: what the player's Python methods do, for other processes. Plain HTTP on loopback, JSON.

GET state, relocations, calls, op-ids, placement?vm=&folder=, log?host=&log=, datastore?name=
POST link, block, drop, delay, down, up, expire-sessions, rotate, power, host
An unknown name or a wrong field is answered with 400 and a sentence.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from bot.playground.vcenter.player import VCenterPlayer


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class LinkOrder(_Order):
    between: tuple[str, str]
    loss: float | None = Field(None, ge=0, le=1)
    rate: int | None = Field(None, ge=0, description="bits per second")


class BlockOrder(_Order):
    from_: str = Field(alias="from")
    to: str
    port: int = 902
    blocked: bool = True


class DropOrder(_Order):
    method: str = "RelocateVM_Task"
    what: Literal["reply", "request"] = "reply"
    nth: int = Field(1, ge=1)


class DelayOrder(_Order):
    method: str = "RelocateVM_Task"
    seconds: float = Field(ge=0)


class RotateOrder(_Order):
    host: str
    log: Literal["vpxa", "hostd", "vmkernel"] = "vpxa"


class PowerOrder(_Order):
    vm: str
    on: bool
    folder: str | None = None


class HostOrder(_Order):
    host: str
    connected: bool | None = None
    maintenance: bool | None = None


class NoOrder(_Order):
    pass


def control_app(player: VCenterPlayer) -> web.Application:
    """Return the application of the control port."""
    app = web.Application()
    for name, answer in _questions(player).items():
        app.router.add_get(f"/_control/{name}", _asked(answer))
    for name, (model, act) in _orders(player).items():
        app.router.add_post(f"/_control/{name}", _ordered(model, act))
    return app


def _questions(player: VCenterPlayer) -> dict[str, Callable[[dict[str, str]], Any]]:
    return {
        "state": lambda _query: {
            "vcenter": player.name,
            "url": player.url,
            "hosts": player.hosts(),
            "sessions": [session.account.user for session in player.estate.sessions.all()],
            "tasks": {task.id: task.state for task in player.estate.tasks.recent()},
        },
        "relocations": lambda _query: player.relocations,
        "calls": lambda _query: player.calls,
        "op-ids": lambda _query: player.op_ids,
        "placement": lambda query: player.placement(query["vm"], query.get("folder")),
        "log": lambda query: player.log_lines(query["host"], query.get("log", "vpxa")),
        "datastore": lambda query: _datastore(player, query["name"]),
    }


def _datastore(player: VCenterPlayer, name: str) -> dict[str, Any]:
    store = player.datastore(name)
    return {"capacity": store.capacity, "free": store.free, "orphans": store.orphans}


def _orders(player: VCenterPlayer) -> dict[str, tuple[type[_Order], Callable[[Any], Any]]]:
    drops = {"reply": player.drop_reply, "request": player.drop_request}
    return {
        "link": (LinkOrder, lambda o: player.set_link(*o.between, loss=o.loss, rate=o.rate)),
        "block": (BlockOrder, lambda o: player.block_port(o.from_, o.to, port=o.port, blocked=o.blocked)),
        "drop": (DropOrder, lambda o: drops[o.what](o.method, nth=o.nth)),
        "delay": (DelayOrder, lambda o: player.delay_reply(o.method, o.seconds)),
        "down": (NoOrder, lambda _o: player.go_down()),
        "up": (NoOrder, lambda _o: player.come_up()),
        "expire-sessions": (NoOrder, lambda _o: player.expire_sessions()),
        "rotate": (RotateOrder, lambda o: player.rotate_log(o.host, o.log)),
        "power": (PowerOrder, lambda o: player.set_power(o.vm, on=o.on, folder=o.folder)),
        "host": (HostOrder, lambda o: player.set_host(o.host, connected=o.connected, maintenance=o.maintenance)),
    }


def _asked(answer: Callable[[dict[str, str]], Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(http: web.Request) -> web.Response:
        try:
            return _json(answer(dict(http.query)))
        except KeyError as error:
            return _json({"error": f"{error.args[0]}"}, status=400)

    return handle


def _ordered(model: type[_Order], act: Callable[[Any], Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(http: web.Request) -> web.Response:
        try:
            done = act(model.model_validate_json(await http.read() or b"{}"))
            if isinstance(done, Awaitable):
                done = await done
        except ValidationError as error:
            return _json({"error": str(error)}, status=400)
        except KeyError as error:
            return _json({"error": f"{error.args[0]}"}, status=400)
        return _json({"done": done})

    return handle


def _json(value: Any, *, status: int = 200) -> web.Response:
    return web.json_response(value, status=status, dumps=lambda data: json.dumps(data, default=_plain))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)
