"""The Web API over HTTP: arguments in, token and rate checked, faults applied, one JSON answer out.

What the methods do is in `*_methods`; this file knows none of them by name but apps.connections.open.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from aiohttp import web

from bot.playground.slack.calls import Call, Method, TokenKind
from bot.playground.slack.changes import ChangeKind, Json
from bot.playground.slack.faults import BreakDown, Fault, Faults, LoseReply, Refuse, Throttle
from bot.playground.slack.rates import RateLimits
from bot.playground.slack.refusal import ApiRefusalError
from bot.playground.slack.tally import Tally
from bot.playground.slack.tokens import Tokens
from bot.playground.slack.wiretap import Way, Wiretap
from bot.playground.slack.workspace import Workspace

PATH = "/api/{method}"
TOO_FAST: Json = {"ok": False, "error": "ratelimited"}
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class WebApi:
    def __init__(
        self,
        *,
        workspace: Workspace,
        tokens: Tokens,
        limits: RateLimits,
        faults: Faults,
        tally: Tally,
        wiretap: Wiretap,
        methods: Mapping[str, Method],
    ) -> None:
        self._workspace = workspace
        self._tokens = tokens
        self._limits = limits
        self._faults = faults
        self._tally = tally
        self._wiretap = wiretap
        self._methods = methods

    async def handle(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]
        self._tally.calls[name] += 1
        fault = self._faults.take(name)
        arguments: Json = {}
        try:
            arguments = await _arguments(request)
            answer = self._answer(name, arguments, request.headers.get("Authorization", ""), fault)
        except ApiRefusalError as refusal:
            self._tally.refused[refusal.code] += 1
            return self._reply(name, arguments, refusal.to_json())
        except _TooFastError as refusal:
            self._tally.throttled[name] += 1
            return self._reply(name, arguments, TOO_FAST, status=429, headers={"Retry-After": str(refusal.retry_after)})
        if isinstance(fault, BreakDown):
            self._noted(name, arguments, {"ok": False, "status": fault.status})
            return web.Response(status=fault.status, text="upstream trouble")
        if isinstance(fault, LoseReply) and request.transport is not None:
            request.transport.abort()
        return self._reply(name, arguments, answer)

    def _answer(self, name: str, arguments: Json, authorization: str, fault: Fault | None) -> Json:
        method = self._methods.get(name)
        if method is None:
            raise ApiRefusalError("unknown_method", req_method=name)
        kind = self._tokens.kind(authorization, str(arguments.pop("token", "") or ""))
        if method.token not in {None, kind}:
            raise ApiRefusalError("not_allowed_token_type")
        self._throttle(name, arguments, fault)
        if isinstance(fault, Refuse):
            raise ApiRefusalError(fault.error)
        if isinstance(fault, BreakDown):
            return {}
        call = Call(self._workspace, arguments, kind)
        if method.scopes:
            call.need(*method.scopes)
        return {"ok": True} | method.run(call)

    def _throttle(self, name: str, arguments: Json, fault: Fault | None) -> None:
        if isinstance(fault, Throttle):
            raise _TooFastError(fault.retry_after)
        wait = self._limits.take(name, channel=self._channel_id(arguments))
        if wait:
            raise _TooFastError(wait)

    def _channel_id(self, arguments: Json) -> str:
        """One bucket per conversation, whether it was named or given by id."""
        ref = str(arguments.get("channel", ""))
        names = {channel.name: channel.id for channel in self._workspace.channels.values()}
        return names.get(ref.removeprefix("#"), ref)

    def _reply(
        self, name: str, arguments: Json, answer: Json, *, status: int = 200, headers: Mapping[str, str] = NO_HEADERS
    ) -> web.Response:
        self._noted(name, arguments, answer)
        scopes = ",".join(sorted(self._workspace.app.scopes))
        return web.json_response(answer, status=status, headers={"X-OAuth-Scopes": scopes, **headers})

    def _noted(self, name: str, arguments: Json, answer: Json) -> None:
        """A refusal changes nothing else, so those who wait for something to happen are told of it here."""
        self._wiretap.note(Way.TO_SLACK, name, arguments, answer)
        if not answer["ok"]:
            self._workspace.changes.publish(ChangeKind.REFUSAL, subject=name)


class _TooFastError(Exception):
    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


def connections_open(ticket_url: Callable[[], str]) -> Method:
    """apps.connections.open: a websocket URL that works once."""
    return Method(run=lambda _call: {"url": ticket_url()}, token=TokenKind.APP)


async def _arguments(request: web.Request) -> Json:
    """Query, then body. Refused if a JSON body is not an object; a missing body is no argument at all."""
    arguments: Json = dict(request.query)
    if request.method == "GET":
        return arguments
    if request.content_type == "application/json":
        return arguments | _json_object(await request.text())
    form = await request.post()
    return arguments | {name: value for name, value in form.items() if isinstance(value, str)}


def _json_object(body: str) -> Json:
    try:
        sent: Any = json.loads(body or "{}")
    except ValueError:
        raise ApiRefusalError("invalid_json") from None
    if not isinstance(sent, dict):
        raise ApiRefusalError("json_not_object")
    return sent
