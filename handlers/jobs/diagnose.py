"""The job kind `diagnose`: who is knocking is a worker with a claim; the rest is the operation's."""

from __future__ import annotations

from bot.jobs.port import Claim
from bot.operations.on_call import diagnose_inquiry
from bot.operations.tools import WorkerTools
from bot.telemetry import about


class DiagnoseHandler:
    """Answers one claimed question."""

    def __init__(self, tools: WorkerTools) -> None:
        self._tools = tools

    async def __call__(self, claim: Claim) -> None:
        with about(job=claim.job.id):
            await diagnose_inquiry(self._tools, claim)
