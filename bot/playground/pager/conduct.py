"""How a player behaves towards whoever calls: it can be slow, busy, broken or deaf. It decides nothing else."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from datetime import timedelta

from aiohttp import web

HOST = "127.0.0.1"
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Conduct:
    """The switches. Each holds until it is set back; `well` sets them all back."""

    def __init__(self) -> None:
        self.slow = timedelta(0)
        """How long each answer takes. What was asked is done before that."""
        self.status = 0
        """Answered to everything, and nothing is done; 0 for none."""
        self.retry_after: str = ""
        """The Retry-After of such an answer."""
        self.swallows = False
        """What was asked is done, and the connection is cut before the answer."""
        self.called = 0
        """How many calls came in, whatever became of them."""

    def well(self) -> None:
        self.slow, self.status, self.retry_after, self.swallows = timedelta(0), 0, "", False

    @web.middleware
    async def middleware(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        self.called += 1
        if self.status:
            await asyncio.sleep(self.slow.total_seconds())
            headers = {"Retry-After": self.retry_after} if self.retry_after else {}
            return web.Response(status=self.status, headers=headers, text="not now")
        response = await handler(request)
        await asyncio.sleep(self.slow.total_seconds())
        if self.swallows and request.transport is not None:
            request.transport.abort()
        return response


class Listening:
    """A server on loopback that can be dead, so that connections are refused, and alive again at the same port."""

    def __init__(self, app: web.Application, *, tls: ssl.SSLContext | None = None) -> None:
        self._app = app
        self._tls = tls
        self._runner: web.AppRunner | None = None
        self._site: web.SockSite | None = None
        self.port = 0

    async def start(self) -> None:
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await self.revive()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def die(self) -> None:
        """Refuse connections from now on; those that there are end."""
        if self._site is not None:
            await self._site.stop()
            self._site = None
        if self._runner is not None and self._runner.server is not None:
            await self._runner.server.shutdown(0.1)

    async def revive(self) -> None:
        """Listen, at the port that it had."""
        if self._runner is None or self._site is not None:
            return
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, self.port))
        self.port = listener.getsockname()[1]
        self._site = web.SockSite(self._runner, listener, ssl_context=self._tls)
        await self._site.start()

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://{HOST}:{self.port}"
