"""One thing that a person does to the app: its envelope goes out, and what the person sees of the answer comes back."""

from __future__ import annotations

from bot.playground.slack.changes import Json
from bot.playground.slack.deliveries import Deliveries
from bot.playground.slack.outcome import ERRORS, Outcome
from bot.playground.slack.records import Channel, EphemeralSource, User
from bot.playground.slack.sockets import EnvelopeKind
from bot.playground.slack.tally import Ack, AckOutcome
from bot.playground.slack.workspace import Content, Workspace

# Only their acks may carry an answer (accepts_response_payload).
ANSWERED = frozenset({"view_submission", "block_suggestion"})


class Interactions:
    def __init__(self, workspace: Workspace, deliveries: Deliveries) -> None:
        self._workspace = workspace
        self._deliveries = deliveries

    async def command(self, payload: Json) -> Ack:
        return await self._deliveries.deliver(EnvelopeKind.COMMAND, payload, accepts_response=True)

    async def send(self, who: User, where: Channel, payload: Json) -> Outcome:
        """Deliver an interaction; Slackbot tells the person if the app does not answer."""
        outcome = await self.ask(payload)
        if outcome.error is not None:
            self.complain(who, where, f"The app did not respond: {outcome.error}")
        return outcome

    async def ask(self, payload: Json) -> Outcome:
        """Deliver an interaction; nobody is told if the app does not answer."""
        answers = payload["type"] in ANSWERED
        ack = await self._deliveries.deliver(EnvelopeKind.INTERACTIVE, payload, accepts_response=answers)
        if ack.outcome is AckOutcome.ACKED:
            return Outcome(ack=ack.payload, latency=ack.latency)
        return Outcome(latency=ack.latency, error=ERRORS[ack.outcome])

    def complain(self, who: User, where: Channel, sentence: str) -> None:
        """Slackbot tells the person; nobody else learns of it, the app least of all."""
        self._workspace.whisper(where, who, Content(text=sentence), source=EphemeralSource.SLACKBOT)
