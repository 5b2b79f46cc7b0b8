"""A webhook of the operator's own, signed as the Standard Webhooks specification (1.0.0) has it.

The body is JSON of the schema `coldmigrate.page/1`, which docs/escalation.md tells; it may grow, and nothing in it
changes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from bot.diagnosis.printable import whole_text
from bot.errors import UserError
from bot.incidents.port import Page, Sink
from bot.incidents.sinks.calling import call, refused

SCHEMA: Final = "coldmigrate.page/1"
LARGEST: Final = 20 * 1024
"""Bytes of a body; the specification asks for no more."""

_PREFIX: Final = "whsec_"
_TEXT: Final = 1000
_LINES: Final = 10
_HOSTS: Final = 50
_NEVER: Final = frozenset({400, 410, 413, 415, 422})
"""It is gone, or will not have this very body however often it is sent."""


class WebhookSink(Sink):
    """One URL. What else it is called by is nobody's business: neither its path nor its secret is ever told."""

    def __init__(
        self,
        name: str,
        http: httpx.AsyncClient,
        *,
        url: str,
        secret: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._name = name
        self._http = http
        self._url = url
        self._secret = key_of(secret)
        self._now = now
        self._who = f"The webhook '{name}' at {urlsplit(url).hostname or 'its URL'}"

    def __repr__(self) -> str:
        return f"WebhookSink({self._name!r})"

    @property
    def name(self) -> str:
        return self._name

    async def send(self, page: Page) -> None:
        body = encoded(page)
        stamp = str(int(self._now().timestamp()))
        headers = {
            "content-type": "application/json",
            "webhook-id": page.id,
            "webhook-timestamp": stamp,
            "webhook-signature": signature(self._secret, page.id, stamp, body),
        }
        answer = await call(self._http, "POST", self._url, who=self._who, headers=headers, content=body)
        if answer.fine:
            return
        if httpx.codes.is_redirect(answer.status):
            raise refused(answer, who=self._who, why="a redirect, which is not followed; name the right URL")
        why = "it wants no more of this" if answer.status == httpx.codes.GONE else ""
        # Whoever is being deployed, or whose secret is being changed, says 401 and 404 for a while.
        raise refused(answer, who=self._who, why=why, transient=answer.status not in _NEVER)

    async def on_call(self) -> Sequence[str]:
        return ()

    async def where(self, key: str) -> str:  # noqa: ARG002 - the door's
        """Where people see it there: a webhook does not say."""
        return ""


def key_of(secret: str) -> bytes:
    """The bytes that sign. UserError when what follows `whsec_` is no base64."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise UserError("The secret of a webhook sink begins with whsec_, and what follows is no base64.") from None


def signature(key: bytes, message_id: str, stamp: str, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 of id, time and body, in base64."""
    signed = b".".join((message_id.encode(), stamp.encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def encoded(page: Page) -> bytes:
    """The body: all of the page, or as much as fits."""
    for lines, hosts in ((_LINES, _HOSTS), (3, 20), (0, 5), (0, 0)):
        body = json.dumps(payload(page, lines=lines, hosts=hosts), separators=(",", ":")).encode()
        if len(body) <= LARGEST:
            break
    return body


def payload(page: Page, *, lines: int = _LINES, hosts: int = _HOSTS) -> dict[str, Any]:
    """See docs/escalation.md. Every key is always there, so that a receiver need not ask whether it is."""
    return {
        "schema": SCHEMA,
        "type": f"incident.{page.action.value}",
        "timestamp": page.at.isoformat(timespec="milliseconds") if page.at else None,
        "data": {
            "id": page.id,
            "key": page.key,
            "action": page.action.value,
            "summary": _cut(page.summary),
            "severity": page.severity,
            "source": _cut(page.source),
            "cause": _cut(page.cause),
            "client": _cut(page.client),
            "verdict": _cut(page.verdict),
            "hosts": [_cut(host) for host in page.hosts[:hosts]],
            "vms": [_cut(vm) for vm in page.vms[:hosts]],
            "lines": [_cut(line) for line in page.lines[:lines]],
            "link": page.link,
        },
    }


def _cut(text: str) -> str:
    text = whole_text(text)
    return text if len(text) <= _TEXT else text[: _TEXT - 1] + "…"
