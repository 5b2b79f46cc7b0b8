"""PagerDuty: the Events API v2 to wake somebody, and the REST API to say who that would be.

Fields, limits and answers are those of PagerDuty's published schema (PagerDuty/api-schema, reference/events-v2 and
reference/REST). The routing key is part of what is sent and of nothing else: no error, log or repr has it.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from bot.diagnosis.printable import printable, whole_text
from bot.incidents.port import Action, Page, Sink
from bot.incidents.sinks.calling import Answer, call, refused

EVENTS_URL: Final = "https://events.pagerduty.com"
SUMMARY: Final = 1024
LARGEST: Final = 512 * 1000
"""Bytes of a whole event; PagerDuty says 512 KB."""

ROSTER_KEPT: Final = timedelta(minutes=5)
ROSTER_RETRY: Final = timedelta(minutes=1)
"""How long the REST API is left alone after a failure."""

_WHO: Final = "PagerDuty"
_CLIENT: Final = "coldmigrate"
_FIRST_LEVEL: Final = 1
_FIELD: Final = 255
_LINE: Final = 500
_LINES: Final = 20
_HOSTS: Final = 50
_DETAIL: Final = 4000
_REASON: Final = 200
_SEVERITIES: Final = frozenset({"critical", "error", "warning", "info"})

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Roster:
    """Who is on call, as it was heard last, and until when (by a clock that only counts on) that is good enough."""

    names: tuple[str, ...] = ()
    until: float = 0.0


class PagerDutySink(Sink):
    """One integration. `api_token` and `escalation_policy` are for who is on call; without them nobody is named."""

    def __init__(
        self,
        name: str,
        http: httpx.AsyncClient,
        *,
        routing_key: str,
        events_url: str = EVENTS_URL,
        api_url: str = "",
        api_token: str = "",
        escalation_policy: str = "",
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._http = http
        self._key = routing_key
        self._token = api_token
        self._policy = escalation_policy
        self._events = events_url.rstrip("/")
        self._api = (api_url or api_beside(self._events)).rstrip("/")
        self._steady = steady
        self._roster = _Roster(until=steady())

    def __repr__(self) -> str:
        return f"PagerDutySink({self._name!r})"

    @property
    def name(self) -> str:
        return self._name

    async def send(self, page: Page) -> None:
        body = encoded(page, self._key)
        headers = {"content-type": "application/json"}
        answer = await call(self._http, "POST", f"{self._events}/v2/enqueue", who=_WHO, headers=headers, content=body)
        if not answer.fine:
            raise refused(answer, who=_WHO, why=self._hidden(_complaint(answer)))

    async def on_call(self) -> Sequence[str]:
        if not (self._token and self._policy) or self._steady() < self._roster.until:
            return self._roster.names
        self._roster = _Roster((), self._steady() + ROSTER_RETRY.total_seconds())  # also if whoever asks gives up
        names = await self._ask_who()
        self._roster = _Roster(names, self._steady() + ROSTER_KEPT.total_seconds())
        return names

    async def _ask_who(self) -> tuple[str, ...]:
        asked = {"escalation_policy_ids[]": self._policy, "earliest": "true", "limit": "100"}
        found = await self._rest("/oncalls", asked, key="oncalls")
        first = [entry for entry in found if entry.get("escalation_level") == _FIRST_LEVEL]
        users = [entry.get("user") for entry in first]
        names = [str(user.get("summary") or user.get("name") or "") for user in users if isinstance(user, dict)]
        return tuple(dict.fromkeys(printable(name)[:_FIELD] for name in names if name))

    async def where(self, key: str) -> str:
        """Where people see the incident of this key; empty if PagerDuty has none, or without a token."""
        if not self._token:
            return ""
        found = await self._rest("/incidents", {"incident_key": key, "limit": "1"}, key="incidents")
        urls = [str(entry.get("html_url") or "") for entry in found]
        return next((url for url in urls if urlsplit(url).scheme == "https" and len(url) <= _DETAIL), "")

    async def _rest(self, path: str, params: dict[str, str], *, key: str) -> list[dict[str, Any]]:
        headers = {
            "authorization": f"Token token={self._token}",
            "accept": "application/vnd.pagerduty+json;version=2",
            "content-type": "application/json",
        }
        answer = await call(self._http, "GET", f"{self._api}{path}", who=_WHO, headers=headers, params=params)
        if not answer.fine:
            raise refused(answer, who=f"{_WHO}'s REST API", why=self._hidden(_complaint(answer)))
        found = _json(answer).get(key)
        return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []

    def _hidden(self, text: str) -> str:
        """What they say, without what we sent: whoever quotes a key back to us must not spread it."""
        for secret in filter(None, (self._key, self._token)):
            text = text.replace(secret, "[hidden]")
        return text


def api_beside(events_url: str) -> str:
    """The REST API of the region whose events go to this URL: api.eu.… beside events.eu.…; else the same place."""
    return events_url.replace("://events.", "://api.", 1)


def encoded(page: Page, routing_key: str) -> bytes:
    """The event as it is sent, within PagerDuty's limits: lines go first, then hosts, then all that need not be."""
    for lines, hosts in ((_LINES, _HOSTS), (3, _HOSTS), (0, 10), (0, 0)):
        body = json.dumps(event(page, routing_key, lines=lines, hosts=hosts), separators=(",", ":")).encode()
        if len(body) <= LARGEST:
            break
    return body


