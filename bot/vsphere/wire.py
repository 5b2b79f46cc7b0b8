"""One SOAP call, one POST: verified TLS, time-outs, and the line between "never left" and "may have left".

What lives here: connections to a vCenter. What may not: sessions, retries, knowledge of any managed object.

pyVmomi's own stub is close, with two holes that are closed here. It checks a pinned thumbprint only on the first
connection and trusts anybody on all later ones; and it does not tell a failure to connect from a lost reply.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import hashlib
import hmac
import socket
import ssl
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pyVmomi import vmodl
from pyVmomi.SoapAdapter import SoapStubAdapter

from bot.errors import ColdmigrateError, LoginError, UnreachableError, UserError
from bot.migration.request import VCenterName

CONNECT_WITHIN = timedelta(seconds=10)
IDLE_IN_POOL = timedelta(seconds=60)
BASE_VERSION = "vim.version.version9"  # 5.5: what every vCenter in use understands, until its own is known
DIGESTS = {40: "sha1", 64: "sha256"}  # vSphere itself shows SHA-1 thumbprints, hence both


class LostReplyError(Exception):
    """The connection stood, so the request may have left, and no readable reply came back. Never leaves this room."""


class Unshown(str):
    """A secret that pyVmomi sends and nobody shows: its objects print by `repr`, and so do tracebacks with values."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'[hidden]'"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to believe: the issuers in `ca_file`, exactly one certificate by `thumbprint`, or the system's issuers."""

    ca_file: Path | None = None
    thumbprint: str | None = None

    @property
    def pin(self) -> str | None:
        return self.thumbprint.replace(":", "").strip().lower() if self.thumbprint else None


@dataclass(frozen=True)
class Endpoint:
    """Where a vCenter is, who we are there and how it proves itself. The password is asked for at each login."""

    name: VCenterName
    url: str
    user: str
    password: Callable[[], str] = field(repr=False)
    trust: Trust

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
            raise UserError(
                f"The url of vCenter {self.name} must be https://HOST without a user in it.",
                example=f'[vcenters.{self.name}]\nurl = "https://vc.example.net"',
            )
        if (pin := self.trust.pin) is not None and (len(pin) not in DIGESTS or set(pin) - set("0123456789abcdef")):
            raise UserError(
                f"The thumbprint of vCenter {self.name} must be the SHA-256 (or SHA-1) digest of its certificate.",
                example='thumbprint = "AA:BB:…", 32 pairs of hexadecimal digits',
            )

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 443

    @property
    def path(self) -> str:
        return urlsplit(self.url).path.rstrip("/") or "/sdk"

    def __str__(self) -> str:
        return f"vCenter {self.name} ({self.host}:{self.port})"

    @cached_property
    def context(self) -> ssl.SSLContext:
        """TLS for this vCenter. With a pin the certificate is compared by `verify_pin`, on each new connection."""
        if self.trust.pin is not None:
            pinned = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            pinned.check_hostname = False
            pinned.verify_mode = ssl.CERT_NONE
            return pinned
        try:
            return ssl.create_default_context(cafile=self.trust.ca_file)
        except OSError as error:  # ssl.SSLError is one: a file that is not PEM
            raise LoginError(
                f"{self}: cannot use ca_file {self.trust.ca_file}: {error.strerror or error}."
                f" It must be a readable PEM file with the certificate of vCenter's issuer."
            ) from error

    def verify_pin(self, connection: HTTPSConnection) -> None:
        """Refuse a connection whose certificate is not the pinned one."""
        pin = self.trust.pin
        if pin is None:
            return
        shown = hashlib.new(DIGESTS[len(pin)], connection.sock.getpeercert(binary_form=True) or b"").hexdigest()
        if not hmac.compare_digest(shown, pin):
            raise LoginError(
                f"{self} shows a certificate with the thumbprint {colons(shown)}, but the config pins {colons(pin)}."
                f" If the certificate was renewed, check it and set `thumbprint` in [vcenters.{self.name}]."
            )


def colons(digest: str) -> str:
    """Write a digest as vSphere shows it: `AB:CD:…`."""
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2)).upper()


