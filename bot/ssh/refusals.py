"""From what asyncssh and the system say to what an operator can do: each failure is translated here, once."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncssh

from bot.errors import LoginError, OutsideError, UnreachableError
from bot.ssh.port import Address

_SSH_PORT: Final = 22


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who wanted to log in where, and with which files."""

    address: Address
    user: str
    key_file: Path
    known_hosts_file: Path


def connection_refusal(error: Exception, attempt: Attempt) -> OutsideError:
    """Say why there is no connection. No text of the other side's is quoted: it could hold anything."""
    match error:
        case OSError(filename=str(name)):
            return LoginError(f"{name} cannot be read: {_reason(error)}.")
        case OSError():
            return UnreachableError(_unreachable(error, attempt.address))
        case (
            asyncssh.HostKeyNotVerifiable() | asyncssh.PermissionDenied() | asyncssh.KeyExchangeFailed() | ValueError()
        ):
            return LoginError(_refused(error, attempt))
        case _:
            return UnreachableError(_ended(attempt.address))


def _refused(error: Exception, attempt: Attempt) -> str:
    host, user = attempt.address.host, attempt.user
    match error:
        case asyncssh.HostKeyNotVerifiable():
            return _host_key(attempt)
        case asyncssh.PermissionDenied():
            return (
                f"{host} refused user {user} with the key of {attempt.key_file}: put its public half into "
                f"/etc/ssh/keys-{user}/authorized_keys on the host; in lockdown mode {user} must be an exception user."
            )
        case asyncssh.KeyExchangeFailed():
            return (
                f"{host} offers no host key of a kind that {attempt.known_hosts_file} has for it, or no cipher that we "
                f"accept; {_add(attempt)}"
            )
        case asyncssh.KeyImportError():
            return f"{attempt.key_file} is no private key in OpenSSH or PEM form, or it has a passphrase."
        case _:
            return f"{attempt.known_hosts_file} is no known_hosts file; {_add(attempt)}"


def _unreachable(error: Exception, address: Address) -> str:
    match error:
        case ConnectionRefusedError():
            return (
                f"{address} refuses connections: SSH is off by default on ESXi and in lockdown mode; start the service "
                "TSM-SSH on the host, or read its logs in another way."
            )
        case TimeoutError():
            return f"{address} did not answer in time: is SSH open in the host's firewall and on the way there?"
        case ConnectionResetError():
            return _ended(address)
        case socket.gaierror():
            return f"The name {address.host} cannot be resolved."
        case _:
            return f"{address} cannot be reached: {_reason(error)}."


def _ended(address: Address) -> str:
    return (
        f"{address} ended the connection before the login was over: it may be restarting, have too many SSH sessions, "
        "or not speak SSH there."
    )


def lost(address: Address) -> UnreachableError:
    """Say that an open connection ended by itself."""
    return UnreachableError(f"The SSH connection to {address.host} was lost.")


def too_many(address: Address) -> UnreachableError:
    """Say that a host opens no further session on a connection that stands."""
    return UnreachableError(f"{address.host} opens no more SSH sessions: MaxSessions of its sshd is reached.")


def _host_key(attempt: Attempt) -> str:
    address, file = attempt.address, attempt.known_hosts_file
    if _has_any_key(attempt):
        begin = (
            f"{address.host} shows another host key than {file} has for it. If it was installed again, remove its old "
            "line there; if not, somebody may stand in between. "
        )
    else:
        begin = f"{address.host} shows a host key that is not in {file}. "
    return begin + _add(attempt)


def _add(attempt: Attempt) -> str:
    host, port = attempt.address
    where = host if port == _SSH_PORT else f"-p {port} {host}"
    return f"compare the key with the host's own and add it: ssh-keyscan {where} >> {attempt.known_hosts_file}"


def _has_any_key(attempt: Attempt) -> bool:
    """Whether the file has any key for this host."""
    host, port = attempt.address
    try:
        known = asyncssh.read_known_hosts(str(attempt.known_hosts_file))
        return bool(asyncssh.match_known_hosts(known, host, "", port if port != _SSH_PORT else None)[0])
    except (OSError, ValueError):
        return False


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or "no reason given").lower()
