"""Find what somebody typed: a migration, an opID, a task, a host or a VM, in this order; its hosts, and its time.

vCenters are asked side by side, and one that does not answer is told, not waited for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from bot.diagnosis.facts import DiskFacts, Facts
from bot.errors import OutsideError, UserError
from bot.jobs.port import Job
from bot.migration.machine import WORDS
from bot.migration.planning import datastore_of
from bot.migration.request import JobId, VCenterName
from bot.operations.diagnose import facts_of
from bot.operations.inquiry import Inquiry
from bot.operations.on_call_ask import Asking
from bot.operations.on_call_subject import Ends, HostAt, Subject, ends_of, sided, window_of
from bot.operations.record import MIGRATE, intent_of, op_base, plan_of, request_of
from bot.operations.tools import WorkerTools
from bot.vsphere.host_log_window import Window
from bot.vsphere.port import HostGlance, InventoryVm, Scene, TaskRecord, VCenterEvent

RECENT: Final = timedelta(hours=2)
"""What is read of a host or a VM when nobody said how much, and nothing is known to have failed."""

FAILED_WITHIN: Final = timedelta(days=7)
"""How old a failed copy may be to be what somebody means who asks about its VM."""

MOST_HOSTS: Final = 16
LISTED: Final = 10
JOBS_LOOKED_AT: Final = 200

_JOB: Final = re.compile(r"[a-z2-7]{8}")
_OUR_OP_ID: Final = re.compile(r"(?i)cm-(?P<job>[a-z2-7]{8})(?:-[\w-]+)?")
_TASK: Final = re.compile(r"task-\d+")
_OP_ID: Final = re.compile(
    r"(?i)(?=[\w:.-]*\d)(?:[0-9a-f]{6,8}(?:-[0-9a-f]{2,8})*|[\w.]+-[\w.-]*:\d[\w:.-]*|\w+-\d+-auto-[\w:.-]+)"
)
"""Operation ids as vCenter's own clients give them: groups of hexadecimal digits, or `…-auto-…-h5:70005734-88`."""


async def find_subject(tools: WorkerTools, inquiry: Inquiry) -> Subject:
    """What was typed. UserError with near names for what nobody knows, with the choices for what is ambiguous.

    AllAwayError when no vCenter at all can be asked; UnreachableError when Redis does not answer.
    """
    return await _Search(tools, inquiry.typed.strip(), inquiry.since, Asking(tools.on_call.scenes)).run()


