"""Which handler carries which kind of job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from bot.jobs.port import Claim
from bot.operations.aftercare_record import AFTERCARE
from bot.operations.batch_record import BATCH
from bot.operations.inquiry import DIAGNOSE
from bot.operations.record import MIGRATE
from bot.operations.tools import WorkerTools
from handlers.jobs.aftercare import AftercareHandler
from handlers.jobs.batch import BatchHandler
from handlers.jobs.diagnose import DiagnoseHandler
from handlers.jobs.migrate import MigrateHandler


def job_handlers(tools: WorkerTools) -> Mapping[str, Callable[[Claim], Awaitable[None]]]:
    """One handler per kind; a kind that is not here is nobody's job."""
    return {
        MIGRATE: MigrateHandler(tools),
        BATCH: BatchHandler(tools),
        DIAGNOSE: DiagnoseHandler(tools),
        AFTERCARE: AftercareHandler(tools),
    }
