"""A real Valkey for tests: one server a session, an empty database per test.

Use it from a conftest: `pytest_plugins = ["tests.fixtures_valkey"]` in the top one, or load the file by its path.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.store import embedded


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Embedded]:
    """The session's server. Do not kill it: start one of your own for that."""
    with embedded.start(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def valkey_url(valkey_server: embedded.Embedded) -> str:
    """The URL of an empty database."""
    _ask(valkey_server.url, "FLUSHALL")
    return valkey_server.url


@pytest.fixture
def skew_clock(valkey_server: embedded.Embedded) -> Callable[[timedelta], None]:
    """Move the clock of every script forward to this much past the real one, and wake who waits for something."""

    def skew(by: timedelta) -> None:
        _ask(valkey_server.url, "SET", "{cm}:clock-skew", str(round(by.total_seconds() * 1000)))
        _ask(valkey_server.url, "XADD", "{cm}:ev", "*", "job", "", "state", "", "by", "test", "why", "the clock moved")

    return skew


def _ask(url: str, *words: str) -> bytes:
    """One command by hand: tests must be able to look past our own client."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(Path(url.removeprefix("unix://"))))
        parts = [f"*{len(words)}\r\n", *(f"${len(word.encode())}\r\n{word}\r\n" for word in words)]
        connection.sendall("".join(parts).encode())
        answer = connection.recv(4096)
    assert not answer.startswith(b"-"), answer
    return answer
