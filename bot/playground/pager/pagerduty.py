"""A PagerDuty for one integration: the Events API v2, and of the REST API who is on call and where an incident is.

Written from PagerDuty's published schema (PagerDuty/api-schema), not from what calls it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.playground.pager.board import Board
from bot.playground.pager.conduct import Conduct, Listening
from bot.playground.pager.event_checks import LARGEST_EVENT, mistakes

ROUTING_KEY = "f0e1d2c3b4a5968778695a4b3c2d1e0f"
API_TOKEN = "y_NbAkKc66ryYTWUXYEu"  # noqa: S105 - of a player
POLICY = "PT20YPA"
ACCEPT = "application/vnd.pagerduty+json;version=2"
_LARGEST_BODY = 4 * 2**20


class PagerDutyPlayer:
    """Start it, give `url` to whoever sends, and look at `board`. `conduct` and `die` make it behave badly."""

    def __init__(self, *, routing_key: str = ROUTING_KEY, api_token: str = API_TOKEN) -> None:
        self.board = Board()
        self.conduct = Conduct()
        self.routing_key, self.api_token = routing_key, api_token
        self.on_call: list[tuple[int, str]] = [(1, "Ada Lovelace"), (2, "Grace Hopper")]
        """Level and name of each who is on call by `POLICY`."""
        self.took: Callable[[], None] = lambda: None
        """Called after each event that was taken."""
        app = web.Application(client_max_size=_LARGEST_BODY, middlewares=[self.conduct.middleware])
        app.router.add_post("/v2/enqueue", self._enqueue)
        app.router.add_get("/oncalls", self._oncalls)
        app.router.add_get("/incidents", self._incidents)
        self._listening = Listening(app)
        self.die, self.revive, self.stop = self._listening.die, self._listening.revive, self._listening.stop

    async def start(self) -> None:
        await self._listening.start()

    @property
    def url(self) -> str:
        return self._listening.url

    async def _enqueue(self, request: web.Request) -> web.Response:
        body = await request.read()
        if len(body) > LARGEST_EVENT:
            return web.Response(status=413)
        try:
            event = json.loads(body)
        except ValueError:
            return _invalid(["JSON parse error"])
        if wrong := mistakes(event):
            return _invalid(wrong)
        if event["routing_key"] != self.routing_key:
            return _invalid(["Invalid routing key"])
        key = self.board.take(event)
        self.took()
        told = {"status": "success", "message": "Event processed", "dedup_key": key}
        return web.json_response(told, status=202)

    async def _oncalls(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request):
            return refusal
        mine = POLICY in request.query.getall("escalation_policy_ids[]", [POLICY])
        found = [_entry(level, name) for level, name in self.on_call] if mine else []
        return web.json_response({"oncalls": found, "limit": 25, "offset": 0, "more": False, "total": None})

    async def _incidents(self, request: web.Request) -> web.Response:
        if refusal := self._refusal(request):
            return refusal
        found = [
            {
                "id": i.id,
                "incident_key": i.key,
                "status": i.standing,
                "html_url": f"https://sub.pagerduty.com/incidents/{i.id}",
            }
            for i in self.board.of(request.query.get("incident_key", ""))
        ]
        return web.json_response({"incidents": found, "limit": 25, "offset": 0, "more": False, "total": None})

    def _refusal(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") != f"Token token={self.api_token}":
            told = {"error": {"message": "Account not found", "code": 2008}}
            return web.json_response(told, status=401)
        if request.headers.get("Accept") != ACCEPT:
            return web.json_response({"error": {"message": "Unsupported version", "code": 2100}}, status=406)
        return None


def _invalid(errors: list[str]) -> web.Response:
    told = {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
    return web.json_response(told, status=400)


def _entry(level: int, name: str) -> dict[str, Any]:
    return {
        "user": {"id": f"P{level:06}", "type": "user_reference", "summary": name},
        "schedule": None,
        "escalation_policy": {"id": POLICY, "type": "escalation_policy_reference", "summary": "NFC"},
        "escalation_level": level,
        "start": None,
        "end": None,
    }
