"""A rolling restart by SIGTERM (number 12 of the list), of workers that are exec'd as in real life and not forked.

A hand-over lasts from the signal until another worker has the job, or until it has ended.
"""

from __future__ import annotations

from typing import Final

from tests.chaos.fleet import Employee
from tests.chaos.referee import judge
from tests.chaos.ring import Ring, ring
from tests.chaos.rows import Row
from tests.chaos.stage import Stage

NAME: Final = "rolling"
WITHIN: Final = 2.0
UP: Final = 60.0  # on a busy machine; how long a start takes is not what is measured here


async def run(stage: Stage) -> list[Row]:
    workers, rounds, jobs = stage.many(4, 2), stage.many(2, 1), stage.many(50, 8)
    async with ring(stage, vms=stage.many(50, 8), rate="400 Mbit/s") as night:
        lasted: list[float] = []
        restarts = 0
        for _ in range(workers):
            await _in_service(night)
        async with night.crowd(stage.many(50, 8), lambda: restarts >= workers * rounds):
            await night.within(UP, "nobody is at work", night.chronicle.until(lambda: len(night.people.orders) >= jobs))
            for _ in range(rounds):
                for old in night.fleet.living:
                    await _in_service(night)
                    lasted += await _hands_over(night, old)
                    restarts += 1
        await night.fleet.dismiss_all()
        seen = await judge(night)
    late = [seconds for seconds in lasted if seconds >= WITHIN]
    seen.breaches += [f"a hand-over took {seconds:.2f} s, and {WITHIN} s are promised" for seconds in late]
    longest = max(lasted, default=0.0)
    return [seen.row(NAME, {"SIGTERMs": restarts, "hand-overs": len(lasted)}, **{"longest hand-over s": longest})]


async def _in_service(night: Ring) -> None:
    """A new worker, once it is seen at work: as a deployment waits for readiness."""
    worker = await night.fleet.hire(exec_=True)
    if len(night.people.orders):
        by = lambda: any(worker.is_called(entry.by) for entry in night.chronicle.entries)  # noqa: E731
        await night.within(UP, "a new worker takes nothing up", night.chronicle.until(by))


async def _hands_over(night: Ring, worker: Employee) -> list[float]:
    """Seconds until each job that it had was in other hands."""
    told = night.fleet.tell_to_stop(worker)
    held = await night.fleet.held_by(worker)  # it was told a moment ago; a job of before may have ended
    await worker.process.wait()

    def given(job: str, owner: str) -> float | None:
        later = [e for e in night.chronicle.of_job.get(job, []) if e.at >= told - 0.001]
        moved_on = next((e for e in later if e.taken_from == owner or e.ended or (e.by != owner and e.state)), None)
        return moved_on.at - told if moved_on else None

    await night.within(
        UP, "a job stays with a worker that is gone", night.chronicle.until(lambda: all(map(given, *_pairs(held))))
    )
    return [given(job, owner) or 0.0 for job, owner in held.items()]


def _pairs(held: dict[str, str]) -> tuple[list[str], list[str]]:
    return list(held), list(held.values())