def event(page: Page, routing_key: str, *, lines: int = _LINES, hosts: int = _HOSTS) -> dict[str, Any]:
    """What PagerDuty is sent. An acknowledgement or a resolution carries no more than the key of what it is about."""
    about = {"routing_key": routing_key, "event_action": page.action.value, "dedup_key": page.key[:_FIELD]}
    if page.action is not Action.TRIGGER:
        return about
    links = [{"href": page.link, "text": "The message in Slack"}] if page.link else []
    found = {
        **about,
        "payload": _payload(page, lines=lines, hosts=hosts),
        "client": _CLIENT,
        "client_url": page.link,
        "links": links,
    }
    return {name: value for name, value in found.items() if value}


def _payload(page: Page, *, lines: int, hosts: int) -> dict[str, Any]:
    found = {
        "summary": _cut(page.summary, SUMMARY) or page.key,
        "source": _cut(page.source, _FIELD) or _CLIENT,
        "severity": page.severity if page.severity in _SEVERITIES else "error",
        "timestamp": page.at.isoformat(timespec="milliseconds") if page.at else "",
        "component": "NFC",
        "group": _cut(page.client, _FIELD),
        "class": _cut(page.cause, _FIELD),
        "custom_details": _details(page, lines=lines, hosts=hosts),
    }
    return {name: value for name, value in found.items() if value}


def _details(page: Page, *, lines: int, hosts: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "verdict": _cut(page.verdict, _DETAIL),
        "hosts": [_cut(host, _FIELD) for host in page.hosts[:hosts]],
        "vms": [_cut(vm, _FIELD) for vm in page.vms[:hosts]],
        "lines": [_cut(line, _LINE) for line in page.lines[:lines]],
        "slack": page.link,
    }
    return {name: value for name, value in found.items() if value}


def _cut(text: str, limit: int) -> str:
    text = whole_text(text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _complaint(answer: Answer) -> str:
    """What PagerDuty says is wrong: its own list, which is what an operator has to read."""
    told = _json(answer)
    errors = told.get("errors") or (told.get("error") or {})
    if isinstance(errors, dict):  # the REST API puts it one level deeper
        told, errors = errors, errors.get("errors")
    listed = [str(error)[:_REASON] for error in errors[:5]] if isinstance(errors, list) else []
    return "; ".join(part for part in (str(told.get("message") or "")[:_REASON], *listed) if part)


def _json(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
