"""Somebody's own receiver of webhooks: it verifies signatures as the Standard Webhooks specification asks receivers to.

Written from the specification (standard-webhooks/standard-webhooks, spec 1.0.0), not from what calls it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.playground.pager.conduct import Conduct, Listening

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"  # noqa: S105 - of a player
TOLERANCE = 5 * 60
PATH = "/hooks/nfc-7f3a9c"


class WebhookPlayer:
    """Start it, give `url` to whoever sends, and look at `received`: each message once, whatever came twice."""

    def __init__(self, *, secret: str = SECRET, tls: ssl.SSLContext | None = None) -> None:
        self.conduct = Conduct()
        self.secret = secret
        self.received: dict[str, dict[str, Any]] = {}
        """The bodies by the id of their message, in the order they first came."""
        self.deliveries: list[str] = []
        """The ids of all deliveries that were verified."""
        self.refused: list[str] = []
        """Why a delivery was not believed."""
        self.took: Callable[[], None] = lambda: None
        app = web.Application(middlewares=[self.conduct.middleware])
        app.router.add_post(PATH, self._receive)
        self._listening = Listening(app, tls=tls)
        self.die, self.revive, self.stop = self._listening.die, self._listening.revive, self._listening.stop

    async def start(self) -> None:
        await self._listening.start()

    @property
    def url(self) -> str:
        return self._listening.url + PATH

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        message = request.headers.get("webhook-id", "")
        stamp = request.headers.get("webhook-timestamp", "")
        if wrong := self._doubts(message, stamp, request.headers.get("webhook-signature", ""), body):
            self.refused.append(wrong)
            return web.Response(status=401, text=wrong)
        self.deliveries.append(message)
        self.received.setdefault(message, json.loads(body))
        self.took()
        return web.Response(status=204)

    def _doubts(self, message: str, stamp: str, signatures: str, body: bytes) -> str:
        if not (message and stamp and signatures):
            return "a header is missing"
        if not stamp.isdecimal() or abs(time.time() - int(stamp)) > TOLERANCE:
            return "the timestamp is too old or too new"
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        wanted = hmac.digest(key, f"{message}.{stamp}.".encode() + body, hashlib.sha256)
        given = [text.removeprefix("v1,") for text in signatures.split(" ") if text.startswith("v1,")]
        if any(hmac.compare_digest(base64.b64encode(wanted), text.encode()) for text in given):
            return ""
        return "no signature matches"
