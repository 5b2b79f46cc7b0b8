"""The job kind `aftercare`: who is knocking is a worker with a claim; the rest is the operation's."""

from __future__ import annotations

from bot.jobs.port import Claim
from bot.operations.aftercare import run_aftercare
from bot.operations.tools import WorkerTools
from bot.telemetry import about


class AftercareHandler:
    """Does one claimed act."""

    def __init__(self, tools: WorkerTools) -> None:
        self._tools = tools

    async def __call__(self, claim: Claim) -> None:
        with about(job=claim.job.id):
            await run_aftercare(self._tools, claim)
