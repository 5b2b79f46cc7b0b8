"""Valkey processes for tests: each on a port of its own, in a directory of its own, gone when the test process is."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol, Self, TypeVar

from redis import Redis
from redis.exceptions import RedisError

from bot.store import embedded, leash

T = TypeVar("T")
F = TypeVar("F", bound="Fleet")

_POLL: Final = 0.02
_ALTERNATIVES: Final = 5


class Fleet(Protocol):
    """Several servers that start and stop together."""

    def start(self) -> object: ...
    def stop(self) -> None: ...


class PortTakenError(Exception):
    """Between looking for a free port and using it, somebody else took it."""


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on at this moment."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def until(ask: Callable[[], T], *, within: timedelta = timedelta(seconds=30), what: str) -> T:
    """The first answer that is true. A server that is not there is asked again."""
    deadline = time.monotonic() + within.total_seconds()
    while True:
        try:
            if answer := ask():
                return answer
            last = f"{answer!r}"
        except (RedisError, OSError) as error:
            last = f"{error!r}"
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within}: {what}; last {last}")
        time.sleep(_POLL)


@dataclass
class Server:
    """One process: a Valkey, or a sentinel."""

    folder: Path
    port: int
    arguments: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self, *more: str) -> Self:
        """Raises `PortTakenError`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [str(embedded.find_server()), *self.arguments, *more]
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", leash.__file__, "tie", str(os.getpid()), *command],
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "output").open("ab"),
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            start_new_session=True,
        )
        until(self._answers, what=f"{self} answers")
        return self

    def kill(self) -> None:
        """SIGKILL; nothing more is written."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL if that takes too long."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """It keeps its connections and says nothing, as if the network had gone."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it was."""
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    @property
    def alive(self) -> bool:
        """Whether the process was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def client(self) -> Redis:
        """A client for whoever wants more than `ask`."""
        return Redis(port=self.port, decode_responses=True, socket_timeout=2, protocol=2)

    def ask(self, *command: str | int) -> Any:
        """One command, on a connection of its own."""
        with self.client() as client:
            return client.execute_command(*command)

    def info(self, section: str) -> dict[str, Any]:
        """INFO of one section."""
        found: dict[str, Any] = self.ask("INFO", section)
        return found

    def _answers(self) -> bool:
        assert self.process
        if self.process.poll() is not None:
            if b"in use" in (self.folder / "output").read_bytes():
                raise PortTakenError
            raise AssertionError((self.folder / "output").read_text())
        return bool(self.ask("PING"))

    def _end(self, number: signal.Signals) -> None:
        if self.process is None or not self.alive:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(number)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def valkey(folder: Path, port: int, *options: str) -> Server:
    """A server that keeps everything on disk and lets replicas in at once."""
    common = ("--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", "--appendonly", "yes")
    return Server(folder, port, (*common, "--repl-diskless-sync-delay", "0", *options))


@contextmanager
def on_free_ports(make: Callable[[], F]) -> Iterator[F]:
    """What `make` makes, started; made anew with other ports when one was taken meanwhile, and stopped at the end."""
    for chance in range(_ALTERNATIVES):
        fleet = make()
        try:
            fleet.start()
            break
        except PortTakenError:
            fleet.stop()
            if chance == _ALTERNATIVES - 1:
                raise
        except BaseException:
            fleet.stop()
            raise
    try:
        yield fleet
    finally:
        fleet.stop()
