"""Deliveries by HTTP: every envelope's payload as a signed request to the app's request URL, as Slack makes it.

Commands and interactions are forms, events are JSON. An answer in time with 2xx is the ack, its body the payload.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import uuid
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlencode

import aiohttp

from bot.errors import UserError
from bot.playground.slack.changes import Json
from bot.playground.slack.clock import Clock
from bot.playground.slack.sockets import ACK_DEADLINE, EnvelopeKind, Retry
from bot.playground.slack.tally import Ack, AckOutcome

VERSION = "v0"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


class HttpMode:
    """Off until `url` is set. `signing_secret` is what the app checks the signature with."""

    def __init__(self, clock: Clock) -> None:
        self.ack_deadline: timedelta = ACK_DEADLINE
        self.url = ""
        self.signing_secret = secrets.token_hex(16)
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    async def deliver(self, kind: EnvelopeKind, payload: Json, retry: Retry | None) -> Ack:
        """One signed request. Never raises for an app that is slow or gone."""
        started = self._clock.steady()
        body, content_type = _written(kind, payload)
        headers = {"Content-Type": content_type} | self._signature(body)
        if retry is not None and retry.attempt:
            headers |= {"X-Slack-Retry-Num": str(retry.attempt), "X-Slack-Retry-Reason": retry.reason}
        outcome, answer, final = await self._exchange(body, headers)
        return Ack(
            kind=kind.value,
            envelope_id=str(uuid.uuid4()),
            outcome=outcome,
            latency=self._clock.steady() - started,
            connection=0,
            attempt=retry.attempt if retry else 0,
            payload=answer,
            final=final,
        )

    async def verify(self, url: str) -> None:
        """Slack's handshake with a new request URL. UserError if the challenge does not come back."""
        self.url = url
        challenge = secrets.token_hex(16)
        body = json.dumps({"type": "url_verification", "token": "", "challenge": challenge})
        outcome, answer, _ = await self._exchange(body, {"Content-Type": JSON} | self._signature(body))
        said = (answer or {}).get("challenge") or (answer or {}).get("text")
        if outcome is not AckOutcome.ACKED or said != challenge:
            self.url = ""
            raise UserError(f"{url} did not answer the challenge: {outcome.value}, {answer}.")

    async def close(self) -> None:
        self.url = ""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _signature(self, body: str) -> dict[str, str]:
        at = str(int(self._clock.wall()))
        digest = hmac.new(self.signing_secret.encode(), f"{VERSION}:{at}:{body}".encode(), hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": f"{VERSION}={digest}"}

    async def _exchange(self, body: str, headers: dict[str, str]) -> tuple[AckOutcome, Json | None, bool]:
        """How it went, what was answered, and whether the app asked not to be asked again."""
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=False)
        try:
            async with asyncio.timeout(self.ack_deadline.total_seconds()):
                async with self._session.post(self.url, data=body.encode(), headers=headers) as answer:
                    final = answer.headers.get("X-Slack-No-Retry") == "1"
                    if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
                        return AckOutcome.REFUSED, None, final
                    return AckOutcome.ACKED, _read(await answer.text()), final
        except TimeoutError:
            return AckOutcome.TIMED_OUT, None, False
        except aiohttp.ClientError:
            return AckOutcome.NO_CONNECTION, None, False


def _written(kind: EnvelopeKind, payload: Json) -> tuple[str, str]:
    match kind:
        case EnvelopeKind.COMMAND:
            return urlencode(payload), FORM
        case EnvelopeKind.INTERACTIVE:
            return urlencode({"payload": json.dumps(payload)}), FORM
        case EnvelopeKind.EVENT:
            return json.dumps(payload), JSON


def _read(body: str) -> Json | None:
    """JSON is the payload; bare words are a text; nothing is nothing."""
    if not body:
        return None
    try:
        said = json.loads(body)
    except ValueError:
        return {"text": body}
    return said if isinstance(said, dict) and said else None
