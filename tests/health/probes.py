"""Asking a health port, as the kubelet does."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Told:
    """An answer; status 0 if there was none."""

    status: int
    body: str = ""


def ask(port: int, path: str, *, within: float = 2) -> Told:
    """One question; no answer in time is an answer too."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=within)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return Told(response.status, response.read().decode())
    except OSError:
        return Told(0)
    finally:
        connection.close()


async def until(port: int, path: str, well: Callable[[Told], bool], *, within: float = 30) -> Told:
    """Ask until the answer is what is waited for; AssertionError with the last answer otherwise."""
    told = Told(0)
    try:
        async with asyncio.timeout(within):
            while not well(told := await asyncio.to_thread(ask, port, path)):
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{path} said {told} at last") from None
    return told
