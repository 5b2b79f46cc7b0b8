"""The job kind `migrate`: who is knocking is a worker with a claim; the rest is the operation's."""

from __future__ import annotations

from bot.jobs.port import Claim
from bot.operations.record import op_base, request_of
from bot.operations.run_migration import run_migration
from bot.operations.tools import WorkerTools
from bot.telemetry import about


class MigrateHandler:
    """Carries one claimed migration as far as it goes without a person."""

    def __init__(self, tools: WorkerTools) -> None:
        self._tools = tools

    async def __call__(self, claim: Claim) -> None:
        job = claim.job
        with about(job=job.id, vm=request_of(job).vm.name, op_id=op_base(job.id)):
            await run_migration(self._tools, claim)
