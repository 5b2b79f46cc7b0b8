"""How sinks call the world: one way to connect, bounded in time and size, and every failure put in our words once.

Nothing here logs, and no sentence carries a URL's path, a header or a body that was sent: secrets may be in them.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

import httpx

from bot.diagnosis.printable import printable
from bot.errors import LoginError, MaybeSentError, OutsideError, UnreachableError, UserError

CONNECT_TIMEOUT: Final = 5.0
CALL_TIMEOUT: Final = 10.0
"""Seconds for a whole call, from the wait for a connection to the end of the answer."""

LARGEST_ANSWER: Final = 256 * 1024
"""Bytes of an answer that are read; what comes after that is left where it is."""

LONGEST_WAIT: Final = 3600.0
"""Seconds that anybody may ask us to stay away for."""

_AGENT: Final = "coldmigrate-bot"
_TOO_MANY: Final = 429
_BROKEN: Final = 500
_SHOWN: Final = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body` is its beginning."""

    status: int
    body: bytes
    retry_after: float | None

    @property
    def fine(self) -> bool:
        return httpx.codes.is_success(self.status)


@asynccontextmanager
async def open_http(ca_file: Path | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A client with one connection pool. TLS is verified against `ca_file`, or the system's authorities.

    Proxies are those of the environment, as for Slack. Redirects are not followed: a body that is signed, or that holds
    a key, goes where the config says and nowhere else. UserError for a file that is no certificate.
    """
    # It tells the whole URL of every call, and the path of a webhook's is as good as a password.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    async with httpx.AsyncClient(
        verify=_trust(ca_file),
        timeout=httpx.Timeout(CALL_TIMEOUT, connect=CONNECT_TIMEOUT),
        follow_redirects=False,
        headers={"user-agent": _AGENT},
    ) as http:
        yield http


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except OSError as error:  # ssl's own errors are of these
        reason = error.strerror if not isinstance(error, ssl.SSLError) else "no certificate in PEM form"
        raise UserError(f"The CA file {ca_file} of a sink cannot be used: {reason}.") from None


async def call(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    who: str,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    params: Mapping[str, str] | None = None,
    within: float = CALL_TIMEOUT,
) -> Answer:
    """One call and its answer, whatever its status. `who` is whom the sentences speak of.

    UnreachableError: it was certainly not taken. MaybeSentError (transient): it may have been. LoginError: not trusted.
    """
    try:
        # httpx bounds each wait for bytes, and somebody who sends one a second would never be over.
        async with asyncio.timeout(within):
            request = http.build_request(method, url, headers=headers, content=content, params=params)
            response = await http.send(request, stream=True)
            try:
                body = await _beginning(response)
            finally:
                await response.aclose()
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise translate(error, who, within=within) from None
    return Answer(response.status_code, body, _retry_after(response.headers.get("retry-after", "")))


async def _beginning(response: httpx.Response) -> bytes:
    found = b""
    async for part in response.aiter_bytes(16 * 1024):
        found += part
        if len(found) >= LARGEST_ANSWER:
            break
    return found[:LARGEST_ANSWER]


def translate(error: Exception, who: str, *, within: float = CALL_TIMEOUT) -> OutsideError:
    """The error of our tree that says the same of anything that httpx raises. It never quotes what was sent."""
    match error:
        case httpx.ConnectError() if (cause := _certificate(error)) is not None:
            return LoginError(
                f"The certificate of {who} is not trusted ({cause.verify_message}). Check ca_file of this sink.",
                transient=True,  # certificates are renewed, and what has to be said must not be lost over that
            )
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
            return UnreachableError(f"{who} does not answer ({_reason(error)}). Check that it is reachable from here.")
        case httpx.ProxyError():
            return UnreachableError(f"The proxy on the way to {who} refuses us ({_reason(error)}).")
        case httpx.InvalidURL() | httpx.UnsupportedProtocol() | httpx.LocalProtocolError():
            return OutsideError(f"{who} cannot be called: its URL or a header is not valid. Check its config.")
        case httpx.TimeoutException() | TimeoutError():
            return MaybeSentError(f"{who} did not answer within {within:g} s.", transient=True)
        case _:  # the connection broke, or what came back is no HTTP
            return MaybeSentError(f"{who} broke off before it had answered ({_reason(error)}).", transient=True)


def refused(answer: Answer, *, who: str, why: str = "", transient: bool | None = None) -> OutsideError:
    """The error of an answer that is no success. `transient`: what the status alone does not tell."""
    says = f"{who} answered {answer.status}" + (f" ({printable(why)[:_SHOWN]})" if why else "")
    if answer.status >= _BROKEN:  # a server that breaks down may have taken it before
        return _waiting(MaybeSentError(f"{says}: it has trouble of its own.", transient=True), answer)
    if answer.status == _TOO_MANY:
        return _waiting(OutsideError(f"{says}: it was asked too much.", transient=True), answer)
    return _waiting(OutsideError(f"{says}.", transient=bool(transient)), answer)


def _waiting(error: OutsideError, answer: Answer) -> OutsideError:
    error.retry_after = answer.retry_after
    return error


def _certificate(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """What lies under httpx's ConnectError, when that is about a certificate."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no connection in time"
    return printable(str(error))[:_SHOWN] or type(error).__name__


def _retry_after(value: str) -> float | None:
    """Seconds: it is given as such, or as a date."""
    if re.fullmatch(r"[0-9]{1,9}", value.strip()):
        return min(float(value), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_WAIT)
