"""Read what a failure left behind: the logs of its hosts and of vCenter, and vCenter's events, each within its bounds.

Hosts are read side by side, a few of one vCenter at a time, because every call goes on to the host. What does not
answer is told and the rest goes on. Every line is told with its host, so that clocks can be set right.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Final

from bot.diagnosis.event import Side, SourceLine
from bot.diagnosis.facts import HostFacts
from bot.diagnosis.formats import Format, HeaderReader, load_formats
from bot.diagnosis.measurements import Measurement
from bot.diagnosis.report.phrases import count
from bot.errors import OutsideError
from bot.migration.request import VCenterName
from bot.operations.on_call_card import Steps
from bot.operations.on_call_subject import HostAt, Subject
from bot.operations.surroundings import Surroundings, surroundings
from bot.operations.tools import WorkerTools
from bot.vsphere.host_log_window import Bounds, Browse, TimeOf, Window, WindowRead, read_window
from bot.vsphere.port import FaultError, Scene, VCenterEvent

LOGS: Final = ("vpxa", "hostd", "vmkernel")
OWN_LOG: Final = "vpxd"
HOSTS_AT_ONCE: Final = 4
"""Of one vCenter; each has one call under way at a time."""

NO_SUCH_LOG: Final = "vmodl.fault.InvalidArgument"
TOLD_EVENTS: Final = 400
OF_VCENTER: Final[Side] = "vcenter"


@dataclass(slots=True)
class Collected:
    """What was read. `unread` says what was not, a sentence each; `read` names sides and logs that were, all of it.

    `silent`: hosts that did not answer vCenter. `measured`: what looks at the path say, on the clock of the lines.
    """

    lines: list[SourceLine] = field(default_factory=list)
    hosts: list[HostFacts] = field(default_factory=list)
    offsets: dict[str, timedelta] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    read: set[str] = field(default_factory=set)
    seen: int = 0
    events: int = 0
    silent: set[str] = field(default_factory=set)
    measured: tuple[Measurement, ...] = ()

    def in_words(self, subject: Subject) -> str:
        """How much was read: "812 lines of esx-1 and esx-2 and 14 events"."""
        names = [host.name for host in subject.hosts]
        named = " and ".join(names) if len(names) < 4 else count(len(names), "host")  # noqa: PLR2004
        events = f" and {count(self.events, 'event')} of vCenter" if self.events else ""
        return f"{few(self.seen, 'line')} of {named}{events} {subject.when}"


async def collect(tools: WorkerTools, subject: Subject, steps: Steps) -> Collected:
    """Read everything about the subject, and show it as steps."""
    collected = Collected(unread=list(subject.notes))
    reader = _Reader(tools, subject, steps, collected)
    by_vcenter: dict[VCenterName, list[HostAt]] = defaultdict(list)
    for host in subject.hosts:
        by_vcenter[host.vcenter].append(host)
    try:
        async with asyncio.TaskGroup() as group:
            for vcenter in dict.fromkeys((*by_vcenter, subject.home)):
                if (scene := tools.on_call.scenes.get(vcenter)) is None or vcenter not in subject.clocks:
                    away = (f"{host.name}: its vCenter cannot be asked" for host in by_vcenter[vcenter])
                    collected.unread.extend(away)
                else:
                    group.create_task(reader.read_vcenter(scene, by_vcenter[vcenter]))
    except BaseExceptionGroup as several:  # the worker decides by the class of one error
        raise _first(several) from several
    reader.conclude()
    return collected


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    one = several.exceptions[0]
    return _first(one) if isinstance(one, BaseExceptionGroup) else one


@dataclass(slots=True)
class _Reader:
    tools: WorkerTools
    subject: Subject
    steps: Steps
    collected: Collected
    whole: dict[tuple[HostAt, str], bool] = field(default_factory=dict)

    async def read_vcenter(self, scene: Scene, hosts: Sequence[HostAt]) -> None:
        """Its hosts, its own log and its events, all on the clock of the vCenter at home."""
        ahead = self.subject.clocks[scene.name] - self.subject.clocks[self.subject.home]
        slots = asyncio.Semaphore(HOSTS_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._events(scene, hosts, ahead))
            if scene.name == self.subject.home and not self.subject.exact:
                group.create_task(self._own_log(scene, ahead))
            for host in hosts:
                group.create_task(self._in_turn(slots, scene, host, ahead))

    async def _in_turn(self, slots: asyncio.Semaphore, scene: Scene, host: HostAt, ahead: timedelta) -> None:
        async with slots, self.steps.step(f"Reading {_listed(LOGS)} of {host.name}") as step:
            around = await surroundings(scene, [host.name])
            self._know(host.name, around, ahead)
            if (error := around.silent.get(host.name)) is not None:
                why = await self._in_plain_words(scene, host.name, error)
                self.collected.silent.add(host.name)
                self.collected.unread.append(f"The logs of {host.name}: {why}")
                step.failed(f"{host.name} could not be read: {why}")
                return
            self.collected.unread.extend(around.unread)
            seen, broken = await self._logs(scene, host, self.collected.offsets.get(host.name, timedelta()))
            offset = self.collected.offsets.get(host.name)
            clock = f"; its clock is {_apart(offset)}" if offset else ""
            said = f"Read {_listed(LOGS)} of {host.name}: {few(seen, 'line')}{clock}"
            if broken:
                step.failed(f"{said}; not all of it: {broken}")
            else:
                step.done(said)

    def _know(self, host: str, around: Surroundings, ahead: timedelta) -> None:
        self.collected.hosts.extend(around.hosts)
        if offset := around.offsets.get(host, timedelta()) + ahead:
            self.collected.offsets[host] = offset

    async def _logs(self, scene: Scene, host: HostAt, offset: timedelta) -> tuple[int, str]:
        """Read its logs one after the other; the first that fails for the host as a whole is the last that is asked."""
        seen, broken = 0, ""
        for log in LOGS:
            found = await self._window(partial(_browse, scene, host.name, log), offset)
            file = f"{host.name} {log}.log"
            self._take(found, file=file, host=host)
            self.whole[host, log] = found.broken is None
            seen += found.read
            if found.broken is None:
                continue
            if isinstance(found.broken, FaultError) and found.broken.kind == NO_SUCH_LOG:
                self.collected.unread.append(str(found.broken))
                continue
            broken = await self._in_plain_words(scene, host.name, found.broken)
            self.collected.unread.append(f"{file} and what was to come after it: {broken}")
            break
        return seen, broken

    async def _window(self, browse: Browse, offset: timedelta) -> WindowRead:
        ours = self.subject.window
        window = Window(ours.since + offset, ours.until + offset if ours.until else None)
        return await read_window(browse, window, time_of=time_reader(), keep=self._keep(), bounds=Bounds())

    def _keep(self) -> Callable[[str], bool]:
        """Candidates of the rules, and lines that name the operation: they tell which opID a task has."""
        names = [name for name in (self.subject.task, self.subject.op_id) if name]
        is_candidate = self.tools.engine.is_candidate
        return lambda text: is_candidate(text) or any(name in text for name in names)

    def _take(self, found: WindowRead, *, file: str, host: HostAt | None) -> None:
        name, side = (host.name, host.side) if host else (None, OF_VCENTER)
        self.collected.seen += found.read
        self.collected.lines.extend(SourceLine(file, line.number, line.text, name, side) for line in found.lines)
        self.collected.unread.extend(f"{file}: {why}" for why in dict.fromkeys(found.missing))

    async def _own_log(self, scene: Scene, ahead: timedelta) -> None:
        """vCenter's own log. It tells which opID a task had; that it cannot be read is no great loss, and is told."""
        async with self.steps.step(f"Reading {OWN_LOG} of vCenter {scene.name}") as step:
            found = await self._window(partial(_browse, scene, "", OWN_LOG), ahead)
            self._take(found, file=f"vCenter {scene.name} {OWN_LOG}.log", host=None)
            if found.broken is None:
                step.done(f"Read {OWN_LOG} of vCenter {scene.name}: {few(found.read, 'line')}")
            else:
                self.collected.unread.append(f"{OWN_LOG}.log of vCenter {scene.name}: {found.broken}")
                step.failed(f"{OWN_LOG} of vCenter {scene.name} could not be read: {found.broken}")

    async def _events(self, scene: Scene, hosts: Sequence[HostAt], ahead: timedelta) -> None:
        async with self.steps.step(f"Reading the events of vCenter {scene.name}") as step:
            since = self.subject.window.since + ahead
            until = self.subject.window.until + ahead if self.subject.window.until else None
            try:
                found = list(await scene.host_events([host.name for host in hosts], since=since, until=until))
                if self.subject.vm_uuid:
                    found += await scene.vm_events(self.subject.vm_uuid, since=since, until=until)
            except OutsideError as error:
                self.collected.unread.append(f"The events of vCenter {scene.name}: {error}")
                step.failed(f"The events of vCenter {scene.name} could not be read: {error}")
                return
            told = sorted(found, key=lambda event: (event.at, event.key))[-TOLD_EVENTS:]
            file = "vCenter events" if scene.name == self.subject.home else f"vCenter {scene.name} events"
            self.collected.lines.extend(event_lines(told, file=file, ahead=ahead))
            self.collected.events += len(told)
            self.collected.read.add("vcenter")
            step.done(f"Read {few(len(found), 'event')} of vCenter {scene.name}")

    @staticmethod
    async def _in_plain_words(scene: Scene, host: str, error: OutsideError) -> str:
        """A reply that never came is the host's silence if vCenter itself answers meanwhile."""
        if isinstance(error, FaultError):
            return str(error)
        try:
            await scene.look_at_clock()
        except OutsideError as away:
            return str(away)
        return f"{host} does not answer vCenter in time ({error})"

    def conclude(self) -> None:
        """Say of which sides and logs everything was read."""
        for side in {host.side for host in self.subject.hosts if host.side}:
            if all(self._read(host, log) for host in self.subject.hosts if host.side == side for log in LOGS[:2]):
                self.collected.read.add(side)
        for log in LOGS:
            if all(self._read(host, log) for host in self.subject.hosts):
                self.collected.read.add(log)

    def _read(self, host: HostAt, log: str) -> bool:
        return self.whole.get((host, log), False)


