"""The control port: what the player's Python methods do, for other processes. Plain HTTP on loopback, JSON.

GET state, relocations, moves, calls, op-ids, placement?vm=&folder=, log?host=&log=, datastore?name=
POST link, site, block, fill, datastore, lock, host, restart, nfcd, authd, nfc-memory, dns, tickets, rotate, power,
time, drop, delay, expire-sessions, down, up: the switches of `switches`; one to break something mends it too
An unknown name or a wrong field is answered with 400 and a sentence.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.playground.vcenter.links import NFC_PORT, Closed
from bot.playground.vcenter.switches import Switches
from bot.playground.vcenter.witness import Witness


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class LinkOrder(_Order):
    between: tuple[str, str]
    loss: float | None = Field(None, ge=0, le=1)
    rate: int | None = Field(None, ge=0, description="bits per second")
    rtt: timedelta | None = Field(None, ge=timedelta(0), description="in seconds")
    mtu: int | None = Field(None, ge=576, le=9216)
    pmtud: bool | None = None
    idle_timeout: timedelta | None = Field(None, ge=timedelta(0), description="in seconds; 0 ends it")
    provisioning_routed: bool | None = None


class SiteOrder(_Order):
    site: str
    provisioning: Literal["none", "interface", "stack"] | None = None
    routes: frozenset[str] | None = None
    udt: bool | None = None
    mtu: int | None = Field(None, ge=576, le=9216)


class BlockOrder(_Order):
    from_: str = Field(alias="from")
    to: str
    port: int = Field(NFC_PORT, ge=1, le=65535)
    blocked: bool = True
    how: Closed = Closed.SILENT


class FillOrder(_Order):
    name: str
    free: int = Field(0, ge=0, description="bytes that are left")


class DatastoreOrder(_Order):
    name: str
    accessible: bool


class DiskOrder(_Order):
    vm: str
    locked: bool = True
    folder: str | None = None


class AgentOrder(_Order):
    host: str
    agent: Literal["vpxa", "hostd"] = "hostd"


class BreakOrder(_Order):
    """Break something of a host, or mend it with `broken` false."""

    host: str
    broken: bool = True


class TimeOrder(_Order):
    seconds: timedelta = Field(ge=timedelta(0))


class DropOrder(_Order):
    method: str = "RelocateVM_Task"
    what: Literal["reply", "request"] = "reply"
    nth: int = Field(1, ge=1)


class DelayOrder(_Order):
    method: str = "RelocateVM_Task"
    seconds: float = Field(ge=0)


class RotateOrder(_Order):
    host: str
    log: Literal["vpxa", "hostd", "vmkernel", "vobd"] = "vpxa"


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


def control_app(switches: Switches, witness: Witness, *, url: str) -> web.Application:
    """Return the application of the control port of a vCenter that is played at `url`."""
    app = web.Application()
    for name, answer in _questions(witness, url).items():
        app.router.add_get(f"/_control/{name}", _asked(answer))
    for name, (model, act) in _orders(switches).items():
        app.router.add_post(f"/_control/{name}", _ordered(model, act))
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


def _orders(to: Switches) -> dict[str, tuple[type[_Order], Callable[[Any], Any]]]:
    drops = {"reply": to.drop_reply, "request": to.drop_request}
    return {
        "link": (LinkOrder, lambda o: to.set_link(*o.between, **_named(o, but="between"))),
        "block": (BlockOrder, lambda o: to.block_port(o.from_, o.to, port=o.port, blocked=o.blocked, how=o.how)),
        "fill": (FillOrder, lambda o: to.fill_datastore(o.name, free=o.free)),
        "site": (SiteOrder, lambda o: to.set_site(o.site, **_named(o, but="site"))),
        "datastore": (DatastoreOrder, lambda o: to.set_datastore(o.name, accessible=o.accessible)),
        "lock": (DiskOrder, lambda o: to.lock_disk(o.vm, locked=o.locked, folder=o.folder)),
        "restart": (AgentOrder, lambda o: to.restart_agent(o.host, o.agent)),
        "nfcd": (BreakOrder, lambda o: to.stop_nfcd(o.host, stopped=o.broken)),
        "authd": (BreakOrder, lambda o: to.hang_authd(o.host, hanging=o.broken)),
        "nfc-memory": (BreakOrder, lambda o: to.exhaust_nfc_memory(o.host, exhausted=o.broken)),
        "dns": (BreakOrder, lambda o: to.break_dns(o.host, broken=o.broken)),
        "tickets": (BreakOrder, lambda o: to.expire_tickets(o.host, expired=o.broken)),
        "time": (TimeOrder, lambda o: to.advance_time(o.seconds)),
        "drop": (DropOrder, lambda o: drops[o.what](o.method, nth=o.nth)),
        "delay": (DelayOrder, lambda o: to.delay_reply(o.method, o.seconds)),
        "down": (NoOrder, lambda _o: to.go_down()),
        "up": (NoOrder, lambda _o: to.come_up()),
        "expire-sessions": (NoOrder, lambda _o: to.expire_sessions()),
        "rotate": (RotateOrder, lambda o: to.rotate_log(o.host, o.log)),
        "power": (PowerOrder, lambda o: to.set_power(o.vm, on=o.on, folder=o.folder)),
        "host": (HostOrder, lambda o: to.set_host(o.host, connected=o.connected, maintenance=o.maintenance)),
    }


def _named(order: _Order, *, but: str) -> dict[str, Any]:
    """Return the fields that an order sets, as the keyword arguments of its switch."""
    return {name: value for name, value in order if name != but}


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
