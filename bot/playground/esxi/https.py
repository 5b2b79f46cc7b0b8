"""The hosts' own HTTPS: one port per host, logs under `/host`, and whatever routes other modules bring.

One application serves all hosts; the port that a request came in on says which one is meant. A route reads
`request[MACHINE]`, wraps itself in `for_account` where the real host asks for a user, and never sees a host whose agent
is restarting: such a host answers 503 to everything.
"""

from __future__ import annotations

import base64
import binascii
import html
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from secrets import compare_digest

from aiohttp import hdrs, web

from bot.playground.esxi.machine import Machine

MACHINE: web.RequestKey[Machine] = web.RequestKey("machine", Machine)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_REALM = 'Basic realm="VMware HTTP server"'
_PARTIAL, _UNSATISFIABLE = 206, 416


class HostEndpoints:
    """Serves hosts on ports of their own. `tls` makes the context of a host by its name, or there is none."""

    def __init__(
        self,
        machines: Sequence[Machine],
        routes: Iterable[web.RouteDef],
        *,
        address: str,
        tls: Callable[[str], ssl.SSLContext] | None,
    ) -> None:
        self._machines = machines
        self._routes = list(routes)
        self._address = address
        self._tls = tls
        self._by_port: dict[int, Machine] = {}
        self._ports: dict[str, int] = {}
        self._runner: web.AppRunner | None = None

    def url(self, host: str) -> str:
        """Return where a host listens; KeyError for an unknown one."""
        return f"{'https' if self._tls else 'http'}://{self._address}:{self._ports[host]}"

    async def up(self) -> None:
        """Open a port for every host."""
        app = web.Application(middlewares=[self._tell_whose])
        app.router.add_routes(self._routes)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        for machine in self._machines:
            context = self._tls(machine.name) if self._tls else None
            await web.TCPSite(self._runner, self._address, 0, ssl_context=context).start()
            port = int(self._runner.addresses[-1][1])
            self._by_port[port], self._ports[machine.name] = machine, port

    async def down(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    @web.middleware
    async def _tell_whose(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        transport = request.transport
        if transport is None:
            raise web.HTTPServiceUnavailable
        machine = self._by_port[transport.get_extra_info("sockname")[1]]
        request[MACHINE] = machine
        await machine.think()
        if machine.restarting:
            raise web.HTTPServiceUnavailable(text="503 Service Unavailable (Failed to connect to endpoint)")
        return await handler(request)


def for_account(handler: Handler) -> Handler:
    """Let a handler run for the host's own user only: 401 for others, 403 for everybody while lockdown mode is on."""

    async def handle(request: web.Request) -> web.StreamResponse:
        machine = request[MACHINE]
        if not _is_account(machine, request.headers.get(hdrs.AUTHORIZATION, "")):
            raise web.HTTPUnauthorized(headers={hdrs.WWW_AUTHENTICATE: _REALM})
        if machine.lockdown:
            raise web.HTTPForbidden(text="403 Forbidden: the host is in lockdown mode")
        return await handler(request)

    return handle


def _is_account(machine: Machine, header: str) -> bool:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(token, validate=True)
    except binascii.Error:
        return False
    return compare_digest(given, f"{machine.account.user}:{machine.account.password}".encode())


def log_routes() -> list[web.RouteDef]:
    """Return the routes below `/host`, as the host log reference describes them: a list, and the files in it."""
    listed, served = for_account(_list_logs), for_account(_serve_log)
    return [web.get("/host", listed), web.get("/host/", listed), web.get("/host/{name}", served)]


async def _list_logs(request: web.Request) -> web.StreamResponse:
    """List the files as links; the page around them is ours."""
    names = (html.escape(name) for name in sorted(request[MACHINE].logs.files()))
    rows = "\n".join(f'<li><a href="/host/{name}">{name}</a></li>' for name in names)
    page = f"<html><head><title>Configuration files</title></head><body><ul>\n{rows}\n</ul></body></html>"
    return web.Response(text=page, content_type="text/html")


async def _serve_log(request: web.Request) -> web.StreamResponse:
    name = request.match_info["name"]
    try:
        content = request[MACHINE].logs.file(name)
    except KeyError:
        raise web.HTTPNotFound(text=f"404 Not Found: {name}") from None
    kind = "application/x-gzip" if name.endswith(".gz") else "text/plain"
    if not request[MACHINE].honours_ranges:
        return web.Response(body=content, content_type=kind)
    return ranged(request, content, content_type=kind)


def ranged(request: web.Request, content: bytes, *, content_type: str) -> web.Response:
    """Answer with the bytes that the Range header asks for, or with all of them."""
    headers = {hdrs.ACCEPT_RANGES: "bytes"}
    if hdrs.RANGE not in request.headers:
        return web.Response(body=content, headers=headers, content_type=content_type)
    size = len(content)
    try:
        start, stop, _ = request.http_range.indices(size)
    except ValueError:
        start, stop = size, size
    if start >= stop:
        headers[hdrs.CONTENT_RANGE] = f"bytes */{size}"
        return web.Response(status=_UNSATISFIABLE, headers=headers)
    headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{stop - 1}/{size}"
    return web.Response(status=_PARTIAL, body=content[start:stop], headers=headers, content_type=content_type)
