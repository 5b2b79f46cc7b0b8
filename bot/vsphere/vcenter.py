"""The machine behind the door `VCenter`: pyVmomi on threads of its own, answers in domain types.

pyVmomi blocks, so every call runs on one of a bounded set of threads: some for questions, others for orders, because
a slow submit must not keep anybody from reading. Managed objects stay inside the functions that run there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from pyVmomi import vim

from bot.diagnosis.facts import DEFAULT_STACK, HostFacts
from bot.migration.facts import SiteFacts, SiteSpec, VmFacts
from bot.migration.measured import Connection, NicCounters, Pings
from bot.migration.path import Leg
from bot.migration.plan import FarVCenter, Plan
from bot.migration.request import VCenterName
from bot.migration.survey import Advice, MissingPrivilege
from bot.vsphere import events, history, host_facts, inventory, probes, relocate, running, task_records
from bot.vsphere.advice import check_relocate
from bot.vsphere.consolidation import consolidating
from bot.vsphere.drives import disconnecting
from bot.vsphere.errands import Errands
from bot.vsphere.esxcli import Esxcli
from bot.vsphere.far import Credentials, no_credentials, read_identity, service_locator
from bot.vsphere.host_log import HostLogReader
from bot.vsphere.host_roll import read_roll
from bot.vsphere.inventory_line import News
from bot.vsphere.inventory_watch import THREADS, watching
from bot.vsphere.leftovers import SETTLES_IN, LeftoverDesk
from bot.vsphere.place import read_place
from bot.vsphere.port import (
    Guest,
    HostEntry,
    HostGlance,
    InventoryVm,
    Leftover,
    RunningRelocation,
    TaskRecord,
    TaskSnapshot,
    Trace,
    VCenterEvent,
    VmPlace,
)
from bot.vsphere.power import powering_off, powering_on, read_guest, shutting_down
from bot.vsphere.privileges import missing_privileges
from bot.vsphere.pulse import Pulse
from bot.vsphere.session import PAUSES, WRITER, Connected, Reader, Writer
from bot.vsphere.site_facts import read_site
from bot.vsphere.tasks import PATIENCE, Heard, TaskWatcher
from bot.vsphere.traces import TraceBook
from bot.vsphere.vm_facts import read_vm
from bot.vsphere.wire import Endpoint, Trust

Answer = TypeVar("Answer")

READING_THREADS = 8
WRITING_THREADS = 4
LOOKING_THREADS = 8
"""So many calls of diagnoses are under way at once: each may wait for a host that does not answer, and one measurement
has up to three pings of 20 s under way."""

LOOK_WITHIN = timedelta(seconds=20)
ENDING_WITHIN = timedelta(seconds=10)
SUBMIT_WITHIN = timedelta(seconds=60)


class PyvmomiVCenter:
    """One vCenter, as `VCenter`, `HostLogs` and `Scene` promise. Logs in at its first use; `close` logs out.

    `read_pauses` are the waits before a question is put again; `follow_patience` is how long a task is followed
    through an outage; `look_within` is how long a reply for a diagnosis may take. `credentials` gives our account at
    another vCenter of the config, for a move there.
    """

    def __init__(
        self,
        name: VCenterName,
        *,
        url: str,
        user: str,
        password: Callable[[], str],
        ca_file: Path | None = None,
        thumbprint: str | None = None,
        submit_timeout: timedelta = SUBMIT_WITHIN,
        read_pauses: Sequence[timedelta] = PAUSES,
        follow_patience: timedelta = PATIENCE,
        look_within: timedelta = LOOK_WITHIN,
        leftovers_settle_in: timedelta = SETTLES_IN,
        credentials: Credentials = no_credentials,
    ) -> None:
        self._credentials = credentials
        self._endpoint = endpoint = Endpoint(name, url, user, password, Trust(ca_file, thumbprint))
        self._name = name
        self._reader = Reader(endpoint, pauses=read_pauses)
        self._writer = Writer(endpoint, submit=submit_timeout, pauses=read_pauses)
        self._traces = TraceBook(name, user=user, reader=self._reader, writer=self._writer)
        self._watcher = TaskWatcher(self._reader, patience=follow_patience)
        self._pulse = Pulse(self.now, answered=self._reader.answered_within)
        self._logs = HostLogReader()
        self._esxcli = Esxcli()
        self._errands = Errands(ask=self._ask, give=self._give, follow=self.follow, pauses=read_pauses)
        self._leftovers = LeftoverDesk(name, self._errands, pauses=read_pauses, settles_in=leftovers_settle_in)
        self._reads = ThreadPoolExecutor(READING_THREADS, thread_name_prefix=f"vsphere-{name}-read")
        self._looks = ThreadPoolExecutor(LOOKING_THREADS, thread_name_prefix=f"vsphere-{name}-look")
        self._watches = ThreadPoolExecutor(THREADS, thread_name_prefix=f"vsphere-{name}-inventory")
        self._look_within = look_within
        self._writes = ThreadPoolExecutor(WRITING_THREADS, thread_name_prefix=f"vsphere-{name}-write")

    @property
    def name(self) -> VCenterName:
        return self._name

    @property
    def user(self) -> str:
        return self._reader.user

    async def close(self) -> None:
        """Stop following, log out of both sessions, end the threads. Orders under way are waited for."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._writer.hurry()
        self._writes.shutdown(wait=True)
        self._writer.close()
        self._watcher.close()
        self._reader.close()
        self._watcher.join(ENDING_WITHIN)
        self._watches.shutdown(wait=True, cancel_futures=True)
        self._looks.shutdown(wait=True, cancel_futures=True)
        self._reads.shutdown(wait=True, cancel_futures=True)

    # ---- questions

    async def now(self) -> datetime:
        return await self._ask(_clock)

    async def alive(self) -> None:
        await self._pulse.feel()

    async def find_vms(self, query: str) -> Sequence[InventoryVm]:
        return await self._ask(lambda session: inventory.find_vms(session, self._name, query))

    async def list_vms(self) -> Sequence[InventoryVm]:
        """Return every VM, for the inventory that the bot reads."""
        return await self._ask(lambda session: inventory.list_vms(session, self._name))

    def inventory_news(self) -> AsyncGenerator[News, None]:
        """Yield every VM, then what changes; whoever asks twice at a time has it read twice."""
        return watching(self._reader, self._watches)

    async def read_vm(self, uuid: str) -> VmFacts:
        return await self._ask(lambda session: read_vm(session, self._name, uuid))

    async def read_site(self, site: SiteSpec) -> SiteFacts:
        return await self._ask(lambda session: read_site(session, site))

    async def place(self, uuid: str) -> VmPlace | None:
        return await self._ask(lambda session: read_place(session, uuid))

    async def missing_privileges(self, plan: Plan) -> Sequence[MissingPrivilege]:
        return await self._ask(lambda session: missing_privileges(session, self._name, plan))

    async def check_relocate(self, plan: Plan) -> Sequence[Advice]:
        return await check_relocate(self._ask, plan, credentials=self._credentials)

    async def identity(self) -> FarVCenter:
        return await self._ask(lambda session: read_identity(session, self._endpoint))

    async def find_relocations(self, uuid: str, *, since: datetime) -> Sequence[TaskSnapshot]:
        return await self._ask(lambda session: history.find_relocations(session, uuid, since=since))

    async def running_relocations(self) -> Sequence[RunningRelocation]:
        return await self._ask(lambda session: running.running_relocations(session, self._name))

    async def read_trace(self, uuid: str) -> str:
        return await self._on_reading_thread(lambda: self._traces.read(uuid))

    async def traces(self) -> Sequence[Trace]:
        return await self._on_reading_thread(self._traces.all)

    async def last_line(self, host: str, log: str) -> int:
        return await self._ask(lambda session: self._logs.last_line(session, host, log))

    async def read(self, host: str, log: str, *, start: int, lines: int) -> tuple[int, Sequence[str]]:
        return await self._ask(lambda session: self._logs.read(session, host, log, start=start, lines=lines))

    async def _ask(self, question: Callable[[Connected], Answer]) -> Answer:
        return await self._on_reading_thread(lambda: self._reader.ask(question))

    async def _on_reading_thread(self, work: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._reads, work)

    # ---- looks around

    async def look_at_clock(self) -> datetime:
        return await self._look(_clock)

    async def look_for_vms(self, query: str) -> Sequence[InventoryVm]:
        return await self._look(lambda session: inventory.find_vms(session, self._name, query))

    async def roll(self) -> Sequence[HostEntry]:
        return await self._ask(read_roll)

    async def hosts(self) -> Sequence[HostGlance]:
        return await self._look(host_facts.list_hosts)

    async def describe_hosts(self, names: Sequence[str]) -> Sequence[HostFacts]:
        return await self._look(lambda session: host_facts.describe_hosts(session, names))

    async def clock_offset(self, host: str) -> timedelta:
        return await self._look(lambda session: host_facts.clock_offset(session, host))

    async def browse(self, host: str, log: str, *, start: int, lines: int) -> tuple[int, Sequence[str]]:
        return await self._look(lambda session: self._logs.read(session, host, log, start=start, lines=lines))

    async def vm_events(self, uuid: str, *, since: datetime, until: datetime | None) -> Sequence[VCenterEvent]:
        return await self._look(lambda session: events.events_of_vm(session, uuid, since=since, until=until))

    async def host_events(
        self, names: Sequence[str], *, since: datetime, until: datetime | None
    ) -> Sequence[VCenterEvent]:
        return await self._look(lambda session: events.events_of_hosts(session, names, since=since, until=until))

    async def chain_events(self, chain: int) -> Sequence[VCenterEvent]:
        return await self._look(lambda session: events.events_of_chain(session, chain))

    async def last_failed_copy(self, uuid: str, *, since: datetime) -> TaskRecord | None:
        return await self._look(lambda session: task_records.last_failed_copy(session, self._name, uuid, since=since))

    async def find_task(self, task: str, *, since: datetime) -> TaskRecord | None:
        return await self._look(lambda session: task_records.find_task(session, self._name, task, since=since))

    # ---- probes

    async def ping(self, host: str, leg: Leg, *, count: int, size: int, whole: bool) -> Pings:
        return await self._look(
            lambda session: probes.ping(self._esxcli, session, host, leg, count=count, size=size, whole=whole),
            longer=probes.time_for(count),
        )

    async def resolves(self, host: str, name: str) -> bool:
        return await self._look(lambda session: probes.resolves(self._esxcli, session, host, name))

    async def connections(
        self, host: str, *, ports: Sequence[int], netstack: str = DEFAULT_STACK
    ) -> Sequence[Connection]:
        return await self._look(
            lambda session: probes.connections(self._esxcli, session, host, ports=ports, netstack=netstack)
        )

    async def nic_counters(self, host: str) -> Sequence[NicCounters]:
        return await self._look(lambda session: probes.nic_counters(self._esxcli, session, host))

    async def _look(self, question: Callable[[Connected], Answer], *, longer: timedelta = timedelta()) -> Answer:
        within = self._look_within + longer
        return await asyncio.get_running_loop().run_in_executor(
            self._looks, lambda: self._reader.look(question, within=within)
        )

    # ---- orders

    async def writer_session(self) -> str:
        return await self._order(self._writer.key)

    async def relocate(self, plan: Plan, *, op_id: str, session: str = "") -> str:
        return await self._order(lambda: self._relocate(plan, op_id=op_id, session=session))

    def _relocate(self, plan: Plan, *, op_id: str, session: str) -> str:
        spec = self._reader.ask(lambda reading: relocate.make_spec(reading, plan))
        spec.service = service_locator(plan, self._credentials)
        return self._writer.give(
            lambda writing: relocate.submit(writing, plan, spec, op_id=op_id),
            session=session,
        )

    async def cancel(self, task: str) -> None:
        await self._order(lambda: self._writer.give(lambda writing: _cancel(writing, task)))

    async def write_trace(self, uuid: str, text: str, *, session: str = "") -> None:
        await self._order(lambda: self._traces.write(uuid, text, session=session))

    async def end_session(self, key: str) -> None:
        # Through the reader, although it changes something: ending a session twice is ending it once, so it may be
        # asked again; and a session may not end itself, while the writer's own is just what may have to go.
        await self._ask(lambda session: _terminate(session, key))
        self._writer.forget(key)

    async def end_writers(self) -> None:
        ended = await self._ask(_terminate_writers)
        for key in ended:
            self._writer.forget(key)

    # ---- errands: beside the relocation

    async def guest(self, uuid: str) -> Guest:
        return await self._ask(lambda session: read_guest(session, uuid))

    async def shut_down_guest(self, uuid: str, *, session: str = "") -> None:
        await self._errands.run(shutting_down(uuid), session=session)

    async def power_off(self, uuid: str, *, session: str = "") -> None:
        await self._errands.run(powering_off(uuid), session=session)

    async def power_on(self, uuid: str, *, session: str = "") -> None:
        await self._errands.run(powering_on(uuid), session=session)

    async def disconnect_drives(self, uuid: str, *, session: str = "") -> None:
        await self._errands.run(disconnecting(uuid), session=session)

    async def consolidate(self, uuid: str, *, session: str = "") -> None:
        await self._errands.run(consolidating(uuid), session=session)

    async def leftovers(self, plan: Plan) -> Sequence[Leftover]:
        return await self._leftovers.find(plan)

    async def delete_leftovers(self, plan: Plan, files: Sequence[str]) -> Sequence[str]:
        return await self._leftovers.delete(plan, files)

    async def _give(self, order: Callable[[Connected], Answer], *, session: str = "") -> Answer:
        return await self._order(lambda: self._writer.give(order, session=session))

    async def _order(self, order: Callable[[], Answer]) -> Answer:
        """Run an order to its end, whatever happens to whoever waits for it; then pass on the cancellation."""
        future = asyncio.get_running_loop().run_in_executor(self._writes, order)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            while not future.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait({future})
            future.exception()  # it has been looked at; the journal's look-up will find what became of it
            raise

    # ---- following

    async def follow(self, task: str) -> AsyncIterator[TaskSnapshot]:
        loop = asyncio.get_running_loop()
        heard: asyncio.Queue[Heard] = asyncio.Queue()

        def tell(news: Heard) -> None:
            with suppress(RuntimeError):  # the loop has been closed: nobody listens any more
                loop.call_soon_threadsafe(heard.put_nowait, news)

        last: TaskSnapshot | None = None
        self._watcher.follow(task, tell)
        try:
            await loop.run_in_executor(self._reads, self._watcher.widen)
            while last is None or not last.ended:
                news = await heard.get()
                if not isinstance(news, TaskSnapshot):
                    raise news
                if news != last:
                    last = news
                    yield news
        finally:
            self._watcher.unfollow(task, tell)


def _clock(session: Connected) -> datetime:
    service = vim.ServiceInstance("ServiceInstance", session.wire)  # type: ignore[no-untyped-call]
    moment: datetime = service.CurrentTime()
    return moment.astimezone(UTC)


def _terminate(session: Connected, key: str) -> None:
    with suppress(vim.fault.NotFound):
        session.content.sessionManager.TerminateSession([key])


def _terminate_writers(session: Connected) -> list[str]:
    manager = session.content.sessionManager
    ours = [one.key for one in manager.sessionList if one.userName == session.user and one.userAgent == WRITER]
    for key in ours:
        _terminate(session, key)
    return ours


def _cancel(session: Connected, task: str) -> Any:
    return vim.Task(task, session.wire).CancelTask()  # type: ignore[no-untyped-call]
