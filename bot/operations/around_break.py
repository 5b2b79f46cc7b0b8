"""What a failed copy left behind beside the lines that were watched: the kernels' logs, vobd, vCenter's log and events.

Read around the break, from whichever vCenter has the host, within the time that somebody waits for an answer. What is
not there by then is told with its reason, and the rest counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from bot.diagnosis.elimination import EVENTS, OWN_LOG
from bot.diagnosis.event import Side, SourceLine
from bot.diagnosis.facts import HostFacts
from bot.errors import OutsideError
from bot.jobs.port import Job
from bot.migration.plan import Plan
from bot.migration.request import VCenterName
from bot.operations.on_call_reading import NO_SUCH_LOG, TOLD_EVENTS, event_lines, time_reader
from bot.operations.record import approved_plan
from bot.operations.surroundings import Surroundings, surroundings
from bot.operations.tools import WorkerTools
from bot.vsphere.host_log_window import Bounds, Window, WindowRead, read_window
from bot.vsphere.port import FaultError, Scene

KERNEL_LOGS: Final = ("vmkernel", "vobd")
"""Of a host beside those that are watched: storage, uplinks, crashes."""

AROUND: Final = timedelta(minutes=2)
WITHIN: Final = timedelta(seconds=20)
_BOUNDS: Final = Bounds(calls=40, lines=10_000, kept=1_000, within=15.0)


@dataclass(slots=True)
class AroundBreak:
    """What was read. All times are by the clock of the vCenter that the VM is in, which is `ahead` of the queue's.

    `ended`: when the copy was over; `read_at`: when this was read. `read` and `unread`: by (host, log), as in `Look`.
    """

    ended: datetime
    ahead: timedelta
    lines: list[SourceLine] = field(default_factory=list)
    hosts: list[HostFacts] = field(default_factory=list)
    offsets: dict[str, timedelta] = field(default_factory=dict)
    read: set[tuple[str, str]] = field(default_factory=set)
    unread: dict[tuple[str, str], str] = field(default_factory=dict)
    read_at: datetime | None = None

    @property
    def surroundings(self) -> Surroundings:
        """The hosts, as the diagnosis is told of them."""
        return Surroundings(tuple(self.hosts), self.offsets, tuple(dict.fromkeys(self.unread.values())))

    def sides_read(self, hosts: Sequence[str]) -> frozenset[str]:
        """The logs of both hosts that were read whole, and `vcenter` if its events were."""
        logs = {log for log in KERNEL_LOGS if all((host, log) in self.read for host in hosts)}
        return frozenset(logs | ({"vcenter"} if ("", EVENTS) in self.read else set()))


async def read_around_break(tools: WorkerTools, job: Job, *, within: timedelta = WITHIN) -> AroundBreak:
    """Read it, at once from all who can be asked. Raises nothing for the world but UnreachableError of Redis."""
    plan, now = approved_plan(job), await tools.queue.now()
    reader = _Reader(tools, plan, job.steps[-1].at if job.steps else now, now)
    try:
        async with asyncio.timeout(within.total_seconds()):
            await reader.begin()
            await asyncio.gather(*reader.parts())
    except TimeoutError:
        reader.give_up(f"not read within {within.total_seconds():.0f} s")
    return reader.found


class _Reader:
    """Reads for one failure; what it has by then is in `found` at any moment."""

    def __init__(self, tools: WorkerTools, plan: Plan, ended: datetime, now: datetime) -> None:
        self._tools = tools
        self._plan = plan
        self._now = now
        self._home = plan.request.vm.vcenter
        far = plan.far.name if plan.far else plan.target.vcenter or self._home
        self._ends: tuple[tuple[VCenterName, str, Side], ...] = (
            (self._home, plan.source.host, "source"),
            (far, plan.target.host, "destination"),
        )
        self._clocks: dict[VCenterName, timedelta] = {}
        self.found = AroundBreak(ended, timedelta())

    async def begin(self) -> None:
        """Ask what time it is at each vCenter: every other question needs that."""
        for vcenter in dict.fromkeys(vcenter for vcenter, _, _ in self._ends):
            scene = self._tools.on_call.scenes.get(vcenter)
            if scene is None:
                continue
            try:
                self._clocks[vcenter] = await scene.look_at_clock() - self._now
            except OutsideError as error:
                self._miss(vcenter, str(error))
        self.found.ahead = self._clocks.get(self._home, timedelta())
        self.found.ended += self.found.ahead
        self.found.read_at = self._now + self.found.ahead

    def parts(self) -> Sequence[Coroutine[Any, Any, None]]:
        """Everything there is to read."""
        asked = [(vcenter, host, side) for vcenter, host, side in self._ends if vcenter in self._clocks]
        parts: list[Coroutine[Any, Any, None]] = [self._host(*one) for one in dict.fromkeys(asked)]
        parts += [self._events(vcenter) for vcenter in self._clocks]
        parts += [self._own_log()] if self._home in self._clocks else []
        return parts

    def give_up(self, why: str) -> None:
        """Say of all that is missing that it came too late."""
        wanted = [(host, log) for _, host, _ in self._ends for log in KERNEL_LOGS]
        for host, log in (*wanted, ("", EVENTS), ("", OWN_LOG)):
            if (host, log) not in self.found.read:
                self.found.unread.setdefault((host, log), f"{log} of {host or 'vCenter'}: {why}")

    def _miss(self, vcenter: VCenterName, why: str) -> None:
        for owner, host, _ in self._ends:
            if owner == vcenter:
                self.found.unread.update({(host, log): f"{log} of {host}: {why}" for log in KERNEL_LOGS})
        if vcenter == self._home:
            self.found.unread.update({("", log): f"{log} of vCenter {vcenter}: {why}" for log in (EVENTS, OWN_LOG)})

    async def _host(self, vcenter: VCenterName, host: str, side: Side) -> None:
        scene, apart = self._tools.on_call.scenes[vcenter], self._clocks[vcenter] - self.found.ahead
        around = await surroundings(scene, [host])
        self.found.hosts.extend(around.hosts)
        if offset := around.offsets.get(host, timedelta()) + apart:
            self.found.offsets[host] = offset
        if (silent := around.silent.get(host)) is not None:
            self.found.unread.update({(host, log): f"{log} of {host}: {silent}" for log in KERNEL_LOGS})
            return
        self.found.unread.update({(host, why): why for why in around.unread})
        for log in KERNEL_LOGS:
            found = await self._window(scene, host, log, offset)
            if isinstance(found.broken, FaultError) and found.broken.kind == NO_SUCH_LOG and log == "vobd":
                self.found.read.add((host, log))  # a host so old has none: the kernel's log tells it all
                continue
            self._take(found, host=host, log=log, side=side)

    async def _own_log(self) -> None:
        found = await self._window(self._tools.on_call.scenes[self._home], "", OWN_LOG, timedelta())
        self._take(found, host="", log=OWN_LOG, side="vcenter")

    async def _window(self, scene: Scene, host: str, log: str, offset: timedelta) -> WindowRead:
        window = Window(self.found.ended - AROUND + offset, self.found.ended + AROUND + offset)
        return await read_window(
            partial(_browse, scene, host, log),
            window,
            time_of=time_reader(),
            keep=self._tools.engine.is_candidate,
            bounds=_BOUNDS,
        )

    def _take(self, found: WindowRead, *, host: str, log: str, side: Side) -> None:
        file = f"{host or f'vCenter {self._home}'} {log}.log"
        self.found.lines.extend(SourceLine(file, one.number, one.text, host or None, side) for one in found.lines)
        why = [*found.missing, *([str(found.broken)] if found.broken is not None else [])]
        if why:
            self.found.unread[host, log] = f"{file}: {'; '.join(dict.fromkeys(why))}"
        else:
            self.found.read.add((host, log))

    async def _events(self, vcenter: VCenterName) -> None:
        """Events of the hosts that this vCenter has, and of the VM: one that fails leaves them all unread."""
        scene, apart = self._tools.on_call.scenes[vcenter], self._clocks[vcenter] - self.found.ahead
        hosts = [host for owner, host, _ in self._ends if owner == vcenter]
        since, until = self.found.ended - AROUND + apart, self.found.ended + AROUND + apart
        file = "vCenter events" if vcenter == self._home else f"vCenter {vcenter} events"
        try:
            told = list(await scene.host_events(hosts, since=since, until=until))
            if vcenter == self._home:
                told += await scene.vm_events(self._plan.request.vm.uuid, since=since, until=until)
        except OutsideError as error:
            self.found.unread["", EVENTS] = f"{file}: {error}"
            return
        ordered = sorted({event.key: event for event in told}.values(), key=lambda event: (event.at, event.key))
        self.found.lines.extend(event_lines(ordered[-TOLD_EVENTS:], file=file, ahead=apart))
        if ("", EVENTS) not in self.found.unread:
            self.found.read.add(("", EVENTS))


async def _browse(scene: Scene, host: str, log: str, start: int, lines: int) -> tuple[int, Sequence[str]]:
    return await scene.browse(host, log, start=start, lines=lines)
