"""`coldmigrate` as a process of its own, forked from one that has everything loaded instead of loading it anew.

Starting a role by exec takes a second of processor, and most tests that start one are about what it does, not about how
Python loads. They run `[*warm.bot(), "jobs", "list"]` in place of `[sys.executable, "-m", "bot", "jobs", "list"]`: the
process that is started passes words, folder, environment and standard streams on (`warm_stub`), the loaded one forks
(`warm_process`), signals and the exit code go through, and when one is killed, the other is. What is not there: SIGSTOP
reaches the stub alone, and variables that the interpreter itself reads at its start (PYTHON...) come too late.

Tests of a start, of what is loaded by a command, or of a process that is looked at from outside do exec.
"""

from __future__ import annotations

import atexit
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STUB = Path(__file__).with_name("warm_stub.py")


def bot() -> list[str]:
    """What to run in place of `python -m bot`."""
    return module("bot")


def module(name: str) -> list[str]:
    """What to run in place of `python -m NAME`; its function `main` is called."""
    return [sys.executable, "-I", "-S", str(STUB), _address(), name]


@cache
def _address() -> str:
    """Where this tester's loaded process listens; it is started at the first call and ends with us."""
    folder = tempfile.TemporaryDirectory(prefix="warm-")
    address = str(Path(folder.name, "s"))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.warm_process", address],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def end() -> None:
        stdin.close()
        process.wait()
        stdout.close()
        folder.cleanup()

    atexit.register(end)
    assert stdout.readline() == b"ready\n"
    return address
