"""Put an evidence pack together for a failed migration: what was kept with it, the history of its link, and controls
that are measured now. What it says and how it looks is in the files beside this one.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from bot.errors import OutsideError, UserError
from bot.jobs.port import Job
from bot.links.port import LinkHistory
from bot.migration.measured import LinkSample
from bot.migration.plan import Plan
from bot.operations.evidence_build import Material, broke_at, build, chief_incident
from bot.operations.evidence_controls import Controlled, control
from bot.operations.evidence_files import files_of_pack
from bot.operations.evidence_pack import TITLE, Pack
from bot.operations.on_call_files import LARGEST, Attachment
from bot.operations.record import approved_plan, plan_of
from bot.operations.tools import WorkerTools
from bot.slack.loss_chart import loss_chart

LOOKED_BACK: Final = timedelta(days=1)
SHORTEST: Final = timedelta(hours=1)
MARGIN: Final = timedelta(minutes=5)
"""The picture begins so long before what is first known of the link in that day, and spans an hour at least."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A pack and its files."""

    pack: Pack
    files: Sequence[Attachment]


async def evidence_of(tools: WorkerTools, job: Job, *, asked_at: datetime) -> Evidence:
    """Measure the controls, read the history, and make the files. UserError for a migration that never ran.

    The files are named after `asked_at`: whoever is asked once more makes the same ones, and a later pack is another.
    """
    require_copy(job)
    plan, now = approved_plan(job), await tools.queue.now()
    controls, history = await asyncio.gather(control(tools, plan), history_of(tools.links, job, now))
    bound = tools.fleet.max_loss.get(plan.link)
    made = partial(make, job, now=now, controls=controls, history=history, bound=bound, asked_at=asked_at)
    return await asyncio.to_thread(made)


async def history_of(links: LinkHistory | None, job: Job, now: datetime) -> Sequence[LinkSample]:
    """What is known of the link from a day before the break on; nothing where that cannot be read."""
    plan = approved_plan(job)
    if links is None or not plan.link:
        return ()
    try:
        return await links.samples(plan.link, since=min(broke_at(job, chief_incident(job)), now) - LOOKED_BACK)
    except OutsideError as error:
        log.warning("The history of %s is not in the evidence of %s: %s", plan.link, job.id, error)
        return ()


def make(
    job: Job,
    *,
    now: datetime,
    history: Sequence[LinkSample],
    controls: Sequence[Controlled] = (),
    bound: float | None = None,
    asked_at: datetime | None = None,
) -> Evidence:
    """The pack and its files; takes a second or two. UserError for a migration that never ran."""
    require_copy(job)
    chart, says = _chart(approved_plan(job), job, now, history, bound)
    pack = build(Material(job, now, controls, chart, says, asked_at))
    files = files_of_pack(pack, verdict=_verdict(job), history=history)
    return Evidence(pack, [file for file in files if len(file.data) <= LARGEST])


def said_of(evidence: Evidence) -> str:
    """The reply that goes with the files."""
    pack = evidence.pack
    lossy = [one.what for one in pack.controls if one.count is not None and one.count.lost]
    clean = [one.what for one in pack.controls if one.count is not None and not one.count.lost]
    told = [f"lossy: {'; '.join(lossy)}" if lossy else "", f"clean: {'; '.join(clean)}" if clean else ""]
    controls = f" Controls: {'. '.join(filter(None, told))}." if lossy or clean else ""
    return f"Evidence pack of {pack.vm}, for the network team: {TITLE[0].lower()}{TITLE[1:]}.{controls}"


def require_copy(job: Job) -> None:
    """UserError for a job of which no copy was ever started."""
    if plan_of(job) is None or not job.data.get("intent"):
        raise UserError(f"Job {job.id} was never started: there is nothing that could be shown of its copy.")


def _chart(
    plan: Plan, job: Job, now: datetime, history: Sequence[LinkSample], bound: float | None
) -> tuple[bytes | None, str]:
    if not history:
        return None, ""
    begun = min(broke_at(job, chief_incident(job)), now) - LOOKED_BACK
    since = min(max(begun, history[0].at - MARGIN), now - SHORTEST)
    picture = loss_chart(history, link=plan.link, since=since, until=now, bound=bound)
    return picture, f"Packets lost and rates of copies on {plan.link} since {since:%Y-%m-%d %H:%M} UTC."


def _verdict(job: Job) -> dict[str, Any]:
    try:
        found = json.loads(job.data.get("verdict") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
