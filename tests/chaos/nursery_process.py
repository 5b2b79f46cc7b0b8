"""A process that has loaded all that a role needs and forks one for every order: a start costs no imports.

Run as `python -m tests.chaos.nursery_process`. Orders come as lines of JSON, answers go the same way. It never has a
thread or an event loop, so what is forked begins like what is exec'd: one thread, no lock held, standard streams of its
own. Each child is a process of its own to be signalled, and ends with this one.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import random
import select
import signal
import socket
import sys
import threading
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from bot.cli.main import main as command

ROLES: Final = (
    *("bot.cli.commands", "bot.cli.worker", "bot.compose", "bot.vsphere.vcenter", "handlers.jobs.registry"),
    *("tests.chaos.unfenced", "tests.chaos.wrong_clock"),
)
_PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Serve until standard input ends; then no child is left."""
    for module in ROLES:
        import_module(module)
    tasks = Path("/proc/self/task")  # of Linux: it knows threads that Python does not
    if threading.active_count() > 1 or (tasks.is_dir() and len(list(tasks.iterdir())) > 1):
        raise SystemExit("importing the roles started a thread: nothing that is forked now could be trusted")
    gc.freeze()  # what everybody has is neither searched nor copied by any child
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    _say(ready=os.getpid())
    _serve(ours)


def _serve(deaths: socket.socket) -> None:
    children: set[int] = set()
    pending = b""
    while True:
        readable, _, _ = select.select([0, deaths.fileno()], [], [])
        if deaths.fileno() in readable:
            deaths.recv(4096)
            _bury(children)
        if 0 in readable:
            chunk = os.read(0, 65536)
            if not chunk:
                break
            *orders, pending = (pending + chunk).split(b"\n")
            for order in orders:
                children.add(_fork(json.loads(order), deaths))
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _bury(children: set[int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        children.discard(pid)
        _say(ended=pid, code=os.waitstatus_to_exitcode(status), at=time.time())


def _fork(order: dict[str, Any], deaths: socket.socket) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        _say(started=pid, order=order["order"])
        return pid
    code = 70
    try:
        deaths.close()
        _become_a_process(order, parent)
        code = _role(order)
    except BaseException:  # noqa: BLE001 - whatever it is, the child may not go on as a second nursery
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _become_a_process(order: dict[str, Any], parent: int) -> None:
    """Undo what the nursery set up, and be what an exec would have made."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for old, new in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(old, new)
    os.environ.clear()  # noqa: TID251 - a process is given its environment
    os.environ.update(order["environment"])  # noqa: TID251
    random.seed()
    sys.argv = order["words"]


def _role(order: dict[str, Any]) -> int:
    for module, argument in order["first"]:
        import_module(module).take_hold(argument)
    try:
        command()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _say(**answer: Any) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    main()
