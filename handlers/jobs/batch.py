"""The job kind `batch`: who is knocking is a worker with a claim; the rest is the operation's."""

from __future__ import annotations

from bot.jobs.port import Claim
from bot.operations.batch import run_batch
from bot.operations.tools import WorkerTools
from bot.telemetry import about


class BatchHandler:
    """Carries one claimed batch as far as it goes without a person."""

    def __init__(self, tools: WorkerTools) -> None:
        self._tools = tools

    async def __call__(self, claim: Claim) -> None:
        with about(job=claim.job.id):
            await run_batch(self._tools, claim)
