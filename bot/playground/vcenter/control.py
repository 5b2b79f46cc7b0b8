"""The control port: what the player's Python methods do, for other processes. Plain HTTP on loopback, JSON.

GET state, hosts, relocations, moves, calls, op-ids, placement?vm=&folder=, log?host=&log=, datastore?name=
POST the switches, as `control_orders` names them
An unknown name or a wrong field is answered with 400 and a sentence.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from bot.playground.vcenter.control_orders import ORDERS, Order
from bot.playground.vcenter.switches import Switches
from bot.playground.vcenter.witness import Witness


def control_app(switches: Switches, witness: Witness, *, url: str) -> web.Application:
    """Return the application of the control port of a vCenter that is played at `url`."""
    app = web.Application()
    for name, answer in _questions(witness, url).items():
        app.router.add_get(f"/_control/{name}", _asked(answer))
    for name, (model, act) in ORDERS.items():
        app.router.add_post(f"/_control/{name}", _ordered(model, partial(act, switches)))
    return app


def _questions(witness: Witness, url: str) -> dict[str, Callable[[dict[str, str]], Any]]:
    return {
        "state": lambda _query: {
            "vcenter": witness.vcenter,
            "url": url,
            "hosts": witness.hosts(),
            "sessions": witness.users,
            "tasks": witness.tasks,
        },
        "hosts": lambda _query: witness.host_urls,
        "relocations": lambda _query: witness.relocations,
        "moves": lambda _query: witness.moves(),
        "calls": lambda _query: witness.calls,
        "op-ids": lambda _query: witness.op_ids,
        "placement": lambda query: witness.placement(query["vm"], query.get("folder")),
        "log": lambda query: witness.log_lines(query["host"], query.get("log", "vpxa")),
        "datastore": lambda query: _datastore(witness, query["name"]),
    }


def _datastore(witness: Witness, name: str) -> dict[str, Any]:
    store = witness.datastore(name)
    return {"capacity": store.capacity, "free": store.free, "orphans": store.orphans}


def _asked(answer: Callable[[dict[str, str]], Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(http: web.Request) -> web.Response:
        try:
            return _json(answer(dict(http.query)))
        except KeyError as error:
            return _json({"error": f"{error.args[0]}"}, status=400)

    return handle


def _ordered(model: type[Order], act: Callable[[Any], Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
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
