"""One played vCenter: its SOAP endpoint, its control port, its background life; `switches` and `witness` at hand.

`play_world` starts one per vCenter of a world. Everything here runs in one event loop and must be called from it;
other processes and threads use the control port (`control`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import ssl
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from aiohttp import web

from bot.playground.esxi.https import HostEndpoints, log_routes
from bot.playground.esxi.machine import Machine
from bot.playground.vcenter.certificates import Authority
from bot.playground.vcenter.clock import Clock
from bot.playground.vcenter.control import control_app
from bot.playground.vcenter.folder import host_routes
from bot.playground.vcenter.inventory import Datastore, Placement
from bot.playground.vcenter.links import LinkNews
from bot.playground.vcenter.moves import Move
from bot.playground.vcenter.nfc_door import nfc_routes
from bot.playground.vcenter.relocation import Works
from bot.playground.vcenter.soap_server import SoapServer
from bot.playground.vcenter.switches import Switches
from bot.playground.vcenter.universe import Estate, RelocationRecord, Universe, wall_clock
from bot.playground.vcenter.witness import Witness
from bot.playground.world import World, load_world

PLAYERS_FILE = "players-vcenter.json"
_ADDRESS = "127.0.0.1"
_SWEEP_EVERY = 1.0
_log = logging.getLogger(__name__)


class VCenterPlayer:
    """A vCenter with its hosts, played at the wire."""

    def __init__(self, estate: Estate, directory: Path, *, tls: bool = True) -> None:
        self.estate = estate
        self.name = estate.spec.name
        self.user = estate.spec.accounts[0].user
        self.password = estate.spec.accounts[0].password
        self._tls = tls
        self._authority = Authority(directory, name=self.name) if tls else None
        self.ca_file: Path | None = self._authority.file if self._authority else None
        self._control: web.AppRunner | None = None
        self._life: asyncio.Task[None] | None = None
        self._end = asyncio.Event()
        self._server: SoapServer
        self._hosts: HostEndpoints
        self.switches: Switches
        self.witness: Witness

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{_ADDRESS}:{self._server.port}"

    @property
    def control_url(self) -> str:
        port = self._control.addresses[0][1] if self._control else 0
        return f"http://{_ADDRESS}:{port}/_control"

    def host_url(self, host: str) -> str:
        """Return the HTTPS address of a host itself; KeyError for an unknown one."""
        return self._hosts.url(host)

    def machine(self, host: str) -> Machine:
        """Return what a host is apart from its place in the inventory: its wires, its clock, how its agents feel."""
        return self.estate.machine(self.estate.host(host))

    async def start(self) -> None:
        """Open both ports and let the background life begin."""
        begun = asyncio.Event()
        self._life = asyncio.create_task(self._live(begun), name=f"vcenter {self.name}")
        waiting = asyncio.create_task(begun.wait())
        await asyncio.wait({self._life, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._life.done():
            self._life.result()
        self._control = web.AppRunner(
            control_app(self.switches, self.witness, url=self.url), access_log=None, shutdown_timeout=0.1
        )
        await self._control.setup()
        await web.TCPSite(self._control, _ADDRESS, 0).start()
        _log.info("vCenter %s is played at %s", self.name, self.url)

    async def stop(self) -> None:
        """End everything; relocations that run are given up. A defect of the player itself is raised here."""
        self._end.set()
        if self._control:
            await self._control.cleanup()
        if self._life:
            await self._life

    async def _live(self, begun: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            works = Works(self.estate, group)
            authority = self._authority
            context = authority.server_context(_ADDRESS) if authority else None
            self.estate.presence.show(authority.server_certificate if authority else "")
            self._server = SoapServer(self.estate, works, address=_ADDRESS, tls=context)
            self.switches = Switches(self.estate, self._server, works, renew=self._renewing(context))
            self.witness = Witness(self.estate, works, self._server)
            self._hosts = HostEndpoints(
                list(self.estate.machines.values()),
                [*log_routes(), *host_routes(self.estate), *nfc_routes(self.estate)],
                address=_ADDRESS,
                tls=(lambda name: authority.server_context(_ADDRESS, name=name)) if authority else None,
            )
            await self._server.up()
            await self._hosts.up()
            certificates = authority.certificates if authority else {}
            for name in (machine.name for machine in self.estate.machines.values()):
                self.estate.doors.show_host(name, url=self.host_url(name), certificate=certificates.get(name, ""))
            universe = self.estate.universe
            universe.timetable.follow(self.switches.play)
            always = (self._make_noise(), self._sweep(), self.estate.syslog.run())
            life = [group.create_task(task) for task in always]
            if self.estate is next(iter(universe.estates.values())):  # the first vCenter keeps the time of them all
                life.append(group.create_task(universe.timetable.keep()))
            begun.set()
            try:
                await self._end.wait()
            finally:
                await self._server.close()
                await self._hosts.down()
            works.stop()
            for task in life:
                task.cancel()

    def _renewing(self, context: ssl.SSLContext | None) -> Callable[[], None]:
        """Return what lets this vCenter present a new certificate; nothing where nothing is encrypted."""
        authority = self._authority

        def renew() -> None:
            if authority and context:
                authority.renew(context, _ADDRESS)
                self.estate.presence.show(authority.server_certificate)

        return renew

    async def _make_noise(self) -> None:
        """Let the hosts log ordinary work, one after the other, each about as often as the world says."""
        hosts = list(self.estate.diaries.values())
        dice = random.Random(self.estate.universe.world.seed)
        pause = self.estate.universe.world.play.noise_every.total_seconds() / max(len(hosts), 1)
        while True:
            for diary in hosts:
                await asyncio.sleep(pause * dice.uniform(0.5, 1.5))
                diary.write_ordinary_work(self.estate.universe.clock())
            self.estate.chronicle.write_ordinary_work(self.estate.universe.clock())

    async def _sweep(self) -> None:
        """Let finished tasks vanish in time, so that watchers hear of it without asking."""
        pause = min(_SWEEP_EVERY, self.estate.tasks.retention.total_seconds())
        while True:
            await asyncio.sleep(max(pause, 0.01))
            self.estate.tasks.sweep()
            self.estate.sessions.sweep()
            self.estate.doors.leases.sweep()

    # What a test or a story does to the world; `switches` has more.

    def set_link(self, one: str, other: str, **news: Unpack[LinkNews]) -> None:
        self.switches.set_link(one, other, **news)

    def block_port(self, source: str, destination: str, *, port: int = 902, blocked: bool = True) -> None:
        self.switches.block_port(source, destination, port=port, blocked=blocked)

    def drop_reply(self, method: str = "RelocateVM_Task", *, nth: int = 1) -> None:
        self.switches.drop_reply(method, nth=nth)

    def drop_request(self, method: str = "RelocateVM_Task", *, nth: int = 1) -> None:
        self.switches.drop_request(method, nth=nth)

    def delay_reply(self, method: str, seconds: float) -> None:
        self.switches.delay_reply(method, seconds)

    def hold_back(self, method: str) -> asyncio.Event:
        return self.switches.hold_back(method)

    async def go_down(self) -> None:
        await self.switches.go_down()

    async def come_up(self) -> None:
        await self.switches.come_up()

    def expire_sessions(self) -> int:
        return self.switches.expire_sessions()

    def rotate_log(self, host: str, log: str = "vpxa") -> None:
        self.switches.rotate_log(host, log)

    def set_power(self, vm: str, *, on: bool, folder: str | None = None) -> None:
        self.switches.set_power(vm, on=on, folder=folder)

    def set_host(self, host: str, *, connected: bool | None = None, maintenance: bool | None = None) -> None:
        self.switches.set_host(host, connected=connected, maintenance=maintenance)

    # What a referee asks; see `Witness`.

    @property
    def relocations(self) -> list[RelocationRecord]:
        return self.witness.relocations

    def moves(self) -> list[Move]:
        return self.witness.moves()

    @property
    def calls(self) -> dict[str, int]:
        return self.witness.calls

    async def until_called(self, method: str, count: int = 1) -> None:
        await self.witness.until_called(method, count)

    @property
    def op_ids(self) -> list[tuple[str, str]]:
        return self.witness.op_ids

    def placement(self, vm: str, folder: str | None = None) -> Placement:
        return self.witness.placement(vm, folder)

    def log_lines(self, host: str, log: str = "vpxa") -> list[str]:
        return self.witness.log_lines(host, log)

    def datastore(self, name: str) -> Datastore:
        return self.witness.datastore(name)

    def hosts(self) -> list[str]:
        return self.witness.hosts()


class RunningWorld:
    """The players of a world, by the name of their vCenter. Use as an async context manager, or stop it."""

    def __init__(self, players: dict[str, VCenterPlayer]) -> None:
        self.players = players

    def __getitem__(self, vcenter: str) -> VCenterPlayer:
        return self.players[vcenter]

    async def stop(self) -> None:
        """End all players, whatever becomes of one of them; what went wrong in any is raised at the end."""
        ends = await asyncio.gather(*(player.stop() for player in self.players.values()), return_exceptions=True)
        defects = [end for end in ends if isinstance(end, BaseException)]
        if defects:
            raise BaseExceptionGroup("players ended badly", defects)
        for player in self.players.values():
            player.estate.universe.depot.spool.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


async def play_world(world: World, directory: Path, *, tls: bool = True, clock: Clock = wall_clock) -> RunningWorld:
    """Start one player per vCenter; certificates are written into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - once, before anything is served
    universe = Universe(world, clock=clock)
    universe.depot.spool.directory = directory
    running = RunningWorld(
        {name: VCenterPlayer(estate, directory, tls=tls) for name, estate in universe.estates.items()}
    )
    try:
        for player in running.players.values():
            await player.start()
    except BaseException:
        await running.stop()
        raise
    return running


async def main(world_path: Path, directory: Path, *, ready: asyncio.Event | None = None) -> None:
    """Play a world file until cancelled. `directory` gets `players-vcenter.json` once every port is open."""
    async with await play_world(load_world(world_path), directory) as running:
        file = directory / PLAYERS_FILE
        draft = file.with_suffix(".tmp")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps({"vcenters": describe(running)}, indent=2), encoding="utf-8")
        draft.replace(file)
        if ready:
            ready.set()
        await asyncio.Event().wait()


def describe(running: RunningWorld) -> dict[str, dict[str, str | dict[str, str]]]:
    """Return what a client needs to know of each player: url, ca_file, user, password, control_url, hosts by name."""
    return {
        name: {
            "url": player.url,
            "ca_file": str(player.ca_file or ""),
            "user": player.user,
            "password": player.password,
            "control_url": player.control_url,
            "hosts": player.witness.host_urls,
        }
        for name, player in running.players.items()
    }
