"""One played vCenter: its SOAP endpoint, its control port, its background life, and what referees ask it.

`play_world` starts one per vCenter of a world. Everything here runs in one event loop and must be called from it;
other processes and threads use the control port (`control`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from bot.playground.vcenter.certificates import Authority
from bot.playground.vcenter.control import control_app
from bot.playground.vcenter.inventory import Datastore, Host, Placement, Vm
from bot.playground.vcenter.mishaps import Loss
from bot.playground.vcenter.relocation import Works
from bot.playground.vcenter.soap_server import SoapServer
from bot.playground.vcenter.universe import Clock, Estate, RelocationRecord, Universe, wall_clock
from bot.playground.world import World, load_world

PLAYERS_FILE = "players-vcenter.json"
_ADDRESS = "127.0.0.1"
_SWEEP_EVERY = 1.0
_LONG = 60.0
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

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{_ADDRESS}:{self._server.port}"

    @property
    def control_url(self) -> str:
        port = self._control.addresses[0][1] if self._control else 0
        return f"http://{_ADDRESS}:{port}/_control"

    async def start(self) -> None:
        """Open both ports and let the background life begin."""
        begun = asyncio.Event()
        self._life = asyncio.create_task(self._live(begun), name=f"vcenter {self.name}")
        waiting = asyncio.create_task(begun.wait())
        await asyncio.wait({self._life, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._life.done():
            self._life.result()
        self._control = web.AppRunner(control_app(self), access_log=None, shutdown_timeout=0.1)
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
            self._server = SoapServer(self.estate, works, address=_ADDRESS, tls=context)
            await self._server.up()
            life = [group.create_task(self._make_noise()), group.create_task(self._sweep())]
            begun.set()
            try:
                await self._end.wait()
            finally:
                await self._server.down()
            works.stop()
            for task in life:
                task.cancel()

    async def _make_noise(self) -> None:
        """Let the hosts log ordinary work, one after the other, each about as often as the world says."""
        hosts = list(self.estate.diaries.values())
        dice = random.Random(self.estate.universe.world.seed)
        pause = self.estate.universe.world.play.noise_every.total_seconds() / max(len(hosts), 1)
        while True:
            for diary in hosts:
                await asyncio.sleep(pause * dice.uniform(0.5, 1.5))
                diary.write_ordinary_work(self.estate.universe.clock())

    async def _sweep(self) -> None:
        """Let finished tasks vanish in time, so that watchers hear of it without asking."""
        pause = min(_SWEEP_EVERY, self.estate.tasks.retention.total_seconds())
        while True:
            await asyncio.sleep(max(pause, 0.01))
            self.estate.tasks.sweep()

    # What a test or a story does to the world.

    def set_link(self, one: str, other: str, *, loss: float | None = None, rate: int | None = None) -> None:
        """Change a link at once: loss as a share of 1, rate in bits per second. KeyError for an unknown link."""
        link = self.estate.universe.links.find(one, other)
        if link is None:
            raise KeyError(f"no link between {one!r} and {other!r}")
        link.set(rate=rate, loss=loss)

    def block_port(self, source: str, destination: str, *, port: int = 902, blocked: bool = True) -> None:
        """Close a port from one site to another, or open it again."""
        self.estate.universe.links.block(source, destination, port=port, blocked=blocked)

    def drop_reply(self, method: str = "RelocateVM_Task", *, nth: int = 1) -> None:
        """Break the connection of the n-th next call of a method after it was carried out."""
        self._server.mishaps.drop(method, Loss.REPLY, nth=nth)

    def drop_request(self, method: str = "RelocateVM_Task", *, nth: int = 1) -> None:
        """Break the connection of the n-th next call of a method before it is carried out."""
        self._server.mishaps.drop(method, Loss.REQUEST, nth=nth)

    def delay_reply(self, method: str, seconds: float) -> None:
        """Hold back every reply to a method from now on; 0 ends it."""
        self._server.mishaps.delay(method, seconds)

    def hold_back(self, method: str) -> asyncio.Event:
        """Let the next call of a method in, and carry it out only when the event is set: it is under way till then."""
        return self._server.mishaps.hold_back(method)

    async def go_down(self) -> None:
        """Refuse connections and break the open ones. Tasks go on, sessions stay."""
        await self._server.down()

    async def come_up(self) -> None:
        """Listen again, on the same port."""
        await self._server.up()

    def expire_sessions(self) -> int:
        """End every session as if it had been idle for too long; returns how many there were."""
        sessions = self.estate.sessions.all()
        for session in sessions:
            self.estate.sessions.end(session)
        return len(sessions)

    def rotate_log(self, host: str, log: str = "vpxa") -> None:
        """Rotate one log of a host: line numbers begin again."""
        self.estate.host(host).logs.rotate(log, at=self.estate.universe.clock())

    def set_power(self, vm: str, *, on: bool, folder: str | None = None) -> None:
        """Switch a VM as somebody at its console would."""
        self.estate.set_power(self.estate.vm(vm, folder), "poweredOn" if on else "poweredOff")

    def set_host(self, host: str, *, connected: bool | None = None, maintenance: bool | None = None) -> None:
        """Disconnect a host, put it into maintenance mode, or back."""
        found = self.estate.host(host)
        found.connected = found.connected if connected is None else connected
        found.maintenance = found.maintenance if maintenance is None else maintenance
        seen_with_it = [*found.datastores, *(vm for vm in self.estate.inventory.each(Vm) if vm.host is found)]
        self.estate.inventory.changes.touch(found.ref, *(entity.ref for entity in (*seen_with_it, *found.ancestors)))

    # What a referee asks.

    @property
    def relocations(self) -> list[RelocationRecord]:
        """Every RelocateVM_Task that was accepted, in order."""
        return self.estate.relocations

    @property
    def calls(self) -> dict[str, int]:
        """How often each method was called."""
        return dict(self._server.calls)

    async def until_called(self, method: str, count: int = 1) -> None:
        """Return once a method was called so often, counted from the start. The caller sets the time-out."""
        arrivals = self._server.arrivals
        while self._server.calls[method] < count:
            await arrivals.wait(beyond=arrivals.revision, seconds=_LONG)

    @property
    def op_ids(self) -> list[tuple[str, str]]:
        """(method, opID) of the calls that carried an operationID header, newest last."""
        return list(self._server.op_ids)

    def placement(self, vm: str, folder: str | None = None) -> Placement:
        """Say where a VM really is. KeyError unless exactly one bears the name (in that folder)."""
        return self.estate.inventory.placement(self.estate.vm(vm, folder))

    def log_lines(self, host: str, log: str = "vpxa") -> list[str]:
        """Return the lines of a host's log, rotated ones first."""
        return self.estate.host(host).logs.everything(log)

    def datastore(self, name: str) -> Datastore:
        """Return a datastore with its free space and its orphans; KeyError for an unknown name."""
        for store in self.estate.inventory.each(Datastore):
            if store.name == name:
                return store
        raise KeyError(f"no datastore named {name!r}")

    def hosts(self) -> list[str]:
        return [host.name for host in self.estate.inventory.each(Host)]


class RunningWorld:
    """The players of a world, by the name of their vCenter. Use as an async context manager, or stop it."""

    def __init__(self, players: dict[str, VCenterPlayer]) -> None:
        self.players = players

    def __getitem__(self, vcenter: str) -> VCenterPlayer:
        return self.players[vcenter]

    async def stop(self) -> None:
        for player in self.players.values():
            await player.stop()

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


def describe(running: RunningWorld) -> dict[str, dict[str, str]]:
    """Return what a client needs to know of each player: url, ca_file, user, password, control_url."""
    return {
        name: {
            "url": player.url,
            "ca_file": str(player.ca_file or ""),
            "user": player.user,
            "password": player.password,
            "control_url": player.control_url,
        }
        for name, player in running.players.items()
    }
