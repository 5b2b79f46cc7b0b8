"""One row per switch of the world: what is switched, when, and in which world. What comes of it, the test measures."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.playground.vcenter.links import Closed
from bot.playground.vcenter.player import VCenterPlayer

SOURCE, DESTINATION = "esx-site1-01.example.net", "esx-site2-01.example.net"
UDT = ('provisioning = "interface"\nroutes = ["site2"]', 'provisioning = "interface"\nroutes = ["site1"]')
SITES_APART = ("site1", "site2")


@dataclass(frozen=True)
class Row:
    """`before` acts on the world before the call, `during` when the copy stands at `percent`."""

    title: str
    switch: str
    before: Callable[[VCenterPlayer], object] | None = None
    during: Callable[[VCenterPlayer], object] | None = None
    percent: int = 40
    sites: tuple[str, str] = ("", "")
    play: str = ""
    rate: str = "40 Gbit/s"
    version: str = "8.0.3"


def _link(**changes: object) -> Callable[[VCenterPlayer], object]:
    return lambda player: player.switches.set_link(*SITES_APART, **changes)


def _block(*, port: int = 902, how: Closed = Closed.SILENT) -> Callable[[VCenterPlayer], object]:
    return lambda player: player.switches.block_port(*SITES_APART, port=port, how=how)


def _stand_still(player: VCenterPlayer) -> None:
    """Let a link carry nothing for longer than its firewall remembers, and then carry again."""
    player.switches.set_link(*SITES_APART, rate=0, idle_timeout=timedelta(milliseconds=20))
    asyncio.get_running_loop().call_later(0.1, lambda: player.switches.set_link(*SITES_APART, rate=40 * 10**9))


def _wait_for_ever(player: VCenterPlayer) -> None:
    player.switches.set_link(*SITES_APART, rate=8)
    player.switches.advance_time(timedelta(hours=4))


ROWS = (
    Row("loss of 4 %", "set_link", during=_link(loss=0.04), percent=63),
    Row("rate 0, until vCenter's patience ends", "set_link", during=_link(rate=0), play='task_timeout = "300 ms"'),
    Row("MTU 1400, senders not told", "set_link", before=_link(mtu=1400, pmtud=False)),
    Row("idle time-out, a session that stood still", "set_link", during=_stand_still),
    Row("idle time-out, UDT's control session", "set_link",
        before=_link(idle_timeout=timedelta(milliseconds=5)), sites=UDT, rate="4 Gbit/s"),
    Row("no route between provisioning networks", "set_link",
        before=_link(provisioning_routed=False), sites=('provisioning = "interface"', 'provisioning = "interface"')),
    Row("loss of 4 % under UDT", "set_link", during=_link(loss=0.04), sites=UDT),
    Row("902 blocked, silent", "block_port", before=_block()),
    Row("902 blocked, refused", "block_port", before=_block(how=Closed.REFUSED)),
    Row("902 blocked, silent, provisioning in use", "set_site",
        before=lambda p: (
            p.switches.set_site("site2", provisioning="interface", udt=False),
            p.switches.block_port(*SITES_APART),
        )),
    Row("902 blocked while data flows, silent", "block_port", during=_block()),
    Row("902 blocked while data flows, refused", "block_port", during=_block(how=Closed.REFUSED)),
    Row("8000 blocked under UDT", "block_port", before=_block(port=8000), sites=UDT),
    Row("datastore fills up", "fill_datastore", during=lambda p: p.switches.fill_datastore("ds-c2-01", free=0)),
    Row("datastore is full", "fill_datastore", before=lambda p: p.switches.fill_datastore("ds-c2-01", free=0)),
    Row("target datastore: all paths down", "set_datastore",
        during=lambda p: p.switches.set_datastore("ds-c2-01", accessible=False)),
    Row("source datastore: all paths down", "set_datastore",
        during=lambda p: p.switches.set_datastore("ds-c1-01", accessible=False)),
    Row("source disk locked", "lock_disk", before=lambda p: p.switches.lock_disk("web")),
    Row("destination disconnected", "set_host",
        during=lambda p: p.switches.set_host(DESTINATION, connected=False)),
    Row("source disconnected", "set_host", during=lambda p: p.switches.set_host(SOURCE, connected=False)),
    Row("destination in maintenance", "set_host", before=lambda p: p.switches.set_host(DESTINATION, maintenance=True)),
    Row("hostd of the destination restarts", "restart_agent",
        during=lambda p: p.switches.restart_agent(DESTINATION, "hostd")),
    Row("hostd of the source restarts", "restart_agent", during=lambda p: p.switches.restart_agent(SOURCE, "hostd")),
    Row("vpxa of the destination restarts", "restart_agent",
        during=lambda p: p.switches.restart_agent(DESTINATION, "vpxa")),
    Row("vpxa of the source restarts", "restart_agent", during=lambda p: p.switches.restart_agent(SOURCE, "vpxa")),
    Row("nfcd not running, 8.x", "stop_nfcd", before=lambda p: p.switches.stop_nfcd(DESTINATION)),
    Row("authd does not answer", "hang_authd", before=lambda p: p.switches.hang_authd(DESTINATION)),
    Row("NFC buffers of the destination used up", "exhaust_nfc_memory",
        before=lambda p: p.switches.exhaust_nfc_memory(DESTINATION)),
    Row("NFC buffers of the source used up", "exhaust_nfc_memory",
        before=lambda p: p.switches.exhaust_nfc_memory(SOURCE)),
    Row("name lookup fails", "break_dns", before=lambda p: p.switches.break_dns(SOURCE)),
    Row("ticket too old", "expire_tickets", before=lambda p: p.switches.expire_tickets(DESTINATION)),
    Row("VM powered on", "set_power", before=lambda p: p.switches.set_power("web", on=True)),
    Row("four hours later, on a link that crawls", "advance_time", during=_wait_for_ever, percent=20),
    Row("sessions expire", "expire_sessions", during=lambda p: p.switches.expire_sessions()),
    Row("log rotates", "rotate_log", during=lambda p: p.switches.rotate_log(SOURCE)),
    Row("reply lost", "drop_reply", before=lambda p: p.switches.drop_reply()),
    Row("request lost", "drop_request", before=lambda p: p.switches.drop_request()),
    Row("vCenter restarts", "restart_vcenter", during=lambda p: p.switches.restart_vcenter(),
        percent=10, rate="400 Mbit/s"),
    Row("vCenter goes down", "go_down", during=lambda p: p.switches.go_down(), rate="4 Gbit/s"),
)  # fmt: skip
