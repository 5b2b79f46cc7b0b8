"""What the thread of a batch reads of it as a whole. What is said of one VM, its own job says there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.jobs.port import Job
from bot.migration.machine import Phase
from bot.operations.batch_card import again, why, word
from bot.operations.batch_record import Row, batch_of
from bot.slack.port import Button, ButtonKind, Reply, Section

NAMED: Final = 5
LISTED: Final = 30


def none_can_start(rows: Sequence[Row]) -> Reply:
    """No plan of it is safe, or there is none."""
    said = "None of these VMs can start. Nothing was moved or queued."
    return Reply("end", said, _listed("Why", rows), final=True)


def stopped(broken: Row, many: int) -> Reply:
    """One failed, and the rest was to stop."""
    rest = "the one VM that had not started is" if many == 1 else f"the {many} VMs that had not started are"
    name = broken.request.vm.name
    return Reply("stopped", f"{name} {word(broken)}, so {rest} cancelled. What is being copied goes on.")


def batch_end(job: Job, rows: Sequence[Row]) -> Reply:
    """How all of it ended, what did not arrive, and why."""
    done = [row for row in rows if row.own and row.own.state is Phase.DONE]
    missing = [row for row in rows if row not in done]
    sites = ", ".join(batch_of(job).sites)
    said = f"{len(done)} of {len(rows)} VMs are at {sites}."
    for state in dict.fromkeys(word(row) for row in missing):
        said += f" {state.capitalize()}: {_names([row for row in missing if word(row) == state])}."
    button = [Button(ButtonKind.RETRY, job.id)] if again(rows) else []
    return Reply("end", said, _listed("What did not arrive", missing), button, final=True)


def _names(rows: Sequence[Row]) -> str:
    named = ", ".join(row.request.vm.name for row in rows[:NAMED])
    return named if len(rows) <= NAMED else f"{named} and {len(rows) - NAMED} more"


def _listed(heading: str, rows: Sequence[Row]) -> list[Section]:
    if not rows:
        return []
    lines = [f"{row.request.vm.name}: {word(row)}" + (f", {why(row)}" if why(row) else "") for row in rows[:LISTED]]
    if len(rows) > LISTED:
        lines.append(f"and {len(rows) - LISTED} more, which the card tells of")
    return [Section(heading, "", lines)]