async def _browse(scene: Scene, host: str, log: str, start: int, lines: int) -> tuple[int, Sequence[str]]:
    return await scene.browse(host, log, start=start, lines=lines)


def event_lines(events: Iterable[VCenterEvent], *, file: str, ahead: timedelta) -> list[SourceLine]:
    """Events as lines of a log that vCenter never wrote, on the common clock."""
    lines = []
    for number, event in enumerate(events, 1):
        moment = (event.at - ahead).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        text = " ".join(event.text.split())
        lines.append(SourceLine(file, number, f"{moment} {event.weight} [{event.kind}] {text}", None, "vcenter"))
    return lines


def time_reader() -> TimeOf:
    """Tells the time of a line, and remembers which form the log's lines have. One for each log."""
    reader = HeaderReader(_formats())

    def time_of(text: str) -> datetime | None:
        header = reader.read(text)
        return header.timestamp if header is not None else None

    return time_of


@cache
def _formats() -> tuple[Format, ...]:
    return load_formats()


def few(number: int, noun: str) -> str:
    """A number in the middle of a sentence."""
    return count(number, noun) if number else f"no {noun}s"


def _apart(offset: timedelta) -> str:
    seconds = offset.total_seconds()
    return f"{abs(seconds):.1f} s {'ahead' if seconds > 0 else 'behind'}"


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
