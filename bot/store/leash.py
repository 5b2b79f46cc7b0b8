"""Starts a program that does not outlive the process that asked for it. Run as a script: standard library only.

Code between fork and exec is unsafe in a process with threads, so the ties are made here, in a process of its own:
`tie` asks Linux for a signal at the parent's death and becomes the program; `watch` stays beside it and waits for the
parent's end of a pipe to close, for systems that have no such signal.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from typing import NoReturn

_PR_SET_PDEATHSIG = 1


def tie(parent: int, command: list[str]) -> NoReturn:
    """Become `command`, with SIGTERM at the death of `parent`."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died before the call above: no signal will come any more
        raise SystemExit(1)
    os.execv(command[0], command)  # noqa: S606 - the point of this module


def watch(inherited: int, command: list[str]) -> int:
    """Run `command` until it ends or until standard input does, which is when the parent is gone."""
    program: subprocess.Popen[bytes] | None = None
    unwanted = False

    def end(*_: object) -> None:
        nonlocal unwanted
        unwanted = True
        if program is not None:
            program.terminate()

    signal.signal(signal.SIGTERM, end)  # before there is a program: whoever sees it may end us at once
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(inherited,))
    if unwanted:
        program.terminate()

    def end_with_parent() -> None:
        sys.stdin.buffer.read()
        program.terminate()

    threading.Thread(target=end_with_parent, daemon=True).start()
    return program.wait()


if __name__ == "__main__":
    mode, number, *words = sys.argv[1:]
    sys.exit(tie(int(number), words) if mode == "tie" else watch(int(number), words))
