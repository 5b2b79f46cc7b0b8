"""Who is from here, as far as HTTP can tell: what pages and control ports ask before they answer."""

from __future__ import annotations

from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def is_this_machine(host: str) -> bool:
    """Say whether a Host header is one of our own; what is no host is not.

    A name that merely resolves to loopback would let a web page in (DNS rebinding).
    """
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK
    except ValueError:
        return False
