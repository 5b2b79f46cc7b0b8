"""What can be ordered at the control port: one model per order, and the switch that it pulls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.playground.vcenter.arrivals import Arrival
from bot.playground.vcenter.links import NFC_PORT, Closed
from bot.playground.vcenter.switches import Switches


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class LinkOrder(Order):
    between: tuple[str, str]
    loss: float | None = Field(None, ge=0, le=1)
    rate: int | None = Field(None, ge=0, description="bits per second")
    rtt: timedelta | None = Field(None, ge=timedelta(0), description="in seconds")
    mtu: int | None = Field(None, ge=576, le=9216)
    pmtud: bool | None = None
    idle_timeout: timedelta | None = Field(None, ge=timedelta(0), description="in seconds; 0 ends it")
    provisioning_routed: bool | None = None


class SiteOrder(Order):
    site: str
    provisioning: Literal["none", "interface", "stack"] | None = None
    routes: frozenset[str] | None = None
    udt: bool | None = None
    mtu: int | None = Field(None, ge=576, le=9216)


class BlockOrder(Order):
    from_: str = Field(alias="from")
    to: str
    port: int = Field(NFC_PORT, ge=1, le=65535)
    blocked: bool = True
    how: Closed = Closed.SILENT


class FillOrder(Order):
    name: str
    free: int = Field(0, ge=0, description="bytes that are left")


class DatastoreOrder(Order):
    name: str
    accessible: bool


class DiskOrder(Order):
    vm: str
    locked: bool = True
    folder: str | None = None


class AgentOrder(Order):
    host: str
    agent: Literal["vpxa", "hostd"] = "hostd"


class BreakOrder(Order):
    """Break something of a host, or mend it with `broken` false."""

    host: str
    broken: bool = True


class TimeOrder(Order):
    seconds: timedelta = Field(ge=timedelta(0))


class DropOrder(Order):
    method: str = "RelocateVM_Task"
    what: Literal["reply", "request"] = "reply"
    nth: int = Field(1, ge=1)


class SwallowOrder(DropOrder):
    """The connection stays open, and nothing ever comes."""


class SilentOrder(Order):
    silent: bool = True


class DelayOrder(Order):
    method: str = "RelocateVM_Task"
    seconds: float = Field(ge=0)


class RotateOrder(Order):
    host: str
    log: Literal["vpxa", "hostd", "vmkernel", "vobd"] = "vpxa"


class SyslogOrder(Order):
    target: str = Field("", description="udp://, tcp:// or ssl://; none without it")
    site: str | None = None
    host: str | None = None
    ca_file: str = ""


class PowerOrder(Order):
    vm: str
    on: bool
    folder: str | None = None


class RelocateOrder(Order):
    vm: str
    site: str
    folder: str | None = None


class HostOrder(Order):
    host: str
    connected: bool | None = None
    maintenance: bool | None = None


class NicOrder(Order):
    host: str
    nic: str = "vmnic0"
    up: bool | None = None
    crc_share: float | None = Field(None, ge=0, le=1)


class MoodOrder(Order):
    host: str
    answers_after: timedelta | None = Field(None, description="seconds")
    https: bool | None = None
    lockdown: bool | None = None


class CapOrder(Order):
    host: str
    bytes_per_second: int | None = Field(None, ge=0, description="without it the cap is lifted")


class ClientOrder(Order):
    site: str = Field("", description="where the client is; nowhere without it")


class ImpostorOrder(Order):
    standing: bool = True


class PasswordOrder(Order):
    user: str
    password: str = Field(repr=False)


class ArrivalOrder(Order):
    arrival: Arrival = Arrival.HONEST


class NoOrder(Order):
    pass


def _drop(to: Switches, order: DropOrder) -> None:
    drop = to.drop_reply if order.what == "reply" else to.drop_request
    drop(order.method, nth=order.nth)


def _swallow(to: Switches, order: SwallowOrder) -> None:
    swallow = to.swallow_reply if order.what == "reply" else to.swallow_request
    swallow(order.method, nth=order.nth)


def _named(order: Order, *, but: str) -> dict[str, Any]:
    """Return the fields that an order sets, as the keyword arguments of its switch."""
    return {name: value for name, value in order if name != but}


ORDERS: dict[str, tuple[type[Order], Callable[[Switches, Any], Any]]] = {
    "link": (LinkOrder, lambda to, o: to.set_link(*o.between, **_named(o, but="between"))),
    "block": (BlockOrder, lambda to, o: to.block_port(o.from_, o.to, port=o.port, blocked=o.blocked, how=o.how)),
    "fill": (FillOrder, lambda to, o: to.fill_datastore(o.name, free=o.free)),
    "site": (SiteOrder, lambda to, o: to.set_site(o.site, **_named(o, but="site"))),
    "datastore": (DatastoreOrder, lambda to, o: to.set_datastore(o.name, accessible=o.accessible)),
    "lock": (DiskOrder, lambda to, o: to.lock_disk(o.vm, locked=o.locked, folder=o.folder)),
    "restart": (AgentOrder, lambda to, o: to.restart_agent(o.host, o.agent)),
    "nfcd": (BreakOrder, lambda to, o: to.stop_nfcd(o.host, stopped=o.broken)),
    "authd": (BreakOrder, lambda to, o: to.hang_authd(o.host, hanging=o.broken)),
    "nfc-memory": (BreakOrder, lambda to, o: to.exhaust_nfc_memory(o.host, exhausted=o.broken)),
    "dns": (BreakOrder, lambda to, o: to.break_dns(o.host, broken=o.broken)),
    "tickets": (BreakOrder, lambda to, o: to.expire_tickets(o.host, expired=o.broken)),
    "time": (TimeOrder, lambda to, o: to.advance_time(o.seconds)),
    "drop": (DropOrder, _drop),
    "swallow": (SwallowOrder, _swallow),
    "silent": (SilentOrder, lambda to, o: to.fall_silent(silent=o.silent)),
    "delay": (DelayOrder, lambda to, o: to.delay_reply(o.method, o.seconds)),
    "down": (NoOrder, lambda to, _o: to.go_down()),
    "up": (NoOrder, lambda to, _o: to.come_up()),
    "restart-vcenter": (NoOrder, lambda to, _o: to.restart_vcenter()),
    "expire-sessions": (NoOrder, lambda to, _o: to.expire_sessions()),
    "certificate": (NoOrder, lambda to, _o: to.renew_certificate()),
    "impostor": (ImpostorOrder, lambda to, o: to.stand_between(standing=o.standing)),
    "password": (PasswordOrder, lambda to, o: to.change_password(o.user, o.password)),
    "arrivals": (ArrivalOrder, lambda to, o: to.set_arrivals(o.arrival)),
    "rotate": (RotateOrder, lambda to, o: to.rotate_log(o.host, o.log)),
    "syslog": (SyslogOrder, lambda to, o: to.send_syslog(o.target, **_named(o, but="target"))),
    "power": (PowerOrder, lambda to, o: to.set_power(o.vm, on=o.on, folder=o.folder)),
    "relocate": (RelocateOrder, lambda to, o: to.relocate_vm(o.vm, o.site, folder=o.folder)),
    "nic": (NicOrder, lambda to, o: to.set_nic(o.host, o.nic, up=o.up, crc_share=o.crc_share)),
    "cap": (CapOrder, lambda to, o: to.cap_traffic(o.host, o.bytes_per_second)),
    "client": (ClientOrder, lambda to, o: to.put_client(o.site)),
    "agent": (MoodOrder, lambda to, o: to.set_agent(o.host, **_named(o, but="host"))),
    "host": (HostOrder, lambda to, o: to.set_host(o.host, connected=o.connected, maintenance=o.maintenance)),
}
"""By the name that an order is posted to."""
