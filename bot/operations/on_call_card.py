"""The card of a diagnosis: the steps as they are taken, then what came of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from bot.jobs.port import Job
from bot.migration.machine import Phase
from bot.operations.inquiry import Inquiry
from bot.slack.port import InquiryCard, InquiryStep, Outbox, Reply, StepState

MOST_STEPS: Final = 24
"""Steps that a card shows; of a question about many hosts the first and the last."""


@dataclass(slots=True)
class Step:
    """One step while it is taken. Say what came of it in `text`; `failed` marks what could not be done."""

    text: str
    state: StepState = StepState.RUNNING

    def done(self, text: str) -> None:
        self.text, self.state = text, StepState.DONE

    def failed(self, text: str) -> None:
        self.text, self.state = text, StepState.FAILED


def last_look(job: Job) -> tuple[InquiryCard, Reply] | None:
    """What is to be shown of a diagnosis that ended without anybody saying so; None when its answer was given."""
    if not job.state.ended or job.data.get("outcome") or not job.steps:
        return None
    inquiry, why = Inquiry.from_data(job.data), job.steps[-1].why.rstrip(".")
    if job.state is Phase.CANCELLED:
        said = f"No worker took it up in time ({why}). Please ask again once one runs."
    else:
        said = f"There is no answer: {why}. Please ask again; whoever keeps the workers finds more in their log."
    card = InquiryCard(
        job=job.id,
        channel=inquiry.channel,
        thread=inquiry.thread,
        asked_by=job.requester,
        title=f"Diagnosis of {inquiry.subject}",
        steps=[InquiryStep("Looking into it", StepState.FAILED)],
        outcome=said,
        ended=True,
    )
    return card, Reply("verdict", said, final=True)


@dataclass(slots=True)
class Steps:
    """The steps of one diagnosis, shown as they change."""

    outbox: Outbox
    job: Job
    inquiry: Inquiry
    title: str = ""
    taken: list[Step] = field(default_factory=list)
    showing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """What is shown last must be what is so last, though many steps are taken at once."""

    def __post_init__(self) -> None:
        self.title = self.title or f"Diagnosis of {self.inquiry.subject}"

    @asynccontextmanager
    async def step(self, text: str) -> AsyncIterator[Step]:
        """Show that something begins, and how it ended; done under its first words if nobody says more."""
        step = Step(text)
        self.taken.append(step)
        await self.show()
        try:
            yield step
        except BaseException:
            step.state = StepState.FAILED
            raise
        if step.state is StepState.RUNNING:
            step.state = StepState.DONE
        await self.show()

    async def show(self, *, outcome: str | None = None, ended: bool = False) -> None:
        """Show all steps as they are; `ended` with the outcome, once there is one."""
        async with self.showing:
            await self.outbox.show_inquiry(self.card(outcome=outcome, ended=ended))

    def card(self, *, outcome: str | None = None, ended: bool = False) -> InquiryCard:
        steps = [InquiryStep(step.text, step.state) for step in self.taken]
        if (over := len(steps) - MOST_STEPS) > 0:
            middle = MOST_STEPS // 2
            rest = InquiryStep(f"{over + 1} more steps", StepState.DONE)
            steps = [*steps[:middle], rest, *steps[middle + over + 1 :]]
        return InquiryCard(
            job=self.job.id,
            channel=self.inquiry.channel,
            thread=self.inquiry.thread,
            asked_by=self.job.requester,
            title=self.title,
            steps=steps,
            outcome=outcome,
            ended=ended,
        )