class Wire(SoapStubAdapter):
    """A stub that puts every call on the wire exactly once.

    Raises UnreachableError or LoginError while nothing can have left, LostReplyError from then on, and vCenter's own
    faults as pyVmomi has them. `pool` connections are kept; with 0 every call opens its own, so none is stale. `agent`
    is what vCenter's list of sessions says of who logged in here.
    """

    def __init__(self, endpoint: Endpoint, *, reply: timedelta, pool: int, agent: str) -> None:
        super().__init__(
            host=endpoint.host,
            port=endpoint.port,
            path=endpoint.path,
            version=BASE_VERSION,
            sslContext=endpoint.context,
            poolSize=pool,
            connectionPoolTimeout=IDLE_IN_POOL.total_seconds(),
            customHeaders={"User-Agent": agent},
        )
        self._endpoint = endpoint
        self._reply = reply
        self._call = threading.local()
        self._open: weakref.WeakSet[HTTPSConnection] = weakref.WeakSet()

    def InvokeMethod(self, mo: Any, info: Any, args: Any, outerStub: Any = None) -> Any:  # noqa: N802, N803 - pyVmomi's
        self._call.connected = False
        try:
            return super().InvokeMethod(mo, info, args, outerStub)
        except (ColdmigrateError, vmodl.MethodFault) as error:
            raise error.with_traceback(None)  # noqa: B904 - it is the same; pyVmomi's frames hold the whole request
        except Exception as error:
            # Whatever it is, a reply that cannot be read says nothing about what the other side did.
            if not self._call.connected:
                raise
            raise LostReplyError(_how_it_was_lost(error)) from error.with_traceback(None)

    def GetConnection(self) -> HTTPSConnection:  # noqa: N802 - pyVmomi's name
        with self.lock:
            self._CloseIdleConnections()
            connection: HTTPSConnection | None = self.pool.pop(0)[0] if self.pool else None
        if connection is None or connection.sock is None:
            connection = connect(self._endpoint)
        reply = getattr(self._call, "reply", None) or self._reply
        connection.sock.settimeout(reply.total_seconds())
        with self.lock:
            self._open.add(connection)
        self._call.connected = True
        return connection

    @contextmanager
    def within(self, reply: timedelta) -> Iterator[None]:
        """Have the calls of this thread wait no longer than this for a reply."""
        self._call.reply = reply
        try:
            yield
        finally:
            self._call.reply = None

    def abort(self) -> None:
        """Break the calls that are under way, long polls above all, and drop idle connections."""
        self.DropConnections()
        with self.lock:
            under_way = [connection.sock for connection in self._open if connection.sock is not None]
        for tls in under_way:
            with suppress(OSError):
                socket.socket.shutdown(tls, socket.SHUT_RDWR)  # below TLS, whose state belongs to the calling thread


def connect(endpoint: Endpoint) -> HTTPSConnection:
    """Open one verified connection. Nothing has been sent when this fails."""
    within = CONNECT_WITHIN.total_seconds()
    connection = HTTPSConnection(endpoint.host, endpoint.port, timeout=within, context=endpoint.context)
    try:
        connection.connect()
        endpoint.verify_pin(connection)
    except ssl.SSLCertVerificationError as error:
        connection.close()
        raise LoginError(
            f"{endpoint}: its certificate is not trusted ({error.verify_message.rstrip('.')})."
            f" Set ca_file in [vcenters.{endpoint.name}] to its issuer's certificate, or thumbprint to its own digest."
        ) from error
    except OSError as error:
        connection.close()
        raise UnreachableError(f"{endpoint} {_why_no_connection(error)}") from error
    except LoginError:
        connection.close()
        raise
    return connection


def _why_no_connection(error: OSError) -> str:
    match error:
        case socket.gaierror():
            return "cannot be found: its host name is unknown to DNS."
        case ConnectionRefusedError():
            return "refuses connections: it is down or still starting, or the port is wrong."
        case TimeoutError():
            return f"does not answer within {CONNECT_WITHIN.total_seconds():.0f} s: it is down or a firewall drops us."
        case ssl.SSLError():
            return f"does not speak TLS as expected: {error.reason or error}."
        case _:
            return f"cannot be reached: {error.strerror or error}."


def _how_it_was_lost(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "no reply came in time"
        case HTTPException() | OSError():
            return f"the connection ended without a reply ({str(error) or type(error).__name__})"
        case _:
            return f"the reply could not be read ({type(error).__name__})"
