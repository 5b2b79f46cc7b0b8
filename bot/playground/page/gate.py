"""Who may come in: pages of this very origin, and nobody else; and what a browser may do with what it gets."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.playground.loopback import is_this_machine

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


@web.middleware
async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn away whoever is not from here. A refusal is a sentence, and bears the same headers."""
    if refusal := _refusal(request):
        return web.Response(status=403, text=refusal, headers=HEADERS)
    try:
        return await handler(request)
    except web.HTTPException as error:
        error.headers.update(HEADERS)
        raise


async def lay_down_rules(_request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that every answer has."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def _refusal(request: web.Request) -> str:
    """Why this request is not answered, or nothing.

    The Host has to be one of ours. Browsers tell the Origin of every WebSocket and every POST, so there it has to be
    told, and be this very one.
    """
    if not is_this_machine(request.host):
        return "Only this machine may look at the page."
    origin = request.headers.get("Origin")
    needed = request.method not in {"GET", "HEAD"} or request.headers.get("Upgrade") is not None
    if origin is None:
        return "This is for the page itself, and it would say so." if needed else ""
    return "" if origin == f"http://{request.host}" else "Another page has no business here."
