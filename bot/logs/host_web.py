"""One host's `/host` over HTTPS: requests, what their answers mean, and the logs there as a shelf.

The server's certificate is always verified, no redirect is followed, and no proxy of the environment is used: the
account is a host's own and goes to that host only. What a server says is never quoted.
"""

from __future__ import annotations

import logging
import re
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx

from bot.errors import LoginError, OutsideError, UnreachableError
from bot.logs.packed import unpacked
from bot.logs.shelf import GoneError, Pages, skipping
from bot.ssh.port import Address

MOST_SKIPPED: Final = 64 * 1024 * 1024
_MOST_LISTED: Final = 1024 * 1024
_REFUSED_FOR: Final = 240.0
_CONNECTIONS: Final = 2
_KEPT_OPEN: Final = 60.0  # longer than from one look to the next: each new connection is a handshake and a login
_TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)
_PART: Final = re.compile(r"bytes (\d+)-\d+/(\d+)")

logging.getLogger("httpx").setLevel(logging.WARNING)  # else a line for every look at every log


@dataclass(frozen=True)
class Trust:
    """Who we are at the hosts, and whose certificates we take. `ca_file` None: the system's authorities."""

    user: str
    password: Callable[[], str] = field(repr=False)
    ca_file: Path | None

    @cached_property
    def context(self) -> ssl.SSLContext:
        """OutsideError for a file that cannot be used."""
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise LoginError(f"{self.ca_file} cannot be used as a list of authorities in PEM form.") from error


class HostWeb:
    """One host's web server. A password that it refused is not sent again for some minutes: ESXi locks accounts."""

    def __init__(self, name: str, address: Address, trust: Trust) -> None:
        self.name = name
        self.users = 0
        self._address = address
        self._trust = trust
        self._client: httpx.AsyncClient | None = None
        self._refused = ("", 0.0)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    @asynccontextmanager
    async def get(self, path: str, *, ranged: str = "") -> AsyncIterator[httpx.Response]:
        """Ask for a path below the host. GoneError where there is no such thing."""
        password = self._password()
        account = (self._trust.user, password)
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={ranged}"} if ranged else {})
        try:
            async with self._opened().stream("GET", path, headers=headers, auth=account) as answer:
                self._judge(answer.status_code, path, password)
                yield answer
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._refusal(error) from error

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            host = f"[{self._address.host}]" if ":" in self._address.host else self._address.host
            self._client = httpx.AsyncClient(
                base_url=f"https://{host}:{self._address.port}",
                verify=self._trust.context,
                timeout=_TIMEOUT,
                limits=httpx.Limits(max_connections=_CONNECTIONS, keepalive_expiry=_KEPT_OPEN),
                trust_env=False,
            )
        return self._client

    def _password(self) -> str:
        try:
            password = self._trust.password()
        except OSError as error:
            raise LoginError(f"The password of {self._trust.user} cannot be read.") from error
        refused, until = self._refused
        if refused == password and time.monotonic() < until:
            raise self._login_refused()
        return password

    def _judge(self, status: int, path: str, password: str) -> None:
        """Raise what a status means that brings nothing to read."""
        match status:
            case HTTPStatus.OK | HTTPStatus.PARTIAL_CONTENT | HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                self._refused = ("", 0.0)
            case HTTPStatus.UNAUTHORIZED:
                self._refused = (password, time.monotonic() + _REFUSED_FOR)
                raise self._login_refused()
            case HTTPStatus.FORBIDDEN:
                raise LoginError(
                    f"{self.name} does not let {self._trust.user} read its logs: it is in lockdown mode and "
                    f"{self._trust.user} is no exception user, or has no Administrator role there."
                )
            case HTTPStatus.NOT_FOUND:
                raise GoneError(f"There is no {path} on {self.name}.")
            case _ if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
                raise OutsideError(f"{self.name} sends us elsewhere for {path}; that is not followed.", transient=True)
            case _:
                raise UnreachableError(f"{self.name} answers {status} when asked for {path}.")

    def _login_refused(self) -> LoginError:
        return LoginError(
            f"{self.name} refused user {self._trust.user}: it must be one of the host itself, and the password right. "
            "After five refusals ESXi locks an account for a quarter of an hour."
        )

    def _refusal(self, error: Exception) -> OutsideError:
        if isinstance(error, httpx.TimeoutException):
            return UnreachableError(f"{self.name} did not answer in time at {self._address}.")
        if _has(error, ssl.SSLCertVerificationError):
            where = self._trust.ca_file or "the system's authorities"
            return LoginError(f"The certificate of {self.name} is not signed by {where}, or is not for that name.")
        if isinstance(error, httpx.ConnectError | httpx.InvalidURL):
            return UnreachableError(f"{self.name} cannot be reached at {self._address}.")
        return UnreachableError(f"The connection to {self.name} was lost.")


