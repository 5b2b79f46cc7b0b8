"""What `coldmigrate jobs evidence` writes: a pack without controls, for here is nobody who could measure them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli.ledger import ask_store
from bot.cli.link_history import bound_of
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.operations.evidence import Evidence
    from bot.store.client import Store


def written(config: Path | None, job_id: str, output: Path) -> None:
    """Write the file of the pack that has the ending of `output`. UserError where there is no such job or file."""
    if output.suffix not in (".zip", ".html"):
        raise UserError(f"{output} is neither a .zip nor a .html.", example="--output evidence.zip")
    made = ask_store(config, lambda store: _made(store, config, job_id))
    file = next((file for file in made.files if file.name.endswith(output.suffix)), None)
    if file is None:
        raise UserError("The pack became too large to be passed on to anybody.")
    try:
        output.write_bytes(file.data)
    except OSError as refusal:
        raise UserError(f"{output} cannot be written: {refusal.strerror}.") from refusal


async def _made(store: Store, config: Path | None, job_id: str) -> Evidence:
    from bot.jobs.queue import RedisQueue
    from bot.links.history import RedisLinkHistory
    from bot.migration.request import JobId
    from bot.operations.evidence import history_of, make, require_copy
    from bot.operations.record import approved_plan

    queue = RedisQueue(store)
    job, now = await queue.get(JobId(job_id)), await queue.now()
    if job is None:
        raise UserError(f"There is no job {job_id!r}.", example="coldmigrate jobs list")
    require_copy(job)
    history = await history_of(RedisLinkHistory(store), job, now)
    return make(job, now=now, history=history, bound=bound_of(config, approved_plan(job).link))
