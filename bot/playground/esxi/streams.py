"""Bytes over HTTP both ways, a block at a time: ranges, bodies, connections that break. No files, no rights."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from aiohttp import ClientError, hdrs, web

from bot.playground.esxi.disk_content import BLOCK, Content, pieces

Carry = Callable[[int], Awaitable[None]]
_PARTIAL, _UNSATISFIABLE = 206, 416
_KIND = "application/octet-stream"


class BodyBrokeOffError(Exception):
    """The client went away in the middle of what it sent."""


async def send_content(request: web.Request, content: Content, *, carry: Carry) -> web.StreamResponse:
    """Answer with a file, or the part of it that the Range header asks for; a HEAD gets the size alone."""
    size = content.size
    headers: dict[str, str] = {hdrs.ACCEPT_RANGES: "bytes", hdrs.CONTENT_TYPE: _KIND}
    start, stop, status = 0, size, 200
    if hdrs.RANGE in request.headers:
        start, stop = _range(request, size)
        if start >= stop:
            headers[hdrs.CONTENT_RANGE] = f"bytes */{size}"
            return web.Response(status=_UNSATISFIABLE, headers=headers)
        status, headers[hdrs.CONTENT_RANGE] = _PARTIAL, f"bytes {start}-{stop - 1}/{size}"
    headers[hdrs.CONTENT_LENGTH] = str(stop - start)
    return await send_pieces(request, pieces(content, start, stop), status=status, headers=headers, carry=carry)


def _range(request: web.Request, size: int) -> tuple[int, int]:
    try:
        start, stop, _ = request.http_range.indices(size)
    except ValueError:
        return size, size
    return start, stop


async def send_pieces(
    request: web.Request, made: Iterable[bytes], *, carry: Carry, headers: dict[str, str], status: int = 200
) -> web.StreamResponse:
    """Answer with bytes as they are made. A way that is cut breaks the connection: no length tells that all came."""
    response = web.StreamResponse(status=status, headers=headers)
    await response.prepare(request)
    if request.method != hdrs.METH_HEAD:
        try:
            for piece in made:
                await carry(len(piece))
                if piece:
                    await response.write(piece)
        except ConnectionError:
            if isinstance(request.transport, asyncio.Transport):
                request.transport.abort()
            raise
    await response.write_eof()
    return response


async def body_of(request: web.Request, *, carry: Carry) -> AsyncIterator[bytes]:
    """Yield what a client sends. Raises BodyBrokeOffError when it stops before the end."""
    try:
        async for piece in request.content.iter_chunked(BLOCK):
            await carry(len(piece))
            yield piece
    except (ClientError, ConnectionError, asyncio.IncompleteReadError, web.RequestPayloadError) as error:
        raise BodyBrokeOffError(f"the client stopped sending: {error}") from error


async def let_finish(request: web.Request, *, most: int = 2**20) -> None:
    """Read the rest of a body that nobody wants, within bounds, so that the client hears the answer."""
    taken = 0
    try:
        async for piece in request.content.iter_chunked(BLOCK):
            taken += len(piece)
            if taken > most:
                return
    except (ClientError, ConnectionError, web.RequestPayloadError):
        return
