"""How what happens reaches the app: by Socket Mode or by HTTP, once or as often as a switch wants, and always noted."""

from __future__ import annotations

import asyncio

from bot.playground.slack.changes import ChangeFeed, ChangeKind, Json
from bot.playground.slack.http_mode import HttpMode
from bot.playground.slack.sockets import EnvelopeKind, Retry, SocketMode
from bot.playground.slack.tally import Ack, AckOutcome, Tally
from bot.playground.slack.wiretap import Way, Wiretap

# Slack repeats what it believes was not taken; a switch makes it believe so.
COPIED = "timeout"


class Deliveries:
    def __init__(
        self, *, sockets: SocketMode, http: HttpMode, tally: Tally, changes: ChangeFeed, wiretap: Wiretap
    ) -> None:
        self.copies = 0
        self._sockets = sockets
        self._http = http
        self._tally = tally
        self._changes = changes
        self._wiretap = wiretap
        self._copying: set[asyncio.Task[Ack]] = set()

    async def deliver(
        self, kind: EnvelopeKind, payload: Json, *, accepts_response: bool, retry: Retry | None = None
    ) -> Ack:
        """Deliver and wait for the ack until the deadline. Never raises for an app that is slow or gone.

        The `copies` that a switch asks for follow at once and are nobody's to wait for.
        """
        for number in range(1, self.copies + 1):
            again = None if retry is None else Retry(retry.attempt + number, COPIED)
            copy = self._once(kind, payload, accepts_response=accepts_response, retry=again)
            task = asyncio.get_running_loop().create_task(copy)
            self._copying.add(task)
            task.add_done_callback(self._copying.discard)
        return await self._once(kind, payload, accepts_response=accepts_response, retry=retry)

    async def close(self) -> None:
        for copying in self._copying:
            copying.cancel()
        await asyncio.gather(*self._copying, return_exceptions=True)
        await self._http.close()

    async def _once(self, kind: EnvelopeKind, payload: Json, *, accepts_response: bool, retry: Retry | None) -> Ack:
        if self._http.url:
            ack = await self._http.deliver(kind, payload, retry)
        else:
            ack = await self._sockets.deliver(kind, payload, accepts_response=accepts_response, retry=retry)
        self._tally.acks.append(ack)
        what = kind.value if ack.outcome is AckOutcome.ACKED else f"{kind.value} ({ack.outcome.value})"
        told: Json = {"payload": payload, "envelope_id": ack.envelope_id}
        if retry is not None:
            told |= {"retry_attempt": retry.attempt, "retry_reason": retry.reason}
        self._wiretap.note(Way.TO_APP, what, told, ack.payload)
        self._changes.publish(ChangeKind.DELIVERY, subject=ack.envelope_id)
        return ack
