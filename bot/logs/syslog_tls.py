"""TLS of the syslog receiver: its certificate, renewed without a restart, and a wire that many connections can use at
the pace of one reader.
"""

from __future__ import annotations

import errno
import logging
import socket
import ssl
from pathlib import Path
from typing import Final

from bot.errors import UserError

_RECORD: Final = 65536

logger = logging.getLogger(__name__)


class RenewedContext:
    """A server's side of TLS, with the certificate that is on disk now."""

    def __init__(self, cert_file: Path, key_file: Path, client_ca_file: Path | None) -> None:
        self._files = (cert_file, key_file)
        self._client_ca_file = client_ca_file
        self._written = self._times()
        self.context = self._made()

    def renew(self) -> None:
        """Take a certificate that was renewed. One that cannot be used is told, and the one before goes on."""
        if (written := self._times()) == self._written:
            return
        self._written = written
        try:
            self.context = self._made()
            logger.info("The certificate of the syslog receiver was renewed.")
        except UserError as error:
            logger.error("%s The certificate before it goes on being used.", error)  # noqa: TRY400 - no defect of ours

    def _times(self) -> tuple[int, ...]:
        return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in self._files)

    def _made(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.num_tickets = 0  # hosts stay connected for weeks
        cert_file, key_file = self._files
        try:
            context.load_cert_chain(cert_file, key_file, password=str)  # an encrypted key would ask the terminal
        except (OSError, ValueError) as error:
            raise UserError(
                f"The certificate {cert_file} and its key {key_file} cannot be used for syslog: {_reason(error)}.",
                example='cert_file = "/etc/coldmigrate/syslog.crt", key_file = "/etc/coldmigrate/syslog.key", both PEM',
            ) from error
        if self._client_ca_file is not None:
            try:
                context.load_verify_locations(self._client_ca_file)
            except OSError as error:
                raise UserError(
                    f"The CA certificates {self._client_ca_file}, by which hosts prove who they are, cannot be used: "
                    f"{_reason(error)}.",
                    example='client_ca_file = "/etc/coldmigrate/hosts-ca.pem"',
                ) from error
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def tls_context(cert_file: Path, key_file: Path, client_ca_file: Path | None = None) -> RenewedContext:
    """TLS 1.2 or newer with this certificate; with `client_ca_file`, only for hosts that have one by these CAs.

    UserError for files that cannot be used.
    """
    return RenewedContext(cert_file, key_file, client_ca_file)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return {
            "KEY_VALUES_MISMATCH": "the key belongs to another certificate",
            "NO_CERTIFICATE_OR_CRL_FOUND": "there is no certificate in it",
        }.get(error.reason or "", "it is not PEM, or it is encrypted, or damaged")
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else type(error).__name__


class TlsWire:
    """One connection's TLS, over a socket that never blocks."""

    __slots__ = ("_incoming", "_outgoing", "_tls", "_unsent", "ended", "ready")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._unsent = b""
        self.ready = self.ended = False

    def receive(self, connection: socket.socket) -> bytes:
        """What came, as far as it is complete. OSError when the connection or the TLS on it broke."""
        try:
            data = connection.recv(_RECORD)
        except BlockingIOError:
            return b""
        if not data:
            self.ended = True
            return b""
        self._incoming.write(data)
        try:
            return self._read()
        finally:
            self._answer(connection)

    def _read(self) -> bytes:
        parts = []
        try:
            if not self.ready:
                self._tls.do_handshake()
                self.ready = True
            while part := self._tls.read(_RECORD):
                parts.append(part)
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        return b"".join(parts)

    def _answer(self, connection: socket.socket) -> None:
        self._unsent += self._outgoing.read()
        if self._unsent:
            try:
                self._unsent = self._unsent[connection.send(self._unsent) :]
            except BlockingIOError:
                if len(self._unsent) > _RECORD:  # else whoever asks for answers and reads none would fill our memory
                    raise ConnectionAbortedError(errno.ECONNABORTED, "it does not read our answers") from None
