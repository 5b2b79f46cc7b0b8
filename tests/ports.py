"""Ports for servers that a test starts as processes, where a config has to name the port before anybody listens."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")  # of Linux: what connections are given for their own end
_FIRST: Final = 15_000
_ROW: Final = 4
"""`serve` takes the ports after the one that it is told, too."""


def free_port() -> int:
    """The first of some ports in a row that nobody has now; no connection of another test is given one by chance."""
    until = int(_RANGE.read_text(encoding="utf-8").split()[0]) if _RANGE.exists() else 32_768
    while True:
        port = random.randrange(_FIRST, max(until, _FIRST + 1000) - _ROW)
        if all(map(_is_free, range(port, port + _ROW))):
            return port


def _is_free(port: int) -> bool:
    with suppress(OSError), socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
        stream.bind(("", port))
        datagram.bind(("", port))
        return True
    return False