@dataclass(slots=True)
class _Search:
    tools: WorkerTools
    typed: str
    since: timedelta | None
    asking: Asking

    async def run(self) -> Subject:
        await self.asking.begin()
        subject = await self._migration() or await self._task() or await self._place()
        return replace(subject, clocks=self.asking.clocks, notes=tuple(dict.fromkeys(self.asking.notes)))

    # ---- a migration of ours, by its id or by an opID that it gave

    async def _migration(self) -> Subject | None:
        ours = _OUR_OP_ID.fullmatch(self.typed)
        name = ours["job"].lower() if ours else self.typed if _JOB.fullmatch(self.typed) else ""
        job = await self.tools.queue.get(JobId(name)) if name else None
        if job is None or job.kind != MIGRATE:
            return None
        return await self._of_job(job, op_id=op_base(job.id))

    async def _of_job(self, job: Job, *, op_id: str) -> Subject:
        plan = plan_of(job)
        if plan is None or "intent" not in job.data:
            said = job.data.get("outcome", "")
            raise UserError(f"Job {job.id} is {WORDS[job.state]} and never began to copy: no log tells of it. {said}")
        vm, home = plan.request.vm, plan.request.vm.vcenter
        ahead = self._now(home) - await self.tools.queue.now()
        ended = job.steps[-1].at + ahead if job.state.ended else None
        window, when = self._window(home, intent_of(job).at + ahead, ended)
        ends = Ends(plan.source.host, plan.target.host)
        return Subject(
            title=f"{vm.name} (job {job.id})",
            home=home,
            hosts=sided([(home, ends.source), (plan.target.vcenter or home, ends.destination)], ends),
            window=window,
            when=when,
            facts=facts_of(plan, job, op_id),
            vm_uuid=vm.uuid,
            op_id=op_id,
            task=job.data.get("task", ""),
            failed_at=ended,
            plan=plan,
        )

    # ---- a task of vCenter

    async def _task(self) -> Subject | None:
        if not _TASK.fullmatch(self.typed):
            return None
        found = await self.asking.each(self._remembered)
        known = [(vcenter, record) for vcenter, record in found.items() if record is not None]
        if not known:
            days = FAILED_WITHIN.days
            raise UserError(f"No vCenter knows {self.typed}, nor does its history of the last {days} days.")
        if len(known) > 1:
            listed = "; ".join(f"{record.what} of {record.entity} in {vcenter}" for vcenter, record in known)
            raise UserError(f"{len(known)} vCenters have a {self.typed}: {listed}. Ask for the VM or the host instead.")
        ((home, record),) = known
        return await self._of_task(home, record)

    async def _remembered(self, scene: Scene) -> TaskRecord | None:
        return await scene.find_task(self.typed, since=self._now(scene.name) - FAILED_WITHIN)

    async def _of_task(self, home: VCenterName, record: TaskRecord) -> Subject:
        task = record.snapshot.task
        title = f"{task} ({record.what} of {record.entity or 'nothing'})"
        if record.vm is not None:
            return await self._of_copy(home, record.vm, record, title=title)
        if record.is_host:
            return self._of_host(home, record.entity, task=task, title=title)
        raise UserError(
            f"{task} is {record.what} of {record.entity}: neither a VM nor a host, so no host's log is its."
        )

    async def _of_copy(self, home: VCenterName, vm: InventoryVm, record: TaskRecord, *, title: str) -> Subject:
        """A task of a VM: our own migration if it is one, else what its events tell of the hosts."""
        task = record.snapshot.task
        job = await self._job_of(vm.ref.uuid, task)
        if job is not None and plan_of(job) is not None and "intent" in job.data:
            return await self._of_job(job, op_id=intent_of(job).op_id)
        started = record.started_at or record.snapshot.queued_at or self._now(home)
        ended = record.snapshot.completed_at
        window, when = self._window(home, started, ended)
        chain = await self.asking.one(home, lambda scene: scene.chain_events(record.chain))
        moves = chain or await self._moves([vm], window)
        return await self._of_vm(
            [vm], moves, window, when, title=title, task=task, failed_at=ended if record.snapshot.fault else None
        )

    async def _job_of(self, uuid: str, task: str) -> Job | None:
        jobs = await self.tools.queue.recent(limit=JOBS_LOOKED_AT)
        ours = (job for job in jobs if job.kind == MIGRATE and job.data.get("task") == task)
        return next((job for job in ours if request_of(job).vm.uuid == uuid), None)

    # ---- a host, a VM, or an opID that somebody else gave

    async def _place(self) -> Subject:
        glances = await self.asking.each(lambda scene: scene.hosts())
        if hosts := _named(glances, self.typed):
            if len(hosts) > 1:
                listed = "; ".join(f"{name} in {vcenter}" for vcenter, name in hosts[:LISTED])
                raise UserError(f"'{self.typed}' means {len(hosts)} hosts: {listed}. Give the whole name.")
            return self._of_host(*hosts[0])
        if vms := await self._vms():
            return await self._of_named_vm(vms)
        if _OP_ID.fullmatch(self.typed):
            return self._of_op_id(glances)
        raise UserError(await self._unknown(glances))

    def _of_host(self, home: VCenterName, name: str, *, task: str = "", title: str = "") -> Subject:
        window, when = self._recent(home)
        return Subject(
            title=title or name,
            home=home,
            hosts=(HostAt(home, name),),
            window=window,
            when=when,
            facts=Facts(),
            task=task,
            exact=True,
        )

    def _of_op_id(self, glances: Mapping[VCenterName, Sequence[HostGlance]]) -> Subject:
        """Nobody knows where a stranger's operation ran: the hosts themselves are asked, as many as can be afforded."""
        every = [(vcenter, host.name) for vcenter, hosts in glances.items() for host in hosts]
        if not every:
            raise UserError(f"No host is known that could have logged '{self.typed}'.")
        if (left := len(every) - MOST_HOSTS) > 0:
            self.asking.notes.append(
                f"{left} of {len(every)} hosts: too many to look for an opID on; ask for a VM or a host"
            )
        home = every[0][0]
        window, when = self._recent(home)
        return Subject(
            title=f"opID {self.typed}",
            home=home,
            hosts=tuple(HostAt(vcenter, name) for vcenter, name in every[:MOST_HOSTS]),
            window=window,
            when=when,
            facts=Facts(op_id=self.typed),
            op_id=self.typed,
        )

    async def _vms(self) -> list[InventoryVm]:
        """By the inventory; one that is too new for it, or that nobody has written yet, by the vCenters themselves."""
        found = list(await self.tools.on_call.inventory.find(self.typed))
        if not found:
            asked = await self.asking.each(lambda scene: scene.look_for_vms(self.typed))
            found = [vm for vms in asked.values() for vm in vms]
        if len({vm.ref.uuid for vm in found}) > 1:
            listed = "; ".join(f"{vm.path} on {vm.host}" for vm in found[:LISTED])
            more = f"; and {len(found) - LISTED} more" if len(found) > LISTED else ""
            raise UserError(
                f"'{self.typed}' means {len(found)} VMs: {listed}{more}. Give the path instead of the name.",
                example=f'/diagnose "{found[0].path}"',
            )
        return found

    async def _of_named_vm(self, vms: Sequence[InventoryVm]) -> Subject:
        """A VM, in each vCenter that has it: its last failed copy, if that is not further back than was said."""
        last = await self._last_failed(vms)
        if last is not None:
            vm = last.vm or vms[0]
            return await self._of_copy(vm.ref.vcenter, vm, last, title=vm.ref.name)
        window, when = self._recent(vms[0].ref.vcenter)
        return await self._of_vm(vms, await self._moves(vms, window), window, when)

    async def _last_failed(self, vms: Sequence[InventoryVm]) -> TaskRecord | None:
        found = [await self.asking.one(vm.ref.vcenter, partial(self._failed, vm.ref.uuid)) for vm in vms]
        ended = [(record.snapshot.completed_at, record) for record in found if record and record.snapshot.completed_at]
        if not ended:
            return None
        at, record = max(ended, key=lambda pair: pair[0])
        recent = self.since is None or at >= self._now(vms[0].ref.vcenter) - self.since
        return record if recent else None

    async def _failed(self, uuid: str, scene: Scene) -> TaskRecord | None:
        return await scene.last_failed_copy(uuid, since=self._now(scene.name) - FAILED_WITHIN)

    async def _moves(self, vms: Sequence[InventoryVm], window: Window) -> list[VCenterEvent]:
        """What happened to the VM in that time, in every vCenter that has it, oldest first."""
        told = [await self.asking.one(vm.ref.vcenter, partial(_happened, vm.ref.uuid, window)) for vm in vms]
        return sorted((event for events in told for event in events or ()), key=lambda event: event.at)

    async def _of_vm(
        self,
        vms: Sequence[InventoryVm],
        events: Sequence[VCenterEvent],
        window: Window,
        when: str,
        *,
        title: str = "",
        task: str = "",
        failed_at: datetime | None = None,
    ) -> Subject:
        vm, ends = vms[0], ends_of(events)
        names = [ends.source, ends.destination, *(row.host for row in vms), *(event.host for event in events)]
        glances = await self.asking.each(lambda scene: scene.hosts())
        where = {host.name: vcenter for vcenter, hosts in reversed(glances.items()) for host in hosts}
        return Subject(
            title=title or vm.ref.name,
            home=vm.ref.vcenter,
            hosts=sided([(where.get(name, vm.ref.vcenter), name) for name in names if name], ends)[:MOST_HOSTS],
            window=window,
            when=when,
            facts=await self._facts(vm, ends, task),
            vm_uuid=vm.ref.uuid,
            task=task,
            failed_at=failed_at,
        )

    async def _facts(self, vm: InventoryVm, ends: Ends, task: str) -> Facts:
        facts = Facts(
            vm=vm.ref.name,
            source_host=ends.source or vm.host or None,
            destination_host=ends.destination or None,
            source_datastore=ends.source_datastore or None,
            destination_datastore=ends.destination_datastore or None,
            task=task or None,
        )
        try:
            read = await self.tools.fleet.vcenter(vm.ref.vcenter).read_vm(vm.ref.uuid)
        except (OutsideError, UserError) as error:
            self.asking.notes.append(f"{vm.ref.name} itself: {error}")
            return facts
        store = datastore_of(read.vm_path_name)
        return replace(
            facts,
            source_datastore=facts.source_datastore or store or None,
            source_folder=read.vm_path_name.removeprefix(f"[{store}] ").rpartition("/")[0] or None,
            disks=tuple(DiskFacts(descriptor=d.path, flat_bytes=d.capacity, thin=d.thin) for d in read.disks),
        )

    async def _unknown(self, glances: Mapping[VCenterName, Sequence[HostGlance]]) -> str:
        near = [vm.ref.name for vm in await self.tools.on_call.inventory.suggest(self.typed)]
        piece = self.typed.casefold()
        near += [host.name for hosts in glances.values() for host in hosts if piece in host.name.casefold()]
        said = f"Nothing is called '{self.typed}': no migration, opID, task, host or VM that I can see."
        if notes := self.asking.notes:
            said += " Not all could be asked: " + " ".join(f"{note.rstrip('.')}." for note in notes)
        return f"{said} Near it: {', '.join(dict.fromkeys(near[:LISTED]))}." if near else said

    # ---- time

    def _window(self, home: VCenterName, started: datetime, ended: datetime | None) -> tuple[Window, str]:
        if self.since is not None:
            return self._recent(home)
        if ended is None:
            begun = max(started, self._now(home) - RECENT)
            return window_of(begun, None), f"since {begun:%Y-%m-%d %H:%M} UTC"
        return window_of(started, ended), f"around its end at {ended:%Y-%m-%d %H:%M:%S} UTC"

    def _recent(self, home: VCenterName) -> tuple[Window, str]:
        back = self.since if self.since is not None else RECENT
        return Window(self._now(home) - back), f"of the last {in_words(back)}"

    def _now(self, vcenter: VCenterName) -> datetime:
        return self.asking.now(vcenter)


async def _happened(uuid: str, window: Window, scene: Scene) -> Sequence[VCenterEvent]:
    return await scene.vm_events(uuid, since=window.since, until=window.until)


def in_words(length: timedelta) -> str:
    """A length of time as people say it: "2 h", "90 min"."""
    minutes = round(length.total_seconds() / 60)
    if minutes % (24 * 60) == 0 and minutes:
        return f"{minutes // (24 * 60)} d"
    return f"{minutes // 60} h" if minutes % 60 == 0 and minutes else f"{minutes} min"


def _named(glances: Mapping[VCenterName, Sequence[HostGlance]], typed: str) -> list[tuple[VCenterName, str]]:
    """Hosts of this name; without one, those of this name before the first dot."""
    folded = typed.casefold()
    every = [(vcenter, host.name) for vcenter, hosts in glances.items() for host in hosts]
    exact = [(vcenter, name) for vcenter, name in every if name.casefold() == folded]
    return exact or [(vcenter, name) for vcenter, name in every if name.casefold().partition(".")[0] == folded]
