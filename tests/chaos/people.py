"""The people of a night: they ask for migrations, each twice, approve what is shown, and change their minds."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bot.jobs.port import CancelOutcome, JobQueue, NewJob
from bot.migration.machine import Phase
from bot.migration.request import JobId, MigrationRequest, SiteName, VCenterName, VmRef
from bot.operations.record import MIGRATE, with_request
from bot.playground.vcenter.inventory import Vm
from bot.playground.vcenter.player import VCenterPlayer
from tests.chaos.chronicle import Chronicle, Entry
from tests.chaos.ring_world import onward

REQUESTERS: Final = ("U0ALICE001", "U0CAROL001", "U0DAVE0001")
APPROVER: Final = "U0BOB00001"


@dataclass(frozen=True, slots=True)
class Order:
    """A migration that was acknowledged."""

    job: JobId
    vm: str
    source: str
    target: str

    @property
    def link(self) -> str:
        return "~".join(sorted((self.source, self.target)))


@dataclass
class People:
    """`fickle` is the chance of a cancel at every event of a job."""

    queue: JobQueue
    vcenter: VCenterPlayer
    chronicle: Chronicle
    dice: random.Random
    fickle: float = 0.0
    orders: dict[str, Order] = field(default_factory=dict)
    cancelled: dict[str, CancelOutcome] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)
    wrongs: list[str] = field(default_factory=list)

    def refs(self) -> Sequence[VmRef]:
        """Every VM there is, by name."""
        vms = sorted(self.vcenter.estate.inventory.each(Vm), key=lambda vm: vm.name)
        return [VmRef(VCenterName("east"), vm.instance_uuid, vm.name) for vm in vms]

    async def asks(self, vm: VmRef) -> Order:
        """Ask for the VM's next move, twice at the same moment: two people, or one whose phone repeats itself."""
        source = self.vcenter.placement(vm.name).site
        order_of = self._new(vm, onward(source))
        first, second = await asyncio.gather(self.queue.draft(order_of), self.queue.draft(order_of))
        self.counted["asked twice"] += 1
        if first.id != second.id or [first.fresh, second.fresh].count(True) != 1:
            self.wrongs.append(f"{vm.name} was asked for twice and became {first.id} and {second.id}")
        order = Order(first.id, vm.name, source, onward(source))
        self.orders[order.job] = order
        return order

    async def sees_through(self, vm: VmRef) -> Order:
        """Ask, and return when that has ended."""
        order = await self.asks(vm)
        await self.chronicle.until(lambda: self.chronicle.has_ended(order.job))
        return order

    def crowd(self, size: int, enough: Callable[[], bool]) -> list[Coroutine[Any, Any, None]]:
        """So many of them, who share the VMs and go on asking until it is enough."""
        vms = self.refs()
        return [self._keeps_asking(vms[n::size], enough) for n in range(size)]

    async def _keeps_asking(self, vms: Sequence[VmRef], enough: Callable[[], bool]) -> None:
        for vm in itertools.cycle(vms):
            if enough():
                return
            await self.sees_through(vm)

    async def attends(self) -> None:
        """Approve every plan that is shown and cancel now and then, until cancelled."""
        heard: asyncio.Queue[Entry] = asyncio.Queue()
        self.chronicle.heard.append(heard.put_nowait)
        while True:
            entry = await heard.get()
            if entry.job not in self.orders and entry.state != Phase.PLANNED:
                continue
            if self.dice.random() < self.fickle and not entry.ended:
                await self.cancels(entry.job)
            elif entry.state == Phase.PLANNED:
                await self.approves(JobId(entry.job))

    async def approves(self, job: JobId) -> None:
        found = await self.queue.get(job)
        if found is not None and found.state is Phase.PLANNED:
            await self.queue.approve(job, fingerprint=found.data["fingerprint"], by=APPROVER)

    async def cancels(self, job: str) -> CancelOutcome:
        outcome = await self.queue.cancel(JobId(job), by=REQUESTERS[0])
        self.cancelled.setdefault(job, outcome)
        self.counted["cancels"] += 1
        return outcome

    async def all_ended(self) -> None:
        """Once every order has. The caller sets the time-out."""
        await self.chronicle.until(lambda: all(map(self.chronicle.has_ended, self.orders)))

    def _new(self, vm: VmRef, site: str) -> NewJob:
        request = MigrationRequest(vm=vm, site=SiteName(site))
        who = self.dice.choice(REQUESTERS)
        return NewJob(kind=MIGRATE, vm_key=vm.key, requester=who, channel="C0MIGRATE1", data=with_request(request))
