"""Every switch of a world, in one place: what a test, a page, a story or an event of the world file does to it.

Each takes effect at once, on what runs too. Names that nobody bears are refused with KeyError. How a relocation then
ends is told in `outcomes`; what a referee asks is in `witness`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Literal, Protocol, Unpack

from bot.playground.esxi import failures
from bot.playground.esxi.line_forms import section_line
from bot.playground.esxi.phrases import Phrase
from bot.playground.esxi.syslog import Target
from bot.playground.vcenter import outcomes
from bot.playground.vcenter.arrivals import Arrival
from bot.playground.vcenter.by_hand import relocate_by_hand
from bot.playground.vcenter.inventory import Datastore, Host, Vm
from bot.playground.vcenter.links import NFC_PORT, Closed, Link, LinkNews
from bot.playground.vcenter.mishaps import Loss, Mishaps
from bot.playground.vcenter.outcomes import Ending
from bot.playground.vcenter.relocation import Works
from bot.playground.vcenter.restart import forget_everything
from bot.playground.vcenter.universe import Estate, Underway
from bot.playground.world import Event

Agent = Literal["vpxa", "hostd"]


class Wire(Protocol):
    """The endpoint that clients talk to."""

    @property
    def mishaps(self) -> Mishaps: ...
    async def up(self) -> None: ...
    async def down(self) -> None: ...


class Switches:
    """The switches of one vCenter and of the links that its world has."""

    def __init__(self, estate: Estate, wire: Wire, works: Works, *, renew: Callable[[], None]) -> None:
        self._estate = estate
        self._wire = wire
        self._works = works
        self._renew = renew

    # The network.

    def set_link(self, one: str, other: str, **news: Unpack[LinkNews]) -> None:
        """Change a link, as `LinkNews` says."""
        self._link(one, other).set(**news)

    def block_port(
        self,
        source: str,
        destination: str,
        *,
        port: int = NFC_PORT,
        blocked: bool = True,
        how: Closed = Closed.SILENT,
    ) -> None:
        """Close a port from one site to another, silently or with resets, or open it again."""
        self._link(source, destination)
        self._estate.universe.links.block(source, destination, port=port, blocked=blocked, how=how)

    def set_site(
        self,
        site: str,
        *,
        provisioning: Literal["none", "interface", "stack"] | None = None,
        routes: frozenset[str] | None = None,
        udt: bool | None = None,
        mtu: int | None = None,
    ) -> None:
        """Wire the hosts of a site anew; relocations that begin from now on go that way."""
        wiring = self._estate.universe.paths.sites.get(site)
        if wiring is None:
            raise KeyError(f"no site named {site!r}")
        wiring.provisioning = provisioning or wiring.provisioning
        wiring.routes = wiring.routes if routes is None else routes
        wiring.udt = wiring.udt if udt is None else udt
        wiring.mtu = wiring.mtu if mtu is None else mtu
        hosts = [host for host in self._estate.inventory.each(Host) if host.site == site]
        self._estate.inventory.changes.touch(*(host.ref for host in hosts))

    def _link(self, one: str, other: str) -> Link:
        link = self._estate.universe.links.find(one, other)
        if link is None:
            raise KeyError(f"no link between {one!r} and {other!r}")
        return link

    def cap_traffic(self, host: str, bytes_per_second: int | None) -> None:
        """Let a host carry no more than this for each transfer of a client, 0 breaks them; None lifts the cap."""
        self._estate.doors.traffic.cap(self._estate.host(host).name, bytes_per_second)

    def put_client(self, site: str) -> None:
        """Say at which site clients are: links stand between them and hosts elsewhere. "" is nowhere, with no link."""
        if site and site not in self._estate.universe.paths.sites:
            raise KeyError(f"no site named {site!r}")
        self._estate.doors.traffic.put_client(site)

    # Datastores and disks.

    def fill_datastore(self, name: str, *, free: int = 0) -> None:
        """Let somebody else take the space of a datastore until only `free` bytes are left, or give back his own."""
        self._estate.inventory.fill(self._estate.datastore(name), free=free)

    def set_datastore(self, name: str, *, accessible: bool) -> None:
        """Take all paths to a datastore away, or give them back; its hosts log it, copies from and to it end."""
        store, conditions = self._estate.datastore(name), self._estate.universe.conditions
        if conditions.is_lost(store) is not accessible:
            return
        conditions.lose(store, lost=not accessible)
        for host in self._estate.inventory.each(Host):
            if store in host.datastores:
                self._note(host, failures.APD_ENDS if accessible else failures.APD_BEGINS, device=store.uuid[:17])
        self._estate.inventory.changes.touch(store.ref, *(host.ref for host in self._estate.inventory.each(Host)))
        if not accessible:
            self._break_off(lambda under: _by_store(under, store))

    def lock_disk(self, vm: str, *, locked: bool = True, folder: str | None = None) -> None:
        """Let somebody hold the disks of a VM open: the next relocation cannot open them."""
        self._estate.universe.conditions.lock(self._estate.vm(vm, folder), locked=locked)

    # Hosts.

    def set_host(self, host: str, *, connected: bool | None = None, maintenance: bool | None = None) -> None:
        """Disconnect a host, put it into maintenance mode, or back; what it copies is lost with the connection."""
        found = self._estate.host(host)
        before = {"connected": found.connected, "maintenance": found.maintenance}
        found.connected = found.connected if connected is None else connected
        found.maintenance = found.maintenance if maintenance is None else maintenance
        self._estate.note_host(found, **before)
        seen_with_it = [*found.datastores, *(vm for vm in self._estate.inventory.each(Vm) if vm.host is found)]
        self._estate.inventory.changes.touch(found.ref, *(entity.ref for entity in (*seen_with_it, *found.ancestors)))
        if connected is False:
            self._break_off(
                lambda under: _by_end(
                    under, found, source=outcomes.SOURCE_DISCONNECTED, target=outcomes.DESTINATION_DISCONNECTED
                )
            )

    def restart_agent(self, host: str, agent: Agent = "hostd") -> None:
        """Restart hostd or vpxa of a host: its log says so, and sessions that lived in it are gone."""
        found, now = self._estate.host(host), self._estate.universe.clock()
        found.logs.append(agent, [section_line(now, found.version)], at=now)
        self._note(found, failures.AGENT_STARTED[agent])
        source, target = (
            (outcomes.READER_RESTARTED, outcomes.RECEIVER_RESTARTED)
            if agent == "hostd"
            else (outcomes.SOURCE_AGENT_RESTARTED, outcomes.DESTINATION_AGENT_RESTARTED)
        )
        self._break_off(lambda under: _by_end(under, found, source=source, target=target))

    def stop_nfcd(self, host: str, *, stopped: bool = True) -> None:
        """Stop what listens on TCP 902, or start it; sessions that are open live on, as it only hands them over."""
        self._estate.universe.conditions.of(self._estate.host(host)).nfcd = not stopped

    def hang_authd(self, host: str, *, hanging: bool = True) -> None:
        """Let a host accept connections on TCP 902 and answer none of them."""
        self._estate.universe.conditions.of(self._estate.host(host)).authd = not hanging

    def exhaust_nfc_memory(self, host: str, *, exhausted: bool = True) -> None:
        """Let other sessions, such as backups, use up the buffers that NFC has on a host."""
        self._estate.universe.conditions.of(self._estate.host(host)).nfc_memory = not exhausted

    def break_dns(self, host: str, *, broken: bool = True) -> None:
        """Let a host find no name of another."""
        self._estate.universe.conditions.of(self._estate.host(host)).dns = not broken

    def expire_tickets(self, host: str, *, expired: bool = True) -> None:
        """Let a host find every ticket too old, as one does whose clock is ahead."""
        self._estate.universe.conditions.of(self._estate.host(host)).tickets = not expired

    def rotate_log(self, host: str, log: str = "vpxa") -> None:
        """Rotate one log of a host: line numbers begin again."""
        self._estate.host(host).logs.rotate(log, at=self._estate.universe.clock())

    def send_syslog(
        self, target: str = "", *, site: str | None = None, host: str | None = None, ca_file: str = ""
    ) -> None:
        """Let a host, those of a site, or all of this vCenter send what they log to `tcp://127.0.0.1:514` and the like.

        Without a target they stop. With a `ca_file` the server has to prove who it is.
        """
        to = Target.of(target, ca_file=ca_file) if target else None
        if site and site not in self._estate.universe.paths.sites:
            raise KeyError(f"no site named {site!r}")
        chosen = [self._estate.host(host)] if host else list(self._estate.inventory.each(Host))
        for each in chosen:
            if site is None or each.site == site:
                self._estate.syslog.send(each.name, each.logs, to)

    def set_nic(self, host: str, nic: str, *, up: bool | None = None, crc_share: float | None = None) -> None:
        """Pull the cable of a host's NIC or put it back, which vobd notes, or let it damage a share of its packets."""
        found, now = self._estate.host(host), self._estate.universe.clock()
        self._estate.machine(found).set_nic(nic, at=now, up=up, crc_share=crc_share)
        self._estate.inventory.changes.touch(found.ref)

    def set_agent(
        self,
        host: str,
        *,
        answers_after: timedelta | None = None,
        https: bool | None = None,
        lockdown: bool | None = None,
    ) -> None:
        """Let a host answer late, to vCenter too; let its HTTPS say 503; put it into lockdown mode; or back."""
        machine = self._estate.machine(self._estate.host(host))
        machine.answers_after = machine.answers_after if answers_after is None else answers_after
        machine.restarting = machine.restarting if https is None else not https
        machine.lockdown = machine.lockdown if lockdown is None else lockdown

    def set_power(self, vm: str, *, on: bool, folder: str | None = None) -> None:
        """Switch a VM as somebody at its console would."""
        self._estate.set_power(self._estate.vm(vm, folder), "poweredOn" if on else "poweredOff")

    def relocate_vm(self, vm: str, site: str, *, folder: str | None = None) -> str:
        """Let somebody else move a VM to a site, in the vSphere Client; the task's id."""
        return relocate_by_hand(self._estate, self._works, self._estate.vm(vm, folder), site=site).id

    def advance_time(self, by: timedelta) -> None:
        """Move the world's clock ahead: copies, time-outs, sessions and timed events go with it."""
        self._estate.universe.clock.advance(by)
        self._estate.universe.links.ring()

    # Between a client and the vCenter.

    def expire_sessions(self) -> int:
        """End every session as if it had been idle for too long; returns how many there were."""
        sessions = self._estate.sessions.all()
        for session in sessions:
            self._estate.sessions.end(session)
        return len(sessions)

    def drop_reply(self, method: str = "RelocateVM_Task", *, nth: int = 1) -> None:
        """Break the connection of the n-th next call of a method after it was carried out."""
        self._wire.mishaps.drop(method, Loss.REPLY, nth=nth)

    def drop_request(self, method: str = "RelocateVM_Task", *, nth: int = 1) -> None:
        """Break the connection of the n-th next call of a method before it is carried out."""
        self._wire.mishaps.drop(method, Loss.REQUEST, nth=nth)

    def swallow_reply(self, method: str = "RelocateVM_Task", *, nth: int = 1) -> None:
        """Carry out the n-th next call of a method and never answer it; the connection stays open."""
        self._wire.mishaps.drop(method, Loss.SILENT_REPLY, nth=nth)

    def swallow_request(self, method: str = "RelocateVM_Task", *, nth: int = 1) -> None:
        """Never carry out nor answer the n-th next call of a method; the connection stays open."""
        self._wire.mishaps.drop(method, Loss.SILENT_REQUEST, nth=nth)

    def fall_silent(self, *, silent: bool = True) -> None:
        """Accept every connection and answer nothing, as behind a firewall that forgot them; or answer again."""
        if silent:
            self._wire.mishaps.hush()
        else:
            self._wire.mishaps.speak()

    def delay_reply(self, method: str, seconds: float) -> None:
        """Hold back every reply to a method from now on; 0 ends it."""
        self._wire.mishaps.delay(method, seconds)

    def hold_back(self, method: str) -> asyncio.Event:
        """Let the next call of a method in, and carry it out only when the event is set: it is under way till then."""
        return self._wire.mishaps.hold_back(method)

    async def go_down(self) -> None:
        """Refuse connections and break the open ones. Tasks go on, sessions stay."""
        await self._wire.down()

    async def come_up(self) -> None:
        """Listen again, on the same port."""
        await self._wire.up()

    async def restart_vcenter(self) -> None:
        """Take the service down and up again: sessions, filters, collectors and ended task objects are gone."""
        await self._wire.down()
        await forget_everything(self._estate)
        await self._wire.up()

    # Between this vCenter and another one.

    def renew_certificate(self) -> None:
        """Present a new certificate of the same issuer, on connections that are made from now on."""
        self._renew()

    def stand_between(self, *, standing: bool = True) -> None:
        """Let somebody answer other vCenters in the place of this one, with a certificate of his own; or let him go."""
        self._estate.presence.impostor = ":".join(["1B"] * 20) if standing else ""

    def change_password(self, user: str, password: str) -> None:
        """Give an account another password; who is logged in stays so."""
        self._estate.sessions.change_password(user, password)

    def set_arrivals(self, arrival: Arrival) -> None:
        """Say how VMs of other vCenters arrive here from now on, whatever their tasks say."""
        self._estate.presence.arrival = arrival

    # What the world file asks for.

    def play(self, event: Event) -> None:
        """Let an event happen, as far as this vCenter knows what it is about."""
        if event.link:
            self.set_link(
                *event.link,
                loss=event.loss,
                rate=event.rate,
                rtt=event.rtt,
                mtu=event.mtu,
                pmtud=event.pmtud,
                idle_timeout=event.idle_timeout,
            )
        for port in event.block:
            self.block_port(port.from_, port.to, port=port.port, how=Closed(port.how))
        for port in event.unblock:
            self.block_port(port.from_, port.to, port=port.port, blocked=False)
        if event.vcenter == self._estate.spec.name and event.sessions:
            self.expire_sessions()
        self._play_datastore(event)
        self._play_host(event)
        self._play_vm(event)

    def _play_datastore(self, event: Event) -> None:
        name = event.datastore
        if name is None or name not in {store.name for store in self._estate.inventory.each(Datastore)}:
            return
        if event.free is not None:
            self.fill_datastore(name, free=event.free)
        if event.accessible is not None:
            self.set_datastore(name, accessible=event.accessible)

    def _play_host(self, event: Event) -> None:
        host = event.host
        if host is None or host not in {found.name for found in self._estate.inventory.each(Host)}:
            return
        if event.connected is not None or event.maintenance is not None:
            self.set_host(host, connected=event.connected, maintenance=event.maintenance)
        if event.nfcd:
            self.stop_nfcd(host, stopped=event.nfcd == "stopped")
        if event.authd:
            self.hang_authd(host, hanging=event.authd == "hanging")
        if event.nfc_memory:
            self.exhaust_nfc_memory(host, exhausted=event.nfc_memory == "exhausted")
        if event.dns:
            self.break_dns(host, broken=event.dns == "broken")
        if event.tickets:
            self.expire_tickets(host, expired=event.tickets == "expired")
        if event.restart:
            self.restart_agent(host, event.restart)
        if event.rotate:
            self.rotate_log(host, event.rotate)

    def _play_vm(self, event: Event) -> None:
        """Do it to every VM of the name: folders are not told apart here."""
        for vm in self._estate.vms(event.vm) if event.vm else ():
            if event.locked is not None:
                self._estate.universe.conditions.lock(vm, locked=event.locked)
            if event.power:
                self._estate.set_power(vm, "poweredOn" if event.power == "on" else "poweredOff")

    def _note(self, host: Host, table: tuple[Phrase, ...], **blanks: str) -> None:
        known = [phrase for phrase in table if phrase.log in host.logs.keys]
        self._estate.diary(host).write(known, at=self._estate.universe.clock(), op_id="", **blanks)

    def _break_off(self, ending_of: Callable[[Underway], Ending | None]) -> None:
        for under in list(self._estate.universe.underway):
            ending = ending_of(under)
            if ending:
                under.break_off(ending)


def _by_end(under: Underway, host: Host, *, source: Ending, target: Ending) -> Ending | None:
    """Say how a relocation ends when something happens to one of its hosts."""
    return {under.hosts[1]: target, under.hosts[0]: source}.get(host)


def _by_store(under: Underway, store: Datastore) -> Ending | None:
    if store is under.target:
        return outcomes.TARGET_LOST
    return outcomes.SOURCE_LOST if store in under.sources else None
