"""The SOAP endpoint of one vCenter: HTTP in, a call to the table of methods, XML out. Mishaps happen here."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections import Counter, deque
from collections.abc import Callable
from contextlib import nullcontext

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.playground.vcenter import (
    faults,
    methods_authorization,
    methods_browser,
    methods_check,
    methods_clock,
    methods_consolidation,
    methods_custom_fields,
    methods_disks,
    methods_esxcli,
    methods_events,
    methods_files,
    methods_lease,
    methods_logs,
    methods_power,
    methods_property,
    methods_reconfigure,
    methods_register,
    methods_relocate,
    methods_session,
    methods_tickets,
    methods_tree,
    methods_work,
)
from bot.playground.vcenter.calls import METHODS, Call
from bot.playground.vcenter.changes import Changes
from bot.playground.vcenter.faults import Fault
from bot.playground.vcenter.folder import vcenter_routes
from bot.playground.vcenter.mishaps import Loss, Mishaps
from bot.playground.vcenter.properties import Reader, Rendering
from bot.playground.vcenter.properties_service import MAKERS, api_version
from bot.playground.vcenter.relocation import Works
from bot.playground.vcenter.schema import schema
from bot.playground.vcenter.sessions import Session
from bot.playground.vcenter.universe import Estate
from bot.playground.vcenter.wire import BadRequestError, Request, fault_response, parse_request, response

PLAYED = (
    methods_authorization, methods_browser, methods_check, methods_clock, methods_consolidation, methods_custom_fields,
    methods_disks, methods_esxcli, methods_events, methods_files, methods_lease, methods_logs, methods_power,
    methods_property, methods_reconfigure, methods_register, methods_relocate, methods_session, methods_tickets,
    methods_tree, methods_work,
)  # fmt: skip
"""Importing them has filled the table."""
_COOKIE = re.compile(r'vmware_soap_session="?([0-9a-f]+)"?')
_OP_IDS = 10_000
_LARGEST = 64 * 2**20
_OLD_VERSIONS = ("8.0.3.0", "8.0.2.0", "8.0.1.0", "8.0.0.1", "7.0.3.0", "7.0", "6.7", "6.5", "6.0", "5.5", "5.0")
_log = logging.getLogger(__name__)


class SoapServer:
    """Serves one estate. `port` is 0 until the first `up`, and the same after every later one."""

    def __init__(self, estate: Estate, works: Works, *, address: str, tls: ssl.SSLContext | None) -> None:
        self._estate = estate
        self._works = works
        self._address = address
        self._tls = tls
        self._rendering = Rendering(estate)
        self._runner: web.AppRunner | None = None
        self.port = 0
        self.mishaps = Mishaps()
        self.calls: Counter[str] = Counter()
        self.arrivals = Changes()
        """Rings with every call."""
        self.op_ids: deque[tuple[str, str]] = deque(maxlen=_OP_IDS)
        """(method, opID) of every call that carried one."""
        self._answering: set[asyncio.Task[object]] = set()

    async def up(self) -> None:
        """Listen, on the port of last time if there was one."""
        if self._runner is not None:
            return
        app = web.Application(client_max_size=_LARGEST, middlewares=[self._follow])
        app.router.add_post("/sdk", self._post)
        app.router.add_post("/sdk/", self._post)
        app.router.add_get("/sdk/vimServiceVersions.xml", self._versions)
        app.router.add_routes(vcenter_routes(self._estate))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, self._address, self.port, ssl_context=self._tls, reuse_address=True)
        await site.start()
        self._runner = runner
        self.port = int(runner.addresses[0][1])
        presence = self._estate.presence
        presence.url, presence.reachable = f"{'https' if self._tls else 'http'}://{self._address}:{self.port}", True

    async def down(self) -> None:
        """Refuse connections and break those that are open; what runs in the vCenter goes on."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        self._estate.presence.reachable = False
        server = runner.server
        for connection in list(server.connections) if server else []:
            if connection.transport is not None:
                connection.transport.abort()
        await runner.cleanup()

    async def close(self) -> None:
        """Go down for good: calls that still wait for something are given up, whether or not their client is there."""
        await self.down()
        for call in self._answering:
            call.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    @web.middleware
    async def _follow(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Know who is at work on a call; aiohttp forgets it when the client hangs up."""
        task = asyncio.current_task()
        if task is None:
            raise LookupError("a request is always handled in a task")
        self._answering.add(task)
        try:
            return await handler(request)
        finally:
            self._answering.discard(task)

    async def _versions(self, _request: web.Request) -> web.Response:
        current = api_version(self._estate.spec.version)
        older = "".join(f"<version>{version}</version>" for version in _OLD_VERSIONS if _is_older(version, current))
        text = (
            '<?xml version="1.0" encoding="UTF-8"?><namespaces version="1.0"><namespace><name>urn:vim25</name>'
            f"<version>{current}</version><priorVersions>{older}</priorVersions></namespace></namespaces>"
        )
        return web.Response(text=text, content_type="text/xml")

    async def _post(self, http: web.Request) -> web.StreamResponse:
        try:
            request = parse_request(await http.read())
        except BadRequestError as error:
            return _fault(faults.invalid_request(str(error)))
        except ConnectionResetError:  # the client died in the middle of its request
            return web.Response()
        self.calls[request.method] += 1
        self.arrivals.touch()
        if request.op_id:
            self.op_ids.append((request.method, request.op_id))
        fate = self.mishaps.next(request.method)
        if fate is Loss.SILENT_REQUEST:
            await self.mishaps.swallow(_gone(http))
        if fate in {Loss.REQUEST, Loss.SILENT_REQUEST}:
            return _break(http)
        reply = await self._answer(request, http)
        if fate is Loss.SILENT_REPLY:
            await self.mishaps.swallow(_gone(http))
        if fate in {Loss.REPLY, Loss.SILENT_REPLY}:
            return _break(http)
        await self.mishaps.hold(request.method)
        return reply

    async def _answer(self, request: Request, http: web.Request) -> web.Response:
        call = self._call(request, http)
        await self.mishaps.pass_on(request.method)
        try:
            with call.reader.session.busy() if call.reader.session else nullcontext():
                text = await self._carry_out(call)
        except Fault as fault:
            return _fault(fault)
        except ValueError as error:  # a number or a date that is none
            return _fault(faults.invalid_request(f"{request.method}: {error}"))
        reply = _reply(response(request.method, text))
        if call.opened:
            cookie = f'vmware_soap_session="{call.opened.cookie}"; Path=/; HttpOnly'
            reply.headers["Set-Cookie"] = f"{cookie}; Secure" if self._tls else cookie
        return reply

    def _call(self, request: Request, http: web.Request) -> Call:
        return Call(
            estate=self._estate,
            request=request,
            reader=Reader(self._estate, self._session(http), MAKERS),
            rendering=self._rendering,
            works=self._works,
            agent=http.headers.get("User-Agent", ""),
            address=http.remote or "",
            gone=_gone(http),
        )

    def _session(self, http: web.Request) -> Session | None:
        found = _COOKIE.search(http.headers.get("Cookie", ""))
        return self._estate.sessions.of(found[1] if found else None)

    async def _carry_out(self, call: Call) -> str:
        request, target = call.request, call.request.target
        self._estate.tasks.sweep()
        method = METHODS.get(request.method)
        if call.reader.session is None and (method is None or not method.anybody):
            raise faults.not_authenticated(target)
        if method is None:
            _log.info("not played: %s on %s", request.method, target.type)
            raise faults.method_not_found(target, request.method)
        if call.reader.find(target) is None:
            raise faults.not_found(target) if call.reader.session else faults.not_authenticated(target)
        if not schema().extends(target.type, method.on):
            raise faults.method_not_found(target, request.method)
        if method.privilege:
            call.require(method.privilege, call.reader.find(target))
        return await method.run(call)


def _is_older(version: str, than: str) -> bool:
    one, other = ([int(part) for part in text.split(".")] for text in (version, than))
    return one < other


def _reply(body: bytes, *, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, content_type="text/xml", charset="utf-8")


def _fault(fault: Fault) -> web.Response:
    return _reply(fault_response(fault.data, str(fault)), status=500)


def _gone(http: web.Request) -> Callable[[], bool]:
    """Return the question whether the client has hung up."""
    transport = http.transport
    return lambda: transport is None or transport.is_closing()


def _break(http: web.Request) -> web.Response:
    """Break the connection under the reply; what is returned goes nowhere."""
    transport = http.transport
    if isinstance(transport, asyncio.Transport):
        transport.abort()
    return web.Response()
