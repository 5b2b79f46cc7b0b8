"""All verbs of people behind the one door that handlers know (`bot.operations.port.Verbs`)."""

from __future__ import annotations

from collections.abc import Sequence

from bot.migration.request import JobId
from bot.operations.approve import approve
from bot.operations.cancel import cancel
from bot.operations.counter import Counter
from bot.operations.home import home
from bot.operations.offer import target_sites, vms_like
from bot.operations.port import Answer, Home, MigrateOrder, Person, Question, VmChoice
from bot.operations.report import help_for, jobs, show
from bot.operations.request_diagnosis import may_diagnose, request_diagnosis
from bot.operations.request_migration import request_migration
from bot.operations.retry import retry


class Desk:
    """The verbs, with what they need. What each promises is said where it lives."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter

    async def migrate(self, who: Person, channel: str, order: MigrateOrder, *, dedupe: str) -> Answer:
        return await request_migration(self._counter, who, channel, order, dedupe=dedupe)

    async def approve(self, who: Person, job: JobId, fingerprint: str) -> Answer:
        return await approve(self._counter, who, job, fingerprint)

    async def cancel(self, who: Person, job: JobId) -> Answer:
        return await cancel(self._counter, who, job)

    async def retry(self, who: Person, channel: str, job: JobId, *, dedupe: str) -> Answer:
        return await retry(self._counter, who, channel, job, dedupe=dedupe)

    async def may_diagnose(self, who: Person, channel: str) -> None:
        await may_diagnose(self._counter, who, channel)

    async def diagnose(self, who: Person, question: Question, *, dedupe: str) -> Answer:
        return await request_diagnosis(self._counter, who, question, dedupe=dedupe)

    async def jobs(self, who: Person) -> Answer:
        return await jobs(self._counter, who)

    async def show(self, who: Person, job: JobId) -> Answer:
        return await show(self._counter, who, job)

    async def help(self, who: Person) -> Answer:
        return await help_for(self._counter, who)

    async def target_sites(self, who: Person) -> Sequence[str]:
        return await target_sites(self._counter, who)

    async def vms_like(self, who: Person, query: str, *, limit: int) -> Sequence[VmChoice]:
        return await vms_like(self._counter, who, query, limit=limit)

    async def home(self, who: Person) -> Home:
        return await home(self._counter, who)
