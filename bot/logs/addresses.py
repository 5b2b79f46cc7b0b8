"""From a host's key to the name and the place that a source goes to; what is no such name goes nowhere. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from bot.errors import UserError
from bot.hostlog.line import HostKey
from bot.ssh.port import Address

SSH_PORT: Final = 22
HTTPS_PORT: Final = 443
_LOG: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_HOST: Final = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._:-]{0,252}")

Addresses = Callable[[HostKey], Address]
"""Where a host listens."""


def by_name(port: int) -> Addresses:
    """Every host under its own name, at one port."""
    return lambda host: Address(host_name(host), port)


def host_name(host: HostKey) -> str:
    """The host's own name. UserError for one that could lead elsewhere: into another folder, or an option."""
    name = host.partition("/")[2]
    if not _HOST.fullmatch(name):
        raise UserError(f"{name!r} is no name of a host, so its logs are not read.", example="esx-01.example.net")
    return name


def log_name(log: str) -> str:
    """The name as it stands. UserError for one that could be more than a name."""
    if not _LOG.fullmatch(log):
        raise UserError(f"{log!r} is no name of a log.", example="vpxa")
    return log
