"""Wait for a clean link: an approved job that was asked for "when the link is clean" measures it before its start.

Small packets from the source host along the predicted path, a few hundred every few minutes, whoever of the jobs of a
link does it; all of them judge by what the link's history has of the last half hour, so no loss is forgotten at once.
Between two looks the job is back in the queue without its slots. It waits as long as it is not cancelled; only where
nothing can be measured at all it ends, for then nobody would ever know.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.errors import OutsideError
from bot.jobs.port import Claim
from bot.links.port import LinkHistory
from bot.migration.eta import in_words
from bot.migration.intervals import percent
from bot.migration.link_loss import Loss, is_clean, packets_for, pooled
from bot.migration.machine import Refused
from bot.migration.measured import LinkSample, SampleKind
from bot.migration.plan import Plan
from bot.operations.canary_proof import waits_for_canary
from bot.operations.cards import job_card
from bot.operations.finish import finish
from bot.operations.last_look import patience_is_over
from bot.operations.measure import SMALL, probes_of
from bot.operations.measure_looks import Looks
from bot.operations.record import NO_TROUBLE, NOT_BUSY, approved_plan, busy_since, trouble_of, waits_for, with_wait
from bot.operations.tools import WorkerTools
from bot.slack.port import Reply
from bot.vsphere.port import FaultError, HostProbes

WINDOW: Final = timedelta(minutes=30)
"""What was measured in this time is judged together."""

LOOK_EVERY: Final = timedelta(minutes=3)
"""A link is measured so often, however many jobs wait for it."""

FRESH: Final = 2 * LOOK_EVERY
"""Of this time something has to be known: what was clean half an hour ago may have been cut off since."""

PINGS: Final = 3
PACKETS: Final = 250
"""So many pings of so many packets are one look: 75 s in all, and 3,000 packets after four looks."""

USUAL_BOUND: Final = 0.001
"""Where the config names no such link: what it takes for `max_loss` itself."""

_PATIENCE: Final = timedelta(seconds=75)  # of which the packets take a third
_NEVER: Final = frozenset({"vim.fault.NoPermission", "vmodl.fault.NotSupported", "vmodl.fault.MethodNotFound"})
"""Faults that no time mends."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Unseen:
    """Nothing was measured. `ever`: it may be possible in a while; else somebody has to change something first."""

    why: str
    ever: bool


async def waits_for_clean_link(tools: WorkerTools, claim: Claim) -> bool:
    """Put the job off until its link is clean, if that was asked for, and say on its card what was measured; then until
    the link's canary has crossed it, if there is one. False: it may start now. True, too, when it was ended because the
    link cannot be measured, or its canary failed.

    LostLeaseError when another worker has it, UnreachableError when Redis does not answer.
    """
    plan = approved_plan(claim.job)
    if not plan.request.when_clean or not plan.link:
        return False
    if tools.links is None:
        await _end(tools, claim, "This worker keeps no history of links.")
        return True
    unseen = await _look(tools, tools.links, claim, plan)
    if unseen is not None and (not unseen.ever or await patience_is_over(tools, claim)):
        await _end(tools, claim, unseen.why)
        return True
    now = await tools.queue.now()
    samples = await tools.links.samples(plan.link, since=now - WINDOW)
    loss, fresh = pooled(samples), bool(pooled(one for one in samples if one.at >= now - FRESH))
    bound = tools.fleet.max_loss.get(plan.link, USUAL_BOUND)
    if unseen is None and fresh and is_clean(loss, bound):
        return await waits_for_canary(tools, tools.links, claim, plan)
    await _put_off(tools, claim, _why(plan.link, loss, bound, unseen), fresh=fresh)
    return True


async def _put_off(tools: WorkerTools, claim: Claim, why: str, *, fresh: bool) -> None:
    over = NOT_BUSY if fresh and busy_since(claim.job) else {}  # it can be measured again
    if waits_for(claim.job) != why or trouble_of(claim.job) or over:
        await claim.note({**NO_TROUBLE, **over, **with_wait(why)})
        await tools.outbox.show(job_card(claim.job))
    await claim.later(LOOK_EVERY, why="waits for its link to be clean")


async def _end(tools: WorkerTools, claim: Claim, why: str) -> None:
    outcome = (
        f"It was to start once its link is clean, and that cannot be measured: {why} Nothing was started. "
        "Retry starts it without that."
    )
    await finish(tools, claim, Refused(), Reply("end", outcome, final=True))


def _why(link: str, loss: Loss, bound: float, unseen: _Unseen | None) -> str:
    packets = f"less than {percent(bound)} of at least {packets_for(bound):,} packets"
    rule = f"It starts when {link} is clean: {packets} lost in {in_words(WINDOW)}."
    again = f"It looks again in {in_words(LOOK_EVERY)}."
    if unseen is not None:
        return f"{rule} It could not be measured now: {unseen.why} {again}"
    silent = " The link is down, or lets no echo requests pass." if loss and loss.lost == loss.sent else ""
    return f"{rule} So far: {loss.words}.{silent} {again}"


# ---- one look, for all jobs of the link


async def _look(tools: WorkerTools, links: LinkHistory, claim: Claim, plan: Plan) -> _Unseen | None:
    """Measure the link, if it is time to. None: that was done, or is not this job's turn."""
    probes, _ = probes_of(tools, plan)
    if probes is None:
        return _Unseen(f"nobody here can run esxcli on {plan.source.host}.", ever=False)
    if not await tools.queue.chore(f"look:{plan.link}", worker=claim.job.owner, every=LOOK_EVERY):
        return None
    for _ in range(PINGS):
        if await claim.cancel_asked():
            return None
        sample = await _ping(probes, plan, at=await tools.queue.now())
        if isinstance(sample, _Unseen):
            return sample
        await links.note(sample)
    return None


async def _ping(probes: HostProbes, plan: Plan, *, at: datetime) -> LinkSample | _Unseen:
    host = plan.source.host
    leg = Looks(plan, probes, None, patience=_PATIENCE).data
    try:
        async with asyncio.timeout(_PATIENCE.total_seconds()):
            pings = await probes.ping(host, leg, count=PACKETS, size=SMALL, whole=False)
    except TimeoutError:
        return _Unseen(f"{host} did not answer within {_PATIENCE.total_seconds():.0f} s.", ever=True)
    except FaultError as error:
        log.info("%s cannot be measured from %s: %s", plan.link, host, error)
        return _Unseen(str(error), ever=error.kind not in _NEVER)
    except OutsideError as error:
        return _Unseen(str(error), ever=True)
    return LinkSample(
        at=at,
        link=plan.link,
        kind=SampleKind.PROBE,
        source_host=host,
        target_host=plan.target.host,
        sent=pings.sent,
        lost=pings.lost,
        rtt=pings.rtt_avg,
    )
