"""The one card of a hold: why, since when, what waits and what runs on. Pure: the same scene, the same card."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bot.jobs.port import Hold, Job
from bot.migration.capacity import PAIR, in_words
from bot.migration.machine import WORDS
from bot.operations.holds import BREAKER, Scene, moment, planned, vm_name
from bot.slack.port import Button, ButtonKind, TableCard

COLUMNS: Final = ("VM", "Job", "What becomes of it")
"""Not who asked for it: a cell is plain text, in which a person would be an id. The job's own card names them."""

WAITS: Final = "waits; the VM stays as it is"
LISTED: Final = 30
"""Rows that somebody reads. The rest is counted: a file of it would be out of date before it was opened."""


def hold_card(scene: Scene) -> TableCard | None:
    """The card; None for a hold that no channel was told of."""
    hold = scene.hold
    if not hold.channel:
        return None
    if hold.released is not None:
        return _released(scene, hold.released)
    return TableCard(
        subject=hold.id,
        channel=hold.channel,
        title=_title(hold),
        state=f"since {moment(hold.at)}: {hold.why}",
        requester="",
        columns=COLUMNS,
        rows=_rows(scene),
        facts=[*_facts(scene), ("Waiting", str(len(scene.waiting))), ("Goes on", _names(scene.running))],
        note=(
            "Nothing that waits was started, and no VM of it is touched. What runs goes on to its end. "
            "This does not end by itself: mend the cause, then release it."
        ),
        buttons=_buttons(scene),
        byline=(f"Hold {hold.id}, held by", _who(hold.by)),
    )


def _released(scene: Scene, at: datetime) -> TableCard:
    hold = scene.hold
    verb = "were" if hold.resource.startswith(f"{PAIR}:") else "was"
    return TableCard(
        subject=hold.id,
        channel=hold.channel,
        title=f"{_capital(in_words(hold.resource))} {verb} held",
        state=f"Released at {moment(at)}",
        requester="",
        columns=(),
        rows=(),
        facts=[("Since", moment(hold.at)), *_facts(scene), ("Why", hold.why)],
        note="What waited goes on in its order, unless something else holds it.",
        ended=True,
        byline=(f"Hold {hold.id}, released by", _who(hold.released_by)),
    )


def _facts(scene: Scene) -> list[tuple[str, str]]:
    failed, facts = scene.failed, list[tuple[str, str]]()
    if failed is not None:
        facts.append(("The copy that failed", f"{vm_name(failed)}, job {failed.id}"))
    if plan := planned(failed):
        facts.append(("Its hosts", f"{plan.source.host} and {plan.target.host}"))
    return facts


def _rows(scene: Scene) -> list[Sequence[str]]:
    every = [
        *(_row(job, WAITS) for job in scene.waiting),
        *(_row(job, f"{WORDS[job.state]}; goes on to its end") for job in scene.running),
        *(_row(job, f"ended meanwhile: {WORDS[job.state]}") for job in scene.ended),
    ]
    more = len(every) - LISTED
    rest = [(f"and {more} more", "", "coldmigrate jobs list --live shows all of them")] if more > 0 else []
    return [*every[:LISTED], *rest]


def _row(job: Job, fate: str) -> Sequence[str]:
    return (vm_name(job), job.id, fate)


def _who(by: str) -> str:
    return "the program itself" if by == BREAKER else by


def _buttons(scene: Scene) -> list[Button]:
    kinds = [ButtonKind.RELEASE]
    if scene.waiting and planned(scene.failed) is not None:
        kinds.append(ButtonKind.OTHER_HOST)
    if scene.waiting:
        kinds.append(ButtonKind.CANCEL_WAITING)
    return [Button(kind, scene.hold.id) for kind in kinds]


def _title(hold: Hold) -> str:
    verb = "are" if hold.resource.startswith(f"{PAIR}:") else "is"
    return f"{_capital(in_words(hold.resource))} {verb} held"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _names(jobs: Sequence[Job]) -> str:
    return ", ".join(vm_name(job) for job in jobs) or "nothing"
