"""The loaded process behind `warm`: forks one for every stub that connects. It never has a thread or an event loop.

Run as `python -m tests.warm_process ADDRESS`. It serves until its standard input ends; then no child is left.
"""

from __future__ import annotations

import ctypes
import gc
import marshal
import os
import random
import selectors
import signal
import socket
import sys
import threading
import traceback
from importlib import import_module
from pathlib import Path
from typing import Final

from tests.chaos.nursery_process import ROLES

LOADED: Final = (
    *ROLES,
    "bot.cli.main",
    "bot.cli.demo",
    "bot.cli.bot",
    "bot.cli.serve",
    "bot.cli.watch",
    "bot.ssh.shell",
    "bot.cli.watching",
)
_PR_SET_PDEATHSIG: Final = 1
_FORK_FAILED: Final = 70


def main() -> None:
    """Load, say so, serve."""
    for name in LOADED:
        import_module(name)
    tasks = Path("/proc/self/task")  # of Linux: it knows threads that Python does not
    if threading.active_count() > 1 or (tasks.is_dir() and len(list(tasks.iterdir())) > 1):
        raise SystemExit("loading started a thread: nothing that is forked now could be trusted")
    gc.freeze()  # what everybody has is neither searched nor copied by any child
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(sys.argv[1])
    listener.listen(64)
    os.write(1, b"ready\n")
    _Server(listener).serve()


class _Server:
    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._children: dict[int, socket.socket] = {}
        self._deaths, self._bell = socket.socketpair()
        self._ready = selectors.DefaultSelector()

    def serve(self) -> None:
        self._deaths.setblocking(False)
        self._bell.setblocking(False)
        signal.set_wakeup_fd(self._bell.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for source in (0, self._listener, self._deaths):
            self._ready.register(source, selectors.EVENT_READ)
        while True:
            happened = {key.fileobj for key, _ in self._ready.select()}
            if self._deaths in happened:
                self._deaths.recv(4096)
                self._bury()
            if self._listener in happened:
                self._fork(self._listener.accept()[0])
            for pid, stub in list(self._children.items()):
                if stub in happened:  # it never says more: it was killed
                    self._ready.unregister(stub)
                    os.kill(pid, signal.SIGKILL)
            if 0 in happened:
                break
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _bury(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with self._children.pop(pid) as stub:
                if stub in self._ready.get_map():
                    self._ready.unregister(stub)
                    _tell(stub, os.waitstatus_to_exitcode(status))

    def _fork(self, stub: socket.socket) -> None:
        received = _order(stub)
        if received is None:
            stub.close()
            return
        (name, *words), folder, environment, streams = received
        parent = os.getpid()
        pid = os.fork()
        if pid:
            for stream in streams:
                os.close(stream)
            self._children[pid] = stub
            self._ready.register(stub, selectors.EVENT_READ)
            _tell(stub, pid)
            return
        code = _FORK_FAILED
        try:
            self._forget_all(stub)
            _become_a_process(folder, environment, streams, parent)
            code = _run(name, words)
        except BaseException:  # noqa: BLE001 - whatever it is, the child may not go on as a second server
            traceback.print_exc()
        _end(code)

    def _forget_all(self, stub: socket.socket) -> None:
        """Keep nothing of the server open: the death of a stub would not be heard."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._ready.close()
        for connection in (self._listener, self._deaths, self._bell, stub, *self._children.values()):
            connection.close()


def _order(stub: socket.socket) -> tuple[list[str], str, dict[bytes, bytes], list[int]] | None:
    """What a stub wants; None if it died while it said so."""
    try:
        head, streams, _, _ = socket.recv_fds(stub, 8, 3)
        left, order = int.from_bytes(head, "big"), b""
        while left > len(order):
            piece = stub.recv(left - len(order))
            if not piece:
                return None
            order += piece
    except OSError:
        return None
    words, folder, environment = marshal.loads(order)  # noqa: S302 - our own stub wrote it
    return words, folder, environment, list(streams)


def _become_a_process(folder: str, environment: dict[bytes, bytes], streams: list[int], parent: int) -> None:
    """Undo what the server set up, and be what an exec would have made."""
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    sys.path[0] = folder
    os.environ.clear()  # noqa: TID251 - a process is given its environment
    os.environb.update(environment)
    random.seed()


def _run(name: str, words: list[str]) -> int:
    sys.argv = ["coldmigrate" if name == "bot" else name, *words]
    try:
        import_module("bot.cli.main" if name == "bot" else name).main()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    return 0


def _end(code: int) -> None:
    """As an interpreter ends: a peer that no longer reads is no reason to stay."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = code or 120
    os._exit(code)


def _tell(stub: socket.socket, number: int) -> None:
    try:
        stub.sendall(number.to_bytes(8, "big", signed=True))
    except OSError:
        return  # killed just now; that is heard by itself


if __name__ == "__main__":
    main()