def _has(error: BaseException | None, kind: type[BaseException]) -> bool:
    """Whether an error has such a cause."""
    while error is not None:
        if isinstance(error, kind):
            return True
        error = error.__cause__ or error.__context__
    return False


class HttpsShelf:
    """Implements `Shelf` for one log of a host."""

    def __init__(self, web: HostWeb, log: str) -> None:
        self._web = web
        self._log = log

    async def size(self) -> int:
        async with self._web.get(self._path(0), ranged="-1") as answer:
            match answer.status_code:
                case HTTPStatus.PARTIAL_CONTENT:
                    return self._part(answer)[1]
                case HTTPStatus.OK if answer.headers.get("Content-Length", "").isdigit():
                    return int(answer.headers["Content-Length"])
                case HTTPStatus.OK:
                    return sum([len(piece) async for piece in answer.aiter_raw()])
                case _:
                    return 0

    async def older(self) -> int:
        """Count those of the list that follow each other without a hole."""
        text = b""
        async with self._web.get("/host") as answer:
            async for piece in answer.aiter_raw():
                text += piece
                if len(text) > _MOST_LISTED:
                    break
        found = set(re.findall(rf"\b{re.escape(self._log)}\.(\d{{1,4}})\.gz\b".encode(), text))
        count = 0
        while str(count).encode() in found:
            count += 1
        return count

    @asynccontextmanager
    async def open(self, age: int, start: int) -> AsyncIterator[Pages]:
        path = self._path(age)
        ranged = f"{start}-" if start and not age else ""
        async with self._web.get(path, ranged=ranged) as answer:
            pages = _pages(answer)
            if age:
                yield skipping(unpacked(pages, f"{path} on {self._web.name}"), start)
            elif answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                yield _nothing
            elif answer.status_code == HTTPStatus.OK and start:
                yield skipping(pages, self._skippable(start))
            else:
                if start and self._part(answer)[0] != start:
                    raise OutsideError(f"{self._web.name} sends another part of {path} than was asked for.")
                yield pages

    def _path(self, age: int) -> str:
        return f"/host/{self._log}.{age - 1}.gz" if age else f"/host/{self._log}.log"

    def _part(self, answer: httpx.Response) -> tuple[int, int]:
        """Where the part begins that was sent, and how long the whole is."""
        found = _PART.fullmatch(answer.headers.get("Content-Range", ""))
        if not found:
            raise OutsideError(f"{self._web.name} does not say which part of {answer.request.url.path} it sends.")
        return int(found[1]), int(found[2])

    def _skippable(self, start: int) -> int:
        if start > MOST_SKIPPED:
            raise OutsideError(
                f"{self._web.name} sends logs only from their beginning, and {self._path(0)} has grown past "
                f"{MOST_SKIPPED >> 20} MiB: rotate it sooner, or read this host in another way."
            )
        return start


def _pages(answer: httpx.Response) -> Pages:
    pieces = answer.aiter_raw()

    async def read() -> bytes:
        return await anext(pieces, b"")

    return read


async def _nothing() -> bytes:
    return b""
